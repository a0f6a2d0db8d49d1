"""How the tests of all views build those of this subject."""

from __future__ import annotations

from synthetic_importance import batch_of
from view_samples import Sample

from seqkd_lab.lab.token_importance.view import TokenExplorer

SAMPLES = {TokenExplorer: Sample(lambda small: TokenExplorer(batch_of(12, 20, 7, 40)))}
