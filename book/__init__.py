"""The book: the lessons as a static site whose views play without a kernel; `python -m book` makes
it.

`kernel` is loaded into the kernel that runs a lesson: there `states` leads each view through its
states, `drawing` turns what moves into SVG, `packing` writes it to files, and `player` makes the
HTML. `execute` runs the lessons, `build` makes the site of them.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT / "tools"))  # whose modules on notebooks serve the tests and the book
FOLDER = "SEQKD_LAB_BOOK_FOLDER"
LESSON = "SEQKD_LAB_BOOK_LESSON"
"""Environment variables that say to the kernel which runs a lesson where it writes to, and which
lesson that is (NN_name)."""
