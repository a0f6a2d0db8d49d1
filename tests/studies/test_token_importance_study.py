"""The token-importance study: its arms, what is planted, what it measures, its claims, and the
checkpoint that a command makes again; and what a selection saves."""

from __future__ import annotations

import os
import random
from dataclasses import replace

import pytest
import torch
from small_corpus import TINY
from synthetic_tip import memory_rows, rows_of

from seqkd_lab import cli
from seqkd_lab.corpus.toy import ToyLanguage
from seqkd_lab.corpus.toy.planted import (
    FAR,
    HABIT,
    KINDS,
    PLANTED_KINDS,
    PLANTED_WORDS,
    Planted,
    find_planted,
)
from seqkd_lab.distillation.tip import ALL, RANDOM, SELECTORS, Selected, importance
from seqkd_lab.files import read_json
from seqkd_lab.runs import committed
from seqkd_lab.runs.recipes import BASELINE, ToyData, table_recipes
from seqkd_lab.runs.results import rows_by_seed
from seqkd_lab.runs.store import Store, identity, key
from seqkd_lab.runs.study import read_study
from seqkd_lab.runs.verdicts import CANNOT_BE_ASKED, HELD
from seqkd_lab.studies import token_memory
from seqkd_lab.studies.token_importance import memory, recipes, study
from seqkd_lab.studies.token_importance.claims import recall, recall_points
from seqkd_lab.studies.token_importance.measures import (
    DrawnBatch,
    drawn_batches,
    kinds_record,
    selection_record,
)
from seqkd_lab.studies.token_importance.outcome import Questions, outcome, questions
from seqkd_lab.studies.token_importance.recipes import PLANTED
from seqkd_lab.studies.token_importance.study import STUDY

LANGUAGE = ToyLanguage()


def pairs(n: int):
    rng = random.Random(1)
    return [LANGUAGE.sample(rng) for _ in range(n)]


def test_arms_differ_in_their_selection_alone():
    arms = recipes.arms(3)
    assert tuple(arms) == recipes.ARMS and len(arms) == len(recipes.TRAINED)
    alike = {replace(recipe, objective=Selected()) for recipe in arms.values()}
    assert len(alike) == 1 and len({key(recipe) for recipe in arms.values()}) == len(arms)


def test_every_selection_has_chance_at_the_same_share_as_its_control():
    shares = {share for selector, share in recipes.TRAINED if selector not in (ALL, RANDOM)}
    assert {(RANDOM, share) for share in shares} <= set(recipes.TRAINED)


def test_what_is_planted_counts_for_identity():
    start, _ = recipes.start_and_teacher(1)
    fewer = replace(start, distilled=Planted(kept=1))
    plain = replace(start, distilled=None)
    assert len({key(recipe) for recipe in (start, fewer, plain)}) == 3
    assert identity(start)["distilled"]["words"][0]["wrong"] == PLANTED_WORDS[0].wrong


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
    record = kinds_record(drawn, LANGUAGE, PLANTED)
    n_tokens = sum(int(batch.importance.real.sum()) for batch in drawn)
    assert set(record) <= set(KINDS) and sum(row["tokens"] for row in record.values()) == n_tokens
    assert all(sum(row["quadrants"]) == row["tokens"] for row in record.values())
    tempted = {kind: questions(1, PLANTED, 40, 400).tempted[kind][:9] for kind in PLANTED_KINDS}
    short = replace(data, test=data.test[:9])
    measured = outcome(student, short, Questions(data.test.source[:60], tempted), PLANTED)
    assert 0.0 <= measured["validity"] <= 1.0
    assert all(measured[f"left, {kind}"] == 0.0 for kind in PLANTED_KINDS)  # it knows no word yet


@pytest.mark.slow
def test_pilot_and_judges_are_asked_other_sources_that_all_tempt():
    pilot, judge = (questions(seed, PLANTED, 300, 3000) for seed in (12, 21))
    assert questions(13, PLANTED, 300, 3000) == pilot and len(judge.fresh) == 300
    everything = [{*asked.fresh, *sum(asked.tempted.values(), ())} for asked in (pilot, judge)]
    assert not everything[0] & everything[1]
    for kind, sources in judge.tempted.items():
        assert len(sources) > 50 and all(PLANTED.causes(kind) & set(s) for s in sources)


def test_what_selectors_find():
    """All of the planted words with ρ = 1, and of random numbers about half with ρ = .5."""
    made = [
        (s, PLANTED.mistaken(s, t))
        for s, t in pairs(600)
        if find_planted(s, PLANTED.mistaken(s, t))
    ][:60]
    sources, outputs = zip(*made, strict=True)
    torch.manual_seed(1)
    real = torch.arange(30) <= torch.tensor([[len(output)] for output in outputs])
    drawn = [DrawnBatch(sources, outputs, importance(*torch.randn(2, len(made), 30, 9), real))]
    n_planted = sum(len(find_planted(s, o)) for s, o in made)
    masks = [drawn[0].planted(PLANTED, kind) for kind in PLANTED_KINDS]
    assert sum(int(mask.sum()) for mask in masks) == n_planted
    record = selection_record(drawn, PLANTED, (0.5, 1.0), 1)
    for selector in SELECTORS:
        assert set(record[selector]["1"].values()) == {1.0}
        assert 0.4 < record[selector]["0.5"]["kept"] <= 0.5
    assert 0.2 < record[RANDOM]["0.5"][FAR] < 0.8


