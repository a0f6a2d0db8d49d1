"""How the tests of all views build those of this subject."""

from __future__ import annotations

from view_samples import Sample, Small

from seqkd_lab.lab.pruning import live
from seqkd_lab.lab.pruning.notebook import curves_of
from seqkd_lab.lab.pruning.view import PruningExplorer


def build(small: Small) -> PruningExplorer:
    student = live.LivePruning(small.models["seq-kd"], small.models["baseline"], small.toy.language)
    return PruningExplorer(student, small.short, curves_of(small.table3), 442_399)


SAMPLES = {PruningExplorer: Sample(build, searches=((live, "write"),))}
