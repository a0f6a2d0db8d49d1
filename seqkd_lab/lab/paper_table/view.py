"""The table explorer: pick two rows and a measure, or a claim of the paper, and see seeds, interval
and verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import ipywidgets as widgets

from seqkd_lab.lab.paper_table.comparison import (
    MEASURES,
    Comparison,
    ComparisonDrawing,
    claims_of,
    compare,
    measured,
)
from seqkd_lab.lab.shared.view import STYLE, WIDE, View, shortened, table, unheard
from seqkd_lab.runs.recipes import BASELINE, SEQ_KD
from seqkd_lab.runs.verdicts import Claim, Rows, number

BY_HAND = "none: the rows and the measure above"


class TableExplorer(View):
    """Two rows of Table 1 seed by seed, and the 95% interval of their difference, or of a claim's
    quantity.

    Controls: `row`, `other`, `measure`; `claim`, a claim of `findings.CLAIMS` or BY_HAND. A claim
    sets rows and measure to what it is about; a change of these by hand takes the claim back.
    `by_seed` holds the rows of Table 1 by seed, as its results do. Raises ValueError without any
    seed.
    """

    order = ("claim", "row", "other", "measure")

    def __init__(self, by_seed: Mapping[str, Rows]) -> None:
        if not by_seed:
            raise ValueError("the view needs the results of one seed at least")
        self._seeds, self._by_seed = list(by_seed), list(by_seed.values())
        names = list(self._by_seed[0])
        self._claims = {f"{claim.name}: {claim.ours}": claim for claim in claims_of(self._by_seed)}
        labels = [(BY_HAND, BY_HAND), *((shortened(label), label) for label in self._claims)]
        self._drawing = ComparisonDrawing()
        controls = {
            "row": _chooser("row", names, SEQ_KD),
            "other": _chooser("minus row", names, BASELINE),
            "measure": _chooser("measure", measured(self._by_seed), "BLEU, greedy"),
            "claim": widgets.Dropdown(
                options=labels, value=BY_HAND, description="claim", style=STYLE, layout=WIDE
            ),
        }
        super().__init__(controls, self._drawing.picture)
        self.redraw()

    def redraw(self, event: Any = None) -> None:
        """Draw; before that, let a chosen claim set rows and measure, and let these take the claim
        back where they are changed by hand."""
        changed = None if event is None else event["owner"]
        if changed is self.claim:
            self._follow_claim()
        elif changed is not None:
            self._set(self.claim, BY_HAND)
        super().redraw(event)

    def stations(self, name: str, also: Sequence[Any] = ()) -> list[Any]:
        """Return the values of a control; rows and measure stay where a claim has set them."""
        is_set = self.claim.value != BY_HAND and name != "claim"
        return [self.named[name].value] if is_set else super().stations(name, also)

    def _follow_claim(self) -> None:
        """Set rows and measure to what the chosen claim is about."""
        claim = self._claims.get(self.claim.value)
        if claim is None:
            return
        measures = self.measure.options
        self._set(self.row, claim.needs[0])
        self._set(self.other, self._other_of(claim))
        self._set(self.measure, claim.measure if claim.measure in measures else measures[0])

    def _set(self, control: widgets.Dropdown, value: str) -> None:
        with unheard(control, self.redraw):
            control.value = value

    def _other_of(self, claim: Claim) -> str:
        """Return the row to set beside the claim's first: its second, or what the first is a
        variant of."""
        first, stem = claim.needs[0], claim.needs[0].split("+")[0]
        candidates = (*claim.needs[1:], stem, BASELINE, SEQ_KD)
        return next(
            (name for name in candidates if name != first and name in self.other.options), first
        )

    @property
    def data(self) -> Comparison:
        """Return the comparison that is shown."""
        return compare(
            self._by_seed,
            self.row.value,
            self.other.value,
            MEASURES[self.measure.value],
            self._claims.get(self.claim.value),
        )

    def draw(self) -> str:
        """Draw what the controls say, and return the verdict and each seed's values."""
        comparison = self.data
        self._drawing.show(comparison)
        head = ("seed", comparison.other, comparison.row, "judged")
        columns = zip(comparison.others, comparison.values, comparison.verdict.values, strict=True)
        rows = [
            (seed, *map(number, values)) for seed, values in zip(self._seeds, columns, strict=True)
        ]
        return f"<b>{escape(comparison.sentence)}</b>{table(head, rows)}"


def _chooser(description: str, options: Sequence[str], wanted: str) -> widgets.Dropdown:
    """Return a list of `options` that begins at `wanted`, where it is there."""
    value = wanted if wanted in options else options[0]
    return widgets.Dropdown(
        options=list(options), value=value, description=description, style=STYLE, layout=WIDE
    )
