"""The speculative-sampling experiment: formulas against simulation, measures against hand counts,
results and verdicts."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
import torch
from small_corpus import ONE_EPOCH, TWO_EPOCHS
from synthetic_speculative import seeds_of
from synthetic_table3 import write_rows

from seqkd_lab.cli import main
from seqkd_lab.decoding.distribution import SamplingDistribution
from seqkd_lab.decoding.search import Hypothesis
from seqkd_lab.distillation.on_policy import Divergence, OnPolicy
from seqkd_lab.files import FileError, read_json, write_json
from seqkd_lab.models.lstm import LSTMSpec
from seqkd_lab.models.transformer import TransformerSpec
from seqkd_lab.runs.presets import TOY
from seqkd_lab.runs.recipes import SEQ_KD, TEACHER, WORD_KD, ToyData
from seqkd_lab.runs.results import rows_by_seed
from seqkd_lab.runs.store import Store
from seqkd_lab.runs.study import measure_seeds
from seqkd_lab.runs.verdicts import HELD, all_held
from seqkd_lab.studies.speculative import results as drafting_results
from seqkd_lab.studies.speculative.clock import OWN, check_cost, cost, measure_clock, measure_steps
from seqkd_lab.studies.speculative.exactness import chi_square, measure_exactness
from seqkd_lab.studies.speculative.recipes import (
    COMPARED,
    DEEP,
    DRAFTING,
    DRAFTS,
    ON_POLICY,
    SAME_ON_GOLD,
    DraftingPreset,
    drafting_recipes,
)
from seqkd_lab.studies.speculative.results import STEPS, DraftingResults, DraftingRun, Extent
from seqkd_lab.studies.speculative.study import STUDY, study_of
from seqkd_lab.studies.speculative.tokens import (
    drawn_pairs,
    expected_calls,
    expected_speed_up,
    expected_tokens,
    measure_acceptance,
    measure_tokens,
    overlaps,
    with_ends,
)

pytestmark = pytest.mark.filterwarnings("ignore:the teacher wrote")
SOURCES = [("ant", "bee", "cat"), ("fox",), ("dog", "eel")] * 4
SMALL = DraftingPreset(
    table=replace(
        TOY,
        teacher=LSTMSpec(8),
        student=LSTMSpec(4),
        teacher_training=TWO_EPOCHS,
        student_training=ONE_EPOCH,
        beam_size=2,
    ),
    deep=TransformerSpec(8, 2, 2, 8, 0.0),
    deep_training=ONE_EPOCH,
    own_training=ONE_EPOCH,
    own_loss=Divergence(0.5, scaled=True),
    n_own=40,
)
LITTLE = Extent(
    n_acceptance=6,
    target_seeds=(21,),
    temperatures=(1.0, 0.0),
    counted_lengths=(1, 3),
    n_sentences=2,
    draft_lengths=(1, 3),
    n_timed=1,
    repetitions=2,
    n_drawn=200,
)


def simulated_calls(alpha: float, draft_length: int, n_tokens: int, rng: random.Random) -> int:
    """Calls of the target for one sentence, word by word."""
    calls, written = 0, 0
    while written < n_tokens:
        calls += 1
        for _ in range(draft_length):
            if rng.random() >= alpha:
                break
            written += 1
        written += 1
    return calls


class TestFormulas:
    def test_the_papers_own_number(self):
        """α = 0.8 and K = 4 give 3.36 tokens per call (Leviathan et al. 2023)."""
        assert (
            expected_tokens(0.8, 4)
            == pytest.approx((1 - 0.8**5) / (1 - 0.8))
            == pytest.approx(3.3616)
        )
        assert expected_tokens(1.0, 4) == 5.0 and expected_tokens(0.0, 4) == 1.0

    def test_a_draft_pays_just_when_it_is_taken_more_often_than_it_costs(self):
        for alpha, c in ((0.3, 0.2), (0.2, 0.3), (0.9, 0.05)):
            assert (expected_speed_up(alpha, 1, c) > 1.0) == (alpha > c)
        assert expected_speed_up(0.5, 3, 0.0) == expected_tokens(0.5, 3)

    @pytest.mark.parametrize(
        ("alpha", "draft_length", "n_tokens"), [(0.8, 4, 13), (0.5, 1, 6), (0.95, 8, 10)]
    )
    def test_calls_of_a_sentence_that_ends_are_those_of_a_simulation(
        self, alpha, draft_length, n_tokens
    ):
        rng, n = random.Random(1), 20_000
        simulated = [simulated_calls(alpha, draft_length, n_tokens, rng) for _ in range(n)]
        assert expected_calls(alpha, draft_length, n_tokens) == pytest.approx(
            sum(simulated) / n, rel=0.02
        )

    def test_ends_cost_and_long_sentences_forget_them(self):
        plain = expected_tokens(0.8, 4)
        assert with_ends(0.8, 4, [13]) < plain
        assert with_ends(0.8, 4, [2_000]) == pytest.approx(plain, rel=2e-3)
        assert with_ends(0.0, 4, [7, 3]) == 1.0


class TestMeasures:
    def test_overlap_is_one_minus_half_the_l1_distance(self, make_model):
        target, draft = make_model(1, sharpness=2.0), make_model(2, sharpness=2.0)
        pairs = drawn_pairs(target, SOURCES, SamplingDistribution(), 1)
        found = overlaps(target, draft, pairs, SamplingDistribution(0.7, top_k=3))
        assert len(found) == sum(len(tokens) + 1 for tokens in pairs.target)
        assert 0.0 <= min(found) and max(found) <= 1.0 + 1e-6
        assert overlaps(target, target, pairs, SamplingDistribution()) == pytest.approx(
            [1.0] * len(found), abs=1e-5
        )
        certain = overlaps(
            target,
            draft,
            drawn_pairs(target, SOURCES, SamplingDistribution(0.0), 1),
            SamplingDistribution(0.0),
        )
        assert set(certain) <= {0.0, 1.0}

    @pytest.mark.slow
    def test_tokens_add_up(self, make_model):
        target = make_model(1, sharpness=2.0)
        drafts = {"same": target, "other": make_model(2, sharpness=2.0)}
        heard = []
        found = measure_tokens(
            target, drafts, SOURCES, (1.0, 0.0), (1, 4), report=lambda *how: heard.append(how)
        )
        assert heard == [(n, 8) for n in range(1, 9)]
        for one in found:
            assert 0 <= one.n_accepted <= one.n_judged
            assert one.n_calls <= one.n_tokens <= one.n_accepted + one.n_calls
            assert 1.0 <= one.with_ends <= expected_tokens(one.alpha, one.draft_length) + 1e-9
            assert one.n_different == (None if one.temperature else 0)
            assert abs(one.z) < 4.0
            if one.draft == "same":
                assert one.n_accepted == one.n_judged and one.alpha == pytest.approx(1.0, abs=1e-5)
            if not one.temperature:
                assert one.n_expected == one.n_accepted and one.z == 0.0

    @pytest.mark.slow
    def test_exactness_tells_the_rules_apart(self, make_model):
        target, drafts = (
            make_model(1, n_target=2, sharpness=2.0),
            {"d": make_model(3, n_target=2, sharpness=2.0)},
        )
        found = measure_exactness(
            target, drafts, SOURCES[0], SamplingDistribution(), 3, (1, 2), n=8_000
        )
        assert [(one.rule, one.seed) for one in found] == [
            ("exact", 1),
            ("exact", 2),
            ("redrawn from q", 1),
            ("redrawn from q", 2),
        ]
        assert all(
            (one.p_value > 1e-3) == (one.rule == "exact") and one.n_classes > 3 for one in found
        )

    def test_chi_square_counts_the_rare_as_one_class(self):
        drawn = (
            [Hypothesis(("a",), 0, 0)] * 70
            + [Hypothesis(("b",), 0, 0)] * 20
            + [Hypothesis(("c",), 0, 0)] * 10
        )
        assert chi_square(drawn, {("a",): 0.7, ("b",): 0.2}) == (pytest.approx(1.0), 3)
        assert chi_square(drawn, {("a",): 0.2, ("b",): 0.7})[0] < 1e-6
        assert chi_square(drawn, {("a",): 0.7, ("b",): 0.2, ("c",): 0.05, ("d",): 0.05})[1] == 3

    def test_the_clock_gives_every_way_in_every_round(self, make_model):
        models = {"target": make_model(1), "draft": make_model(2)}
        before, heard = torch.get_num_threads(), []
        clock = measure_clock(
            models["target"],
            {"draft": models["draft"]},
            SOURCES[:6],
            (1.0, 0.0),
            (1, 2),
            2,
            lambda *how: heard.append(how),
        )
        ways = [(one.draft, one.draft_length) for one in clock if one.temperature == 1.0]
        assert ways == [(OWN, 0), ("draft", 1), ("draft", 2)]
        assert all(
            len(one.seconds_per_token) == 2 and min(one.seconds_per_token) > 0 for one in clock
        )
        assert heard[-1] == (18, 18) and torch.get_num_threads() == before
        heard.clear()
        lengths = {"target": (1, 3), "draft": (1,)}
        steps = measure_steps(models, SOURCES[0], lengths, 2, lambda *how: heard.append(how))
        assert heard[-1] == (9, 9) and len(steps) == 3
        assert cost(steps, "target", "target") == 1.0 and check_cost(steps, "target", 2) > 0

    def test_acceptance_is_the_mean_overlap_along_the_targets_own_words(self, make_model):
        target, draft = make_model(1, sharpness=2.0), make_model(2, sharpness=2.0)
        found = measure_acceptance(target, {"d": draft, "same": target}, SOURCES, (1.0, 0.0), 3)
        assert [(one.draft, one.temperature) for one in found] == [
            ("d", 1.0),
            ("same", 1.0),
            ("d", 0.0),
            ("same", 0.0),
        ]
        pairs = drawn_pairs(target, SOURCES, SamplingDistribution(), 3)
        places = overlaps(target, draft, pairs, SamplingDistribution())
        assert found[0].alpha == pytest.approx(sum(places) / len(places))
        assert found[0].n_places == found[1].n_places == len(places)
        assert found[1].alpha == pytest.approx(1.0, abs=1e-5)


class TestRecipes:
    def test_drafts_are_table_1s_students(self):
        recipes = drafting_recipes(ToyData(), DRAFTING, 23)
        teacher = recipes[TEACHER]
        assert recipes[WORD_KD].teacher == recipes[SEQ_KD].distilled.teacher == teacher
        assert recipes[DEEP].teacher is None and set(recipes) == {TEACHER, DEEP, *COMPARED}
        assert {recipe.seed for recipe in recipes.values()} == {23}
        assert {recipes[name].model for name in COMPARED} == {TOY.student}

    def test_the_control_differs_in_nothing_but_whose_words_it_learns_along(self):
        recipes = drafting_recipes(ToyData(), DRAFTING, 23)
        own, control = recipes[ON_POLICY], recipes[SAME_ON_GOLD]
        assert own.batch_transform == OnPolicy() and control.batch_transform is None
        assert replace(own, batch_transform=None) == control

    def test_only_some_seeds_train_a_deep_target(self):
        run = DraftingRun(ToyData(), DRAFTING, Extent())
        names = [{task.recipe.name for task in run.tasks(seed)} for seed in (21, 24)]
        assert names[0] - names[1] == {DEEP} and names[1] == {TEACHER, *COMPARED}

    def test_a_pilot_has_other_sources_than_the_judged_seeds(self):
        run = DraftingRun(ToyData(), DRAFTING, LITTLE)
        assert not set(run.sources(11)) & set(run.sources(21))
        assert run.sources(21) == run.sources(22)


def measured(study, store, path, seeds=(21, 22)) -> list[DraftingResults]:
    """The results of a study after it was measured as far as the file lacks them."""
    results = measure_seeds(study, seeds, store, path, lambda seed: lambda *now: None)
    return [DraftingResults.of_rows(rows) for rows in rows_by_seed(results)]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A small experiment, whole: its study, store, results file and results."""
    folder = tmp_path_factory.mktemp("drafting")
    study, store = study_of(DraftingRun(ToyData(60), SMALL, LITTLE)), Store(folder / "store")
    results = measured(study, store, folder / "speculative.json")
    return study, store, folder / "speculative.json", results


