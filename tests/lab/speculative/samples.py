"""How the tests of all views build those of this subject."""

from __future__ import annotations

from dataclasses import replace

from view_samples import Sample, Small

from seqkd_lab.lab.speculative import view
from seqkd_lab.lab.speculative.view import DraftingStepper


def build(small: Small) -> DraftingStepper:
    """Return a view of the sentences' first words only: a draft of them ends even sooner."""
    beginnings = tuple(source[:n] for n, source in enumerate(small.short, start=1))
    pairs = replace(small.pairs, source=beginnings)
    return DraftingStepper(small.teacher, small.students, pairs)


def carry_seed(stepper: DraftingStepper, other: DraftingStepper) -> None:
    if other.seed != stepper.seed:
        other.seed = stepper.seed
        other.redraw()


SAMPLES = {DraftingStepper: Sample(build, carry=carry_seed, searches=[(view, "trace_speculative")])}
