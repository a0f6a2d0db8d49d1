"""The claims of a study, judged: one table a lesson, with each quotation once below it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from seqkd_lab.lab.shared.showing import without_signed_zeros
from seqkd_lab.lab.shared.style import BROWN, GREY, ROLES, SEQ_INTER
from seqkd_lab.runs.power import planned_effects
from seqkd_lab.runs.recipes import SEQ_KD
from seqkd_lab.runs.study import Study
from seqkd_lab.runs.verdicts import (
    CANNOT_BE_ASKED,
    CANNOT_BE_JUDGED,
    HELD,
    NOT_HELD,
    UNDECIDED,
    Rows,
    Verdict,
    number,
    numbers,
    summary,
)

OUTCOMES = {
    HELD: ("✓", ROLES[SEQ_KD].text),
    NOT_HELD: ("✗", ROLES[SEQ_INTER].text),
    UNDECIDED: ("?", BROWN),
    CANNOT_BE_ASKED: ("–", GREY),
    CANNOT_BE_JUDGED: ("–", GREY),
}
"""Mark and colour of each outcome; its word stands beside them, for colour alone tells nothing to
some."""
HEADS = ("claim", "what is asked here", "effect [95%]", "smallest visible effect", "outcome")


@dataclass(frozen=True)
class VerdictTable:
    """Verdicts as a table, the wordings that they go back to, and what was not reproduced.

    planned: by a claim's name, the smallest effect that the pilot let expect.
    """

    verdicts: tuple[Verdict, ...]
    planned: Mapping[str, float]

    @property
    def rows(self) -> list[tuple[str, ...]]:
        """Return the cells of each claim's row, under HEADS."""
        return [tuple(map(without_signed_zeros, self._cells(verdict))) for verdict in self.verdicts]

    def _cells(self, verdict: Verdict) -> tuple[str, ...]:
        claim, judged = verdict.claim, verdict.outcome != CANNOT_BE_JUDGED
        visible = number(verdict.smallest_effect) if math.isfinite(verdict.smallest_effect) else "–"
        planned = self.planned.get(claim.name)
        visible += "" if planned is None else f" (planned {number(planned)})"
        mark, _ = OUTCOMES[verdict.outcome]
        outcome = f"{mark} {verdict.outcome}" + (f": {verdict.reason}" if verdict.reason else "")
        effect = numbers(verdict) if judged else "–"
        return claim.name, claim.ours, effect, visible if judged else "–", outcome

    @property
    def quotations(self) -> dict[str, list[str]]:
        """Return the names of the claims that go back to each original wording."""
        names: dict[str, list[str]] = {}
        for verdict in self.verdicts:
            if verdict.claim.original:
                names.setdefault(verdict.claim.original, []).append(verdict.claim.name)
        return names

    @property
    def lines_below(self) -> list[str]:
        """Return what stands below the table: the summary, then the original wordings."""
        quoted = [
            f"{', '.join(dict.fromkeys(names))}: {text}" for text, names in self.quotations.items()
        ]
        return [summary(self.verdicts), *quoted]

    def _repr_html_(self) -> str:
        def row(cells: Sequence[str], tag: str = "td", colour: str = "inherit") -> str:
            texts = [f'<{tag} style="text-align:left">{escape(cell)}</{tag}>' for cell in cells]
            texts[-1] = texts[-1].replace("left", f"left;color:{colour}", 1)
            return f"<tr>{''.join(texts)}</tr>"

        body = [
            row(cells, colour=OUTCOMES[verdict.outcome][1])
            for cells, verdict in zip(self.rows, self.verdicts, strict=True)
        ]
        below = "".join(f"<p>{escape(line)}</p>" for line in self.lines_below)
        return f"<table>{row(HEADS, 'th')}{''.join(body)}</table>{below}"

    def __repr__(self) -> str:
        return "\n".join([*(" | ".join(cells) for cells in (HEADS, *self.rows)), *self.lines_below])


def verdict_table(study: Study, by_seed: Sequence[Rows]) -> VerdictTable:
    """Judge the claims of a study, and show them as one table. Raise ValueError without a seed."""
    return VerdictTable(tuple(study.judge(by_seed)), planned_effects(study, by_seed))
