"""How the tests of all views build those of this subject."""

from __future__ import annotations

from view_samples import Sample, Small

from seqkd_lab.lab.teacher.notebook import pairs_to_show
from seqkd_lab.lab.teacher.view import AttentionView


def build(small: Small) -> AttentionView:
    language, test = small.toy.language, small.toy.test
    pairs = pairs_to_show(small.teacher, language, test, 6)
    return AttentionView(small.teacher, pairs, language)


SAMPLES = {AttentionView: Sample(build)}
