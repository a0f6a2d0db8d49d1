"""How the tests of all views build those of this subject."""

from __future__ import annotations

from view_samples import Sample, Small

from seqkd_lab.lab.on_policy.explorer import exposure_table
from seqkd_lab.lab.on_policy.view import ExposureExplorer


def build(small: Small) -> ExposureExplorer:
    pairs = small.toy.test[:25]
    tables = {
        name: exposure_table(model, small.teacher, pairs, 3)
        for name, model in small.students.items()
    }
    return ExposureExplorer(tables)


SAMPLES = {ExposureExplorer: Sample(build)}