@pytest.mark.slow
class TestResults:
    def test_every_part_is_there_and_can_be_shown(self, made):
        study, _, _, (first, second) = made
        assert len(first.tokens) == 2 * len(DRAFTS) * 2 and not second.tokens
        assert len(first.exactness) == 2 * 2
        assert {step.model for step in first.steps} == {TEACHER, DEEP, *DRAFTS}
        assert {each.draft for each in second.acceptance} == set(COMPARED)
        rows = [first.as_rows(), second.as_rows()]
        tables = study.tables(rows)
        shown = "\n".join(f"{name}\n{frame.to_string()}" for name, frame in tables.items())
        assert all(draft in shown for draft in COMPARED) and "[" in shown
        assert len(tables) == 1 + 2 * 3 + 1 + 1
        assert "K=3" in study.in_words(rows)

    def test_rows_give_the_results_back(self, made):
        for one in made[3]:
            assert DraftingResults.of_rows(one.as_rows()) == one

    def test_a_part_that_is_there_is_not_measured_again(self, made, monkeypatch):
        study, store, path, results = made
        before = path.read_bytes()
        parts = read_json(path)
        rows = {name: row for name, row in parts.pop("by_seed")["21"].items() if name != STEPS}
        write_json(path, {**parts, "by_seed": {}, "unfinished": {"21": rows}})
        monkeypatch.setattr(drafting_results, "measure_clock", None)
        monkeypatch.setattr(drafting_results, "measure_tokens", None)
        (again,) = measured(study, store, path, (21,))
        assert len(again.steps) > 0 and again.tokens == results[0].tokens
        path.write_bytes(before)

    def test_another_extent_is_not_continued(self, made):
        study, store, path, _ = made
        other = study_of(DraftingRun(study.data, SMALL, replace(LITTLE, n_sentences=3)))
        with pytest.raises(FileError, match="n_sentences was 2, now it is 3"):
            measured(other, store, path)

    @pytest.mark.parametrize("content", ["", "[]", "{}", '{"models": {}, "exactness": []}'])
    def test_what_is_no_result_is_refused(self, tmp_path, content, capsys):
        path = tmp_path / "wrong.json"
        path.write_text(content, encoding="utf-8")
        assert main(["speculative", "--check", "--results", str(path)]) == 2
        assert "wrong.json" in capsys.readouterr().err


