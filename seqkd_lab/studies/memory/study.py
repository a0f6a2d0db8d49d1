"""The memory dial: does Seq-KD help a student that sees its last few words only, and what do so few
words foretell?

Students are alike but for their memory (the number of their own last words that they attend to) and
the target side of their corpus: gold, the teacher's valid samples, or the teacher's mode. Beside
them stands the truth with the same memory.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas

from seqkd_lab.runs.results import with_interval
from seqkd_lab.runs.study import Study
from seqkd_lab.runs.verdicts import Claim, Rows
from seqkd_lab.studies.live import CORPORA, GOLD, MODE, SAMPLES
from seqkd_lab.studies.memory.reading import above_truth, gain, in_words, valid
from seqkd_lab.studies.memory.rows import ROWS
from seqkd_lab.studies.memory.students import MEMORIES, SHORT, TRUTH, MemoryStudents, memory_key

AIM = "an aim of this lab"
CLAIMS = (
    Claim(
        "M1",
        f"memory {SHORT}: the mode's student has ≥ 10 points more valid translations than gold's",
        lambda rows: gain(rows, SHORT),
        least=10.0,
        original=AIM,
    ),
    Claim(
        "M2",
        f"memory {SHORT}: the mode's student has ≥ 10 points more valid translations than the "
        "samples'",
        lambda rows: gain(rows, SHORT, MODE, SAMPLES),
        least=10.0,
        original=AIM,
    ),
    Claim(
        "M3",
        f"memory {SHORT}: the samples' student is within 10 points of gold's",
        lambda rows: gain(rows, SHORT, SAMPLES, GOLD),
        least=-10.0,
        most=10.0,
        original=AIM,
    ),
    Claim(
        "M4",
        f"the mode's gain over gold is smaller with all of the memory than with memory {SHORT}",
        lambda rows: gain(rows, SHORT) - gain(rows, None),
        least=0.0,
        original=AIM,
    ),
    Claim(
        "M5",
        "gold's student gains ≥ 10 points from a memory of 2 words to one of 8",
        lambda rows: valid(rows, GOLD, 8) - valid(rows, GOLD, 2),
        least=10.0,
        original=AIM,
    ),
    Claim(
        "M6",
        f"memory {SHORT}: the mode's student is above what the truth with that memory draws, in "
        "points",
        lambda rows: above_truth(rows, MODE, "draws"),
        least=0.0,
        original=AIM,
    ),
    Claim(
        "M7",
        f"memory {SHORT}: gold's student is at most 2 points above the truth with that memory, "
        "both greedy (it estimates that truth; that it cannot be above is no theorem)",
        lambda rows: above_truth(rows, GOLD, "greedy"),
        most=2.0,
        original=AIM,
    ),
)


def memory_tables(seeds: Sequence[Rows]) -> dict[str, pandas.DataFrame]:
    """Return valid translations by corpus and memory, the mode's gain, BLEU, and the truth with
    each memory."""
    names = {memory: memory_key(memory) for memory in MEMORIES}

    def frame(measure: str, scale: float) -> pandas.DataFrame:
        """Return one measure as a table: a row a memory, a column a student."""
        return pandas.DataFrame(
            {
                name: {
                    label: with_interval(
                        [rows[name][label][measure] for rows in seeds], scale=scale
                    )
                    for label in names.values()
                }
                for name in CORPORA
            }
        ).rename_axis("memory")

    truth = seeds[0][TRUTH]
    return {
        "valid translations, greedy, in %": frame("valid", 100.0),
        "BLEU, greedy": frame("greedy", 1.0),
        "the mode's gain over gold, points of valid translations": pandas.DataFrame(
            {
                "gain": {
                    label: with_interval([gain(rows, memory) for rows in seeds])
                    for memory, label in names.items()
                }
            }
        ).rename_axis("memory"),
        f"the truth with that memory, {truth['all']['n']} sources, valid in %": pandas.DataFrame(
            {
                how: {label: f"{100.0 * truth[label][how]:.1f}" for label in names.values()}
                for how in ("draws", "greedy")
            }
        ).rename_axis("memory"),
    }


def study_of(students: MemoryStudents) -> Study:
    """Return the study of these students."""
    return Study(
        "memory",
        "Does Seq-KD help a student that remembers only its last words, however long it learns?",
        "memory.json",
        students.settings(),
        students.tasks,
        students.measure,
        memory_tables,
        CLAIMS,
        first_seed=21,
        n_seeds=5,
        in_words=in_words,
        rows=ROWS,
    )


STUDY = study_of(MemoryStudents())
