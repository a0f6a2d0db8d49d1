"""Near-policy distillation: what becomes of a student whose training sentences are a little old."""
