"""Lesson 08: The paper in one table."""

from seqkd_lab.lab.shared.plan import Lesson

LESSON = Lesson(
    "08_the_paper_in_one_table",
    "The paper in one table",
    20,
    "judge the paper's findings on ten seeds",
)
