"""What people look at and touch: figures and reports."""
