"""How the tests of all views build those of this subject."""

from __future__ import annotations

from view_samples import Sample, Small

from seqkd_lab.lab.next_word.view import TemperatureExplorer


def build(small: Small) -> TemperatureExplorer:
    toy = small.toy
    return TemperatureExplorer(small.teacher, toy.test, toy.language, small.students, 3)


SAMPLES = {TemperatureExplorer: Sample(build)}