def test_a_seed_without_a_planted_word_has_no_recall_and_no_verdict():
    rows = [rows_of(seed) for seed in (1, 2, 3)]
    rows[1]["selection"]["Q3 only"]["0.1"][HABIT] = None
    assert recall("Q3 only", 0.1, HABIT)(rows[1]) is None
    assert recall_points("Q3 only", RANDOM, 0.1, HABIT)(rows[1]) is None
    judged = {verdict.claim.name for verdict in STUDY.judge(rows)}
    assert len(judged) == len(STUDY.claims) - 1 and f"Q3 only finds, {HABIT}" not in judged
    assert "–" in STUDY.tables(rows)["planted words kept at the start, %"].values


def test_memory_of_the_logits_gradient():
    usual, every, half = (memory.measure_here(600, share) for share in (None, 1.0, 0.5))
    assert usual.logits_gradient == every.logits_gradient == memory.B * memory.T * 600 * 4
    assert half.logits_gradient == every.logits_gradient // 2


@pytest.mark.parametrize("at_half, place", [(0.5, "within"), (0.6, "below"), (0.3, "above")])
def test_the_selections_part_of_what_is_saved(at_half, place):
    rows = memory_rows(at_half)
    parts = token_memory.parts(rows)
    assert parts["two passes"] == pytest.approx(20.0, abs=0.1)
    assert parts["selection 0.5"] == pytest.approx(100 * (1 - at_half), abs=0.1)
    assert parts["both 0.5"] == pytest.approx(100 * (1 - at_half / 1.25), abs=0.1)
    assert f", {place} the 47 to 58%" in token_memory.in_words([rows])
    assert len(token_memory.tables([rows])["memory of one loss and its gradient, MB"]) == len(
        memory.CASES
    )


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
    not_held = {name for name, verdict in judged.items() if verdict.outcome != HELD}
    assert not_held == {f"Q3 only finds, {HABIT}", f"Soft-OR finds, {HABIT}"}
    assert judged["bottom-half"].mean == pytest.approx(-11.0, abs=0.3)
    assert judged[f"unlearnt, {FAR}"].mean == pytest.approx(100.0 * (0.1 - 0.8))
    assert judged["blind"].mean == pytest.approx(-10.0)
    tables = STUDY.tables(rows)
    arms = next(iter(tables.values()))
    assert list(arms.index) == [recipes.START, *recipes.ARMS]
    assert arms.loc[ALL, "valid %"].startswith("55.")


def test_where_all_tokens_teach_nothing_nothing_can_be_asked_about_them():
    rows = [rows_of(seed, gain=0.1) for seed in (1, 2, 3)]
    judged = {verdict.claim.name: verdict for verdict in STUDY.judge(rows)}
    assert judged["soft-or-half"].outcome == judged["q3-bleu"].outcome == CANNOT_BE_ASKED
    assert "all tokens" in judged["soft-or-half"].reason
    assert judged[f"unlearnt, {FAR}"].outcome == HELD  # it has a check of its own


def test_the_command_writes_the_checkpoint_with_what_it_holds(tmp_path, monkeypatch, capsys):
    """With the committed results there, nothing but the planted student is trained."""
    recipe = replace(table_recipes(ToyData(300), TINY, 1)[BASELINE], distilled=Planted(kept=1))
    monkeypatch.setattr(recipes, "start_and_teacher", lambda seed: (recipe, None))
    monkeypatch.setattr(study, "questions", lambda *_: None)
    monkeypatch.setattr(study, "outcome", lambda *_: {"validity": 0.5})
    measured_with = read_json(committed.results_path(STUDY.file))["made_with"]
    monkeypatch.setattr("seqkd_lab.runs.study.versions", lambda: measured_with)
    arguments = ["--store", tmp_path, "study", "run", "tip", "--checkpoints", tmp_path / "made"]
    assert cli.main(list(map(str, arguments))) == 0
    folder = tmp_path / "made" / "planted-student"
    assert f"checkpoint: {folder}" in capsys.readouterr().out
    assert committed.load_committed(folder).spec == recipe.model
    recorded = read_json(folder / "metrics.json")
    assert recorded["recipe"] == identity(recipe) and recorded["metrics"] == {"validity": 0.5}


def test_the_committed_student_is_what_the_recipe_trains_for_the_committed_teacher():
    recorded = read_json(committed.existing_checkpoint("planted-student") / "metrics.json")
    start, teacher = recipes.start_and_teacher(committed.committed_seed())
    assert recorded["recipe"] == identity(start)
    recorded = read_json(committed.existing_checkpoint("teacher") / "metrics.json")
    assert recorded["recipe"] == identity(teacher)


def test_the_committed_results_have_every_arm_with_equal_updates():
    for rows in rows_by_seed(read_study(committed.results_path(STUDY.file), STUDY)):
        assert set(rows["arms"]) == {recipes.START, *recipes.ARMS}
        assert set(rows["selection"]) == set(SELECTORS)
        tokens = [arm["tokens"] for name, arm in rows["arms"].items() if name != recipes.START]
        assert max(tokens) < 1.3 * min(tokens)  # an arm's own outputs decide their length
