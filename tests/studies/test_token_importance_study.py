"""The token-importance study: its arms, what is planted, what it measures, its claims, and the
checkpoint that a command makes again."""

from __future__ import annotations

import os
import random
from dataclasses import replace

import pytest
import torch
from small_corpus import TINY
from synthetic_tip import rows_of

from seqkd_lab import cli
from seqkd_lab.corpus.toy import ToyLanguage
from seqkd_lab.corpus.toy.planted import MISTAKES, Planted, find_mistakes
from seqkd_lab.distillation.tip import ALL, RANDOM, SELECTORS, Selected, importance
from seqkd_lab.models.checkpoint import read_json
from seqkd_lab.runs import committed
from seqkd_lab.runs.recipes import BASELINE, ToyData, table_recipes
from seqkd_lab.runs.results import rows_by_seed
from seqkd_lab.runs.store import Store, identity, key
from seqkd_lab.runs.study import read_study
from seqkd_lab.runs.verdicts import HELD
from seqkd_lab.studies.token_importance import memory, recipes, study
from seqkd_lab.studies.token_importance.measures import (
    DrawnBatch,
    drawn_batches,
    outcome,
    selection_record,
)
from seqkd_lab.studies.token_importance.recipes import PLANTED
from seqkd_lab.studies.token_importance.study import STUDY

LANGUAGE = ToyLanguage()


def pairs(n: int):
    rng = random.Random(1)
    return [LANGUAGE.sample(rng) for _ in range(n)]


def test_arms_differ_in_their_selection_alone():
    arms = recipes.arms(3)
    assert tuple(arms) == recipes.ARMS and len(arms) == 19
    alike = {replace(recipe, objective=Selected()) for recipe in arms.values()}
    assert len(alike) == 1 and len({recipe.objective for recipe in arms.values()}) == 19
    assert len({key(recipe) for recipe in arms.values()}) == 19


def test_what_is_planted_counts_for_identity():
    start, _ = recipes.start_and_teacher(1)
    fewer = replace(start, distilled=Planted(kept=1))
    plain = replace(start, distilled=None)
    assert len({key(recipe) for recipe in (start, fewer, plain)}) == 3
    assert identity(start)["distilled"]["mistakes"][0]["wrong"] == MISTAKES[0].wrong


def test_the_store_trains_on_the_planted_corpus(tmp_path):
    store = Store(tmp_path)
    recipe = replace(table_recipes(ToyData(300), TINY, 1)[BASELINE], distilled=Planted(kept=0))
    corpus = store.corpus(recipe)
    assert 0 < len(corpus) < 300 and not any(
        set(PLANTED.rare) & set(source) for source in corpus.source
    )
    assert store.model(recipe).n_parameters() > 0 and store.has_model(recipe)


@pytest.mark.slow
def test_tokens_of_a_small_student(tmp_path):
    store, rows = Store(tmp_path), table_recipes(ToyData(300), TINY, 1)
    student, teacher = store.model(rows[BASELINE]), store.model(replace(rows[BASELINE], seed=2))
    data = store.dataset(ToyData(300))
    drawn, again = (list(drawn_batches(student, teacher, data.train[:20], 8, 1)) for _ in range(2))
    assert sum(len(d.sources) for d in drawn) == 20
    assert all(
        len(output) + 1 == int(real.sum())
        for d in drawn
        for output, real in zip(d.outputs, d.importance.real, strict=True)
    )
    assert all(
        torch.equal(a.importance.delta, b.importance.delta)
        for a, b in zip(drawn, again, strict=True)
    )
    measured = outcome(student, data, data.test[:60], PLANTED)
    assert (
        0.0 <= measured["validity"] <= 1.0 and measured["mistakes"] == 0.0
    )  # it does not know the words yet


