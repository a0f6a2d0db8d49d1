"""How the tests of all views build those of this subject."""

from __future__ import annotations

from view_samples import Sample, Small

from seqkd_lab.lab.pruning.levels import pruning_levels
from seqkd_lab.lab.pruning.view import PruningExplorer


def build(small: Small) -> PruningExplorer:
    return PruningExplorer(pruning_levels(small.models["seq-kd"], small.table3))


SAMPLES = {PruningExplorer: Sample(build)}
