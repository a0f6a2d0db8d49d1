"""How the tests of all views build those of this subject."""

from __future__ import annotations

from view_samples import Sample, Small

from seqkd_lab.lab.language.ambiguity import some_sources, sweep
from seqkd_lab.lab.language.view import StrengthPanel
from seqkd_lab.lab.shared.models import TICKET


def panel(small: Small) -> StrengthPanel:
    return StrengthPanel(sweep(TICKET, some_sources(2), (0.0, 0.5, 1.0)))


SAMPLES = {StrengthPanel: Sample(panel)}
