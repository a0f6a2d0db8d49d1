"""How the tests of all views build those of this subject."""

from __future__ import annotations

from view_samples import Sample

from seqkd_lab.lab.paper_table.notebook import make_explorer
from seqkd_lab.lab.paper_table.view import TableExplorer
from seqkd_lab.lab.shared.models import table_results

SAMPLES = {TableExplorer: Sample(lambda small: make_explorer(table_results()))}
