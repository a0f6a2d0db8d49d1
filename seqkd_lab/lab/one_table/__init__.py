"""Lesson 08: the table of the paper, row against row, claim by claim."""
