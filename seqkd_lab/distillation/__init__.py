"""What is taught: word-level objectives and rewritten corpora."""
