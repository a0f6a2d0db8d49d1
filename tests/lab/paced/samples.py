"""How the tests of all views build those of this subject."""

from __future__ import annotations

from view_samples import Sample

from seqkd_lab.lab.paced.view import PacedExplorer

COUNTS = {"early": (8, 0, 0), "late": (4, 0, 4), "end": (0, 1, 7)}
SAMPLES = {PacedExplorer: Sample(lambda small: PacedExplorer(COUNTS))}
