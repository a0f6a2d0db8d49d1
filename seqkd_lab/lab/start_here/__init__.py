"""Lesson 00: Start here."""

from seqkd_lab.lab.shared.plan import Lesson

LESSON = Lesson(
    "00_start_here", "Start here", 15, "check this machine, see the whole story with trained models"
)