def times(results: DraftingResults, factor: float) -> DraftingResults:
    """`results` in which every draft is so many times as fast as the target alone."""
    clock = tuple(
        replace(time, seconds_per_token=[0.6 if time.draft == OWN else 0.6 / factor] * 4)
        for time in results.clock
    )
    return replace(results, clock=clock)


class TestVerdict:
    def test_without_a_deep_target_only_the_drafts_are_judged(self):
        rows = [one.as_rows() for one in seeds_of(4, 0)]
        assert [verdict.claim.name for verdict in STUDY.judge(rows)] == ["S1", "S2", "S3"]

    def test_the_exit_code_is_the_verdict(self, capsys, tmp_path):
        good = seeds_of()
        rows = [one.as_rows() for one in good]
        verdicts = STUDY.judge(rows)
        assert all_held(verdicts) and len(verdicts) == 10
        first, rest = good[0], good[1:]
        tests, tokens = first.exactness, first.tokens
        accepted = replace(tokens[0], n_accepted=90, n_expected=50.0, variance=25.0)
        calls = tuple(replace(one, n_calls=2 * one.n_calls) for one in tokens)
        swapped = tuple(replace(one, alpha=1.0 - one.alpha) for one in first.acceptance)
        wrong = {
            "S4": replace(first, exactness=(replace(tests[0], p_value=1e-6), *tests[1:])),
            "S5": replace(first, exactness=(*tests[:-1], replace(tests[-1], p_value=0.4))),
            "S6": replace(first, tokens=(accepted, *tokens[1:])),
            "S7": replace(first, tokens=(*tokens[:-1], replace(tokens[-1], n_different=1))),
            "S8": replace(first, tokens=calls),
            "S9": times(first, 1.1),
            "S1": replace(first, acceptance=swapped),
        }
        for name, results in wrong.items():
            changed = [results.as_rows(), *(one.as_rows() for one in rest)]
            missed = [v.claim.name for v in STUDY.judge(changed) if v.outcome != HELD]
            assert missed[0] == name
            path = write_rows(tmp_path / f"{name}.json", STUDY, changed)
            assert main(["speculative", "--check", "--results", str(path)]) == 1
        assert "UNDECIDED" in capsys.readouterr().out
