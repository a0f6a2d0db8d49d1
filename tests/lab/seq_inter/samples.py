"""How the tests of all views build those of this subject."""

from __future__ import annotations

from view_samples import Sample, Small

from seqkd_lab.lab.seq_inter.choice import read_candidates
from seqkd_lab.lab.seq_inter.views import ChoiceExplorer


def build(small: Small) -> ChoiceExplorer:
    candidates = read_candidates(small.teacher, small.toy.train[:6], K=6)
    return ChoiceExplorer(candidates[1:], first=candidates[:1])


SAMPLES = {ChoiceExplorer: Sample(build)}
