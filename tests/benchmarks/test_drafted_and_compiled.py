"""The grown teacher computes what the small one does, and the tables hold what was measured."""

from __future__ import annotations

import sys
from pathlib import Path

import small_models
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # run from the checkout

from benchmarks import compiled, drafted, report  # noqa: E402
from seqkd_lab.corpus.batching import source_batch  # noqa: E402
from seqkd_lab.corpus.vocabulary import BOS  # noqa: E402


def test_a_grown_teacher_has_more_weights_and_the_same_logits() -> None:
    model = small_models.model(small_models.TRANSFORMER, 1)
    larger = drafted.grown(model, layers=5, hidden=40)
    source = source_batch([small_models.SOURCE], model.source_vocabulary)
    tokens = torch.tensor([[BOS, 4, 5]])
    with torch.no_grad():
        of_both = [m.step(tokens, m.start(*source))[0] for m in (model, larger)]
    assert larger.n_parameters() > 2 * model.n_parameters()
    torch.testing.assert_close(*of_both, rtol=0.0, atol=1e-5)


def test_a_line_of_drafting_counts_tokens_a_call_and_seconds() -> None:
    one = {"cpu_s": 4.0, "wall_s": 8.0}
    drafting = {"cpu_s": 2.0, "wall_s": 2.0, "target_calls": 5, "same": 3}
    batch = {"tokens": 40, "sentences": 4, "alone": one, "draft alone": {"cpu_s": 1.0}}
    run = {"n_parameters": 7, "batch 2": {**batch, "K=4": drafting}}
    cells = drafted.line([run], together=2, length=4)
    assert cells == [
        "2", "4", "0.25 (0.25–0.25)", "4.00", "100 (100–100)", "2.00 (2.00–2.00)",
        "4.00 (4.00–4.00)", "3 of 4",
    ]  # fmt: skip


def test_the_table_of_compilation_has_a_reason_where_there_is_no_measurement() -> None:
    results = {
        "compiled/lstm 1x128/update": {"refused": "no compiler"},
        "compiled/lstm 1x128/search": {
            "runs": [{"compile_wall_s": 30.0, "graphs": 2, "plain": [2.0], "compiled": [1.0]}]
        },
    }
    table = compiled.table(results)
    assert "no compiler" in table and "| 2.00 (2.00–2.00) |" in table and "| 30.0 | 2 |" in table


def test_an_import_that_was_not_measured_is_left_out() -> None:
    rows = report.own_aims({"import": {"runs": [{"torch": 2.0, "seqkd_lab": 1.0}]}})
    assert len(rows) == 1 and "import seqkd_lab," in rows[0]
