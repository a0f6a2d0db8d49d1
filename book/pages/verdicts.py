"""What holds, what does not: every verdict of every study, by the judge of `study check`."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass

from book.pages.tables import plain, table
from seqkd_lab import studies
from seqkd_lab.runs import verdicts as judge
from seqkd_lab.runs.committed import results_path
from seqkd_lab.runs.power import planned_effects
from seqkd_lab.runs.results import rows_by_seed
from seqkd_lab.runs.study import Study, read_study
from seqkd_lab.runs.verdicts import Verdict

title = "What holds, what does not"
name = "reference/verdicts"
OUTCOMES = (
    judge.HELD,
    judge.NOT_HELD,
    judge.UNDECIDED,
    judge.CANNOT_BE_ASKED,
    judge.CANNOT_BE_JUDGED,
)


@dataclass(frozen=True)
class Judged:
    """A study with its verdicts, the effects that were planned (by the claim's name), and the
    number of its seeds."""

    study: Study
    verdicts: list[Verdict]
    planned: dict[str, float]
    n_seeds: int


def markdown() -> str:
    """Return the verdicts of all studies that have committed results."""
    judged = judged_studies()
    every = [verdict for found in judged for verdict in found.verdicts]
    return "\n\n".join(
        [
            "A claim is held where the whole 95% interval over the seeds lies on its side, and not "
            "held where all of it lies on the other side. Else it is undecided. The smallest "
            "visible effect is the true difference that the seeds see with a probability of 80%. "
            "`seqkd-lab study check NAME` prints the same verdicts.",
            f"{len(every)} claims of {len(judged)} studies: {counted(every)}.{not_judged(judged)}",
            not_reproduced(judged),
            table(("study", *OUTCOMES), map(summary_row, judged)),
            *map(section, judged),
        ]
    )


def judged_studies() -> list[Judged]:
    """Judge every study that has claims and results in the repository."""
    found = []
    for study in map(studies.study, studies.find_studies()):
        path = results_path(study.file)
        if path.exists():
            rows = rows_by_seed(read_study(path, study))
            judged = Judged(study, study.judge(rows), planned_effects(study, rows), len(rows))
            found += [judged] if judged.verdicts else []
    return found


def not_judged(judged: list[Judged]) -> str:
    """Return a sentence that names the studies without claims or results, "" where there are
    none."""
    names = {found.study.name for found in judged}
    left = [name for name in studies.find_studies() if name not in names]
    return f" Without claims or results here: {', '.join(left)}." if left else ""


def counted(found: list[Verdict]) -> str:
    """Return how many claims have each outcome, in words."""
    count = Counter(verdict.outcome for verdict in found)
    return ", ".join(f"{count[outcome]} {outcome}" for outcome in OUTCOMES if count[outcome])


def not_reproduced(judged: list[Judged]) -> str:
    """Return which claims were not reproduced, in a line for each study that has some."""
    sentences = []
    for found in judged:
        missed = [v.claim for v in found.verdicts if v.outcome == judge.NOT_HELD]
        named = [f"{claim.name} ({claim.ours})" for claim in missed]
        sentences += [f"{found.study.name}: {'; '.join(named)}"] if named else []
    if not sentences:
        return "No claim is not held."
    return "Not reproduced:\n\n" + "\n".join(f"- {plain(text)}" for text in sentences)


def summary_row(found: Judged) -> list[str]:
    """Return a study's name, as a link, and how many claims have each outcome."""
    count = Counter(verdict.outcome for verdict in found.verdicts)
    link = f"[{found.study.name}](#{found.study.name})"
    return [link, *(str(count[outcome]) for outcome in OUTCOMES)]


def section(found: Judged) -> str:
    """Return a study's question and its claims, each with its numbers and its verdict."""
    head = ("claim", "paper", "asked here", "mean [95% interval]", "visible: planned", "measured")
    rows = [_row(verdict, found.planned.get(verdict.claim.name)) for verdict in found.verdicts]
    return (
        f"## {found.study.name}\n\n{plain(found.study.question)} Measured with {found.n_seeds} "
        f"{found.study.repeated}: {counted(found.verdicts)}.\n\n{table((*head, 'verdict'), rows)}"
    )


def _row(verdict: Verdict, planned: float | None) -> list[str]:
    claim, is_judged = verdict.claim, verdict.outcome != judge.CANNOT_BE_JUDGED
    seen = verdict.smallest_effect
    outcome = f"**{verdict.outcome}**" + (f": {plain(verdict.reason)}" if verdict.reason else "")
    return [
        plain(claim.name),
        plain(claim.original) or "no claim of a paper",
        plain(claim.ours),
        plain(judge.numbers(verdict)) if is_judged else "",
        "no pilot" if planned is None else judge.number(planned),
        judge.number(seen) if is_judged and math.isfinite(seen) else "",
        outcome,
    ]
