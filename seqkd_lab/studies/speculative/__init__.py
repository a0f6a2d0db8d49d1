"""Speculative sampling: exactness, tokens a verification, and seconds."""
