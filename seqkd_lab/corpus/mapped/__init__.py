"""Corpora larger than memory: token ids in files that are mapped instead of read."""