def test_what_selectors_find():
    """The whole of the made mistakes with ρ = 1, and of random numbers about half with ρ =
    .5."""
    made = [
        (s, PLANTED.mistaken(s, t))
        for s, t in pairs(600)
        if find_mistakes(s, PLANTED.mistaken(s, t))
    ][:40]
    sources, outputs = zip(*made, strict=True)
    torch.manual_seed(1)
    real = torch.arange(30) <= torch.tensor([[len(output)] for output in outputs])
    drawn = [DrawnBatch(sources, outputs, importance(*torch.randn(2, len(made), 30, 9), real))]
    n_mistakes = sum(len(find_mistakes(s, o)) for s, o in made)
    assert len(made) == 40 and int(drawn[0].mistakes(PLANTED).sum()) == n_mistakes
    record = selection_record(drawn, PLANTED, (0.5, 1.0), 1)
    for selector in SELECTORS:
        assert record[selector]["1"] == {"recall": 1.0, "kept": 1.0}
        assert 0.4 < record[selector]["0.5"]["kept"] <= 0.5
    assert 0.2 < record[RANDOM]["0.5"]["recall"] < 0.8


def test_memory_of_the_logits_gradient():
    every, half = (memory.measure_here(600, share) for share in (None, 0.5))
    assert every.logits_gradient == memory.B * memory.T * 600 * 4
    assert half.logits_gradient == every.logits_gradient // 2


def test_the_environment_is_left_as_it_was(monkeypatch):
    for before in (None, "77"):
        monkeypatch.delenv(memory.THRESHOLD, raising=False)
        if before is not None:
            monkeypatch.setenv(memory.THRESHOLD, before)
        with memory.freed_memory_returned():
            assert os.environ[memory.THRESHOLD] == str(memory.LEAST_RETURNED)
        assert os.environ.get(memory.THRESHOLD) == before


def test_claims_and_tables_of_made_up_results():
    rows = [rows_of(seed) for seed in (1, 2, 3)]
    judged = {verdict.claim.name: verdict for verdict in STUDY.judge(rows)}
    assert len(judged) == len(STUDY.claims)
    for name in (
        "soft-or-half",
        "bottom-half",
        "finds-q3",
        "finds-soft-or",
        "blind",
        "unlearnt",
        "memory-half",
    ):
        assert judged[name].outcome == HELD, name
    assert judged["bottom-half"].mean == pytest.approx(-15.0)
    assert judged["unlearnt"].mean == pytest.approx(100.0 * (0.5 - 0.1))
    tables = STUDY.tables(rows)
    arms = next(iter(tables.values()))
    assert (
        list(arms.index) == [recipes.START, *recipes.ARMS] and "60.2 ± " in arms.loc[ALL, "valid %"]
    )


def test_the_command_writes_the_checkpoint_with_what_it_holds(tmp_path, monkeypatch, capsys):
    """With the committed results there, nothing but the planted student is trained."""
    recipe = replace(table_recipes(ToyData(300), TINY, 1)[BASELINE], distilled=Planted(kept=1))
    monkeypatch.setattr(recipes, "start_and_teacher", lambda seed: (recipe, None))
    monkeypatch.setattr(study, "outcome", lambda *_: {"validity": 0.5})
    arguments = ["--store", tmp_path, "study", "run", "tip", "--checkpoints", tmp_path / "made"]
    assert cli.main(list(map(str, arguments))) == 0
    folder = tmp_path / "made" / "planted-student"
    assert f"checkpoint: {folder}" in capsys.readouterr().out
    assert committed.load_committed(folder).spec == recipe.model
    recorded = read_json(folder / "metrics.json")
    assert recorded["recipe"] == identity(recipe) and recorded["metrics"] == {"validity": 0.5}


def test_the_committed_student_is_what_the_recipe_trains():
    recorded = read_json(committed.existing_checkpoint("planted-student") / "metrics.json")
    assert recorded["recipe"] == identity(recipes.start_and_teacher(1)[0])


def test_the_committed_results_have_every_arm_with_equal_updates():
    for rows in rows_by_seed(read_study(committed.results_path(STUDY.file), STUDY)):
        assert set(rows["arms"]) == {recipes.START, *recipes.ARMS}
        assert set(rows["selection"]) == set(SELECTORS)
        assert len(rows["memory"]) == len(memory.CASES)
        tokens = [arm["tokens"] for name, arm in rows["arms"].items() if name != recipes.START]
        assert max(tokens) < 1.3 * min(tokens)  # an arm's own outputs decide their length
