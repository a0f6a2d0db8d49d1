"""What comes out: search, sampling, scoring, and the trace of a search."""
