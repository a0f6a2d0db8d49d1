"""How the tests of all views build those of this subject."""

from __future__ import annotations

from view_samples import Sample

from seqkd_lab.lab.start_here.view import FrontEndCheck

SAMPLES = {FrontEndCheck: Sample(lambda small: FrontEndCheck())}
