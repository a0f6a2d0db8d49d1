"""How the tests of all views build those of this subject."""

from __future__ import annotations

import synthetic_near_policy
from view_samples import Sample, Small

from seqkd_lab.lab.near_policy.results import timelines
from seqkd_lab.lab.near_policy.view import TimelineExplorer


def build(small: Small) -> TimelineExplorer:
    return TimelineExplorer(timelines([synthetic_near_policy.clock_round(1)]))


SAMPLES = {TimelineExplorer: Sample(build)}
