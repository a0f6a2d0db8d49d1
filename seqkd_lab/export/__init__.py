"""Models in the format of other programs that translate."""
