"""What lesson 14 measures on the spot, how it reads the results, its pictures, and the experiments'
claims."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from statistics import median

import pytest
import synthetic_near_policy as synthetic
import torch

from seqkd_lab.corpus.batching import encode, make_batch
from seqkd_lab.corpus.packing import pack
from seqkd_lab.corpus.vocabulary import EOS, PAD
from seqkd_lab.distillation.generation import Event, Written
from seqkd_lab.distillation.top_k import TopK
from seqkd_lab.lab.near_policy import figures, measures
from seqkd_lab.lab.shared.lesson import png
from seqkd_lab.models.checkpoint import read_json
from seqkd_lab.models.transformer import TransformerSeq2Seq, TransformerSpec
from seqkd_lab.runs.committed import results_path
from seqkd_lab.runs.store import identity
from seqkd_lab.runs.study import by_seed, read_later
from seqkd_lab.runs.verdicts import HELD, NOT_HELD
from seqkd_lab.studies import near_policy_clock
from seqkd_lab.studies.near_policy import study as near_policy_experiment
from seqkd_lab.studies.near_policy.measures import DeltaCounts, measure_arm, measure_synchronous
from seqkd_lab.studies.near_policy.recipes import (
    ARMS,
    EVERY,
    KEPT,
    SYNCHRONOUS,
    TEACHER_MODE,
    TEACHER_SAMPLES,
    warm_start,
)
from seqkd_lab.studies.near_policy_clock import (
    LADDER,
    LOOP,
    MAIN,
    NEAR_POLICY,
    SHOWN,
    SIZES,
    WAYS,
    events_of,
    run_way,
    timeline,
)

CLOCK = [synthetic.clock_round(number) for number in range(1, 6)]
SEEDS = [synthetic.seed_rows(seed) for seed in range(1, 6)]


@pytest.fixture
def student(toy):
    torch.manual_seed(1)
    return TransformerSeq2Seq(
        TransformerSpec(8, 1, 2, 8, dropout=0.0), toy.source_vocabulary, toy.target_vocabulary
    ).eval()


@pytest.fixture
def batch(toy):
    return make_batch(
        encode(toy.train[:20], toy.source_vocabulary, toy.target_vocabulary), range(20)
    )


def vocabularies(model):
    return model.source_vocabulary, model.target_vocabulary


class TestOnTheSpot:
    def test_efficiency_is_the_share_of_real_places(self, batch):
        found = measures.efficiencies(batch, (40, 64))
        assert found["padded"] == batch.n_tokens / batch.target_out.numel()
        assert found["rows of 40"] == batch.n_tokens / (len(pack(batch, 40).target_in) * 40)

    def test_packed_and_padded_loss_agree(self, student, batch):
        together, alone = measures.packed_and_padded(student, batch, 40)
        assert together == pytest.approx(alone, abs=1e-5)

    def test_more_words_see_more_of_the_divergence(self, student, batch, toy_models):
        seen = list(
            measures.seen_of_the_kl(student, toy_models["teacher"], batch, (1, 4, 16)).values()
        )
        assert seen == sorted(seen) and 0.0 < seen[0] and seen[-1] < 1.0 + 1e-4

    @pytest.mark.parametrize("place", [0, 1, 4, 5])
    def test_every_way_takes_as_many_tokens_and_leaves_the_student(
        self, student, toy, toy_models, place
    ):
        way, before = LADDER[place], copy.deepcopy(student.state_dict())
        run, seconds = run_way(
            way, 4, copy.deepcopy(student), toy_models["teacher"], toy.train[:60], 600
        )
        assert 600 <= run.n_tokens < 600 + 4 * 62 and seconds > 0.0
        costs = near_policy_clock.costs(run.events, way.two)
        assert 0.2 * seconds < sum(costs.values()) <= (1 + way.two) * seconds * 1.05
        found = measures.here([way], 4, student, toy_models["teacher"], toy, 200)
        assert set(found) == {way.name} and found[way.name] > 0.0
        assert all(torch.equal(before[name], value) for name, value in student.state_dict().items())


class TestArms:
    def test_arms_learn_from_equal_tokens_and_say_what_they_took(self, student, toy, toy_models):
        small = replace(toy, test=toy.test[:5], valid=toy.valid[:5], train=toy.train[:300])
        arms, sources = {arm.name: arm for arm in ARMS}, encode(small.train, *vocabularies(student))
        for name in (EVERY[4], KEPT, TEACHER_MODE):
            found = measure_arm(
                arms[name], copy.deepcopy(student), toy_models["teacher"], small, sources, 1, 1500
            )
            assert 1500 <= found["tokens"] < 1500 + 32 * 62
            assert found["curve"][0][0] == 0 and found["curve"][-1][0] == found["tokens"]
            assert ("delta" in found) == (name == KEPT)
            if name == KEPT:
                counted = sum(found["delta"]["valid"]) + sum(found["delta"]["wrong"])
                assert 0 < counted <= found["written"] and found["written"] > found["kept"]
        found = measure_synchronous(
            copy.deepcopy(student), toy_models["teacher"], small, 1, n_tokens=1500
        )
        assert 1500 <= found["tokens"] < 1500 + 32 * 62 and found["staleness"] == 0

    def test_samples_are_counted_by_the_verifiers_word(self, toy):
        """The corpus's own targets are valid; cut short they are not."""
        batch = make_batch(
            encode(toy.train, toy.source_vocabulary, toy.target_vocabulary), range(10)
        )
        short = batch.target_out.clone()
        short[5:, 1], short[5:, 2:] = EOS, PAD
        delta = torch.tensor([-2.0, -0.99, -0.5, 0.01, 0.01, 0.01, 0.02, 0.5, 0.99, 2.0])
        kept = torch.tensor([False, *[True] * 8, False])
        nothing = TopK(None, torch.zeros(0, 1))
        counts = DeltaCounts(toy, toy.target_vocabulary)
        counts.add(Written(replace(batch, target_out=short), nothing, kept, delta))
        found = counts.as_dict()
        assert sum(found["valid"]) == 5 and sum(found["wrong"]) == 5
        assert (
            found["valid"][0] == 2 and found["wrong"][-1] == 2
        )  # what lies outside counts for the outermost
        assert (found["dropped low valid"], found["dropped high wrong"], found["kept valid"]) == (
            1,
            1,
            4,
        )


class TestResults:
    def test_the_claims_follow_the_numbers(self):
        verdicts = {
            judged.claim.name: judged.outcome
            for judged in near_policy_experiment.EXPERIMENT.judge(SEEDS)
        }
        assert len(verdicts) == len(near_policy_experiment.CLAIMS) == 11
        assert verdicts["N1"] == HELD and verdicts["N6"] == NOT_HELD and verdicts["N11"] == NOT_HELD
        turned = [
            {**one, TEACHER_SAMPLES: {**one[TEACHER_SAMPLES], "validity": 99.0}} for one in SEEDS
        ]
        assert near_policy_experiment.EXPERIMENT.judge(turned)[0].outcome == NOT_HELD

    def test_the_factor_is_against_the_faster_loop(self):
        verdicts = {
            judged.claim.name: judged for judged in near_policy_clock.EXPERIMENT.judge(CLOCK)
        }
        assert verdicts["C1"].outcome == HELD and verdicts["C1"].mean == pytest.approx(3.5)
        assert verdicts["C2"].outcome == NOT_HELD
        faster = copy.deepcopy(CLOCK)
        for one in faster:
            one[str(MAIN)][LOOP]["seconds_per_1000"] /= 2.0
        assert near_policy_clock.EXPERIMENT.judge(faster)[0].mean == pytest.approx(1.75)

    def test_every_size_and_arm_is_in_the_tables(self):
        (speeds, split), (arms, kept) = (
            list(experiment.tables(rows).values())
            for experiment, rows in (
                (near_policy_clock.EXPERIMENT, CLOCK),
                (near_policy_experiment.EXPERIMENT, SEEDS),
            )
        )
        assert len(speeds) == sum(len(WAYS[size]) for size in SIZES) and len(split) == len(
            WAYS[MAIN]
        )
        assert {arm.name for arm in ARMS} | {SYNCHRONOUS} <= set(arms.index) and len(kept) == 3

    def test_events_are_kept_to_a_tenth_of_a_millisecond(self):
        events = [
            Event("trainer", "train", 12.5, 12.6001, 3),
            Event("generator", "wait", 12.4, 12.7, 95),
            Event("trainer", "train", 12.6, 12.7, SHOWN),
        ]
        kept = events_of(timeline(events))
        assert [(one.who, one.what, one.update) for one in kept] == [
            ("trainer", "train", 3),
            ("generator", "wait", 95),
        ]
        assert [(one.start, one.end) for one in kept] == [
            (pytest.approx(0.1), pytest.approx(0.2001, abs=1e-4)),
            (0.0, pytest.approx(0.3)),
        ]

    def test_steps_multiply_up_to_the_whole(self):
        whole = 1.0
        for step in measures.steps(CLOCK).values():
            whole *= step
        found = measures.factors(CLOCK)
        assert whole == pytest.approx(median(found[LADDER[-1].name]) / median(found[LOOP]))

    def test_shares_of_valid_samples_and_the_best_arm(self):
        assert measures.valid_shares(SEEDS) == {
            "dropped low": 0.5,
            "kept": 0.5,
            "dropped high": 0.5,
        }
        assert measures.best_arm(SEEDS, [EVERY[64], EVERY[4], TEACHER_MODE]) == EVERY[4]
        counts = measures.delta_counts(SEEDS)
        assert (
            counts["valid"][0] == sum(range(1, 6))
            and len(counts["edges"]) == len(counts["valid"]) + 1
        )


class TestFigures:
    def test_packing_shows_every_sentence_once(self, batch):
        packed = pack(batch, 48)
        rows, _, bars = figures.packing_figure(packed, measures.efficiencies(batch, (48,))).axes
        assert sorted(int(text.get_text()) for text in rows.texts) == list(range(20))
        assert f"{packed.efficiency:.0%}" in [text.get_text() for text in bars.texts]

    def test_accuracy_has_every_arm_over_tokens_and_the_timed_ones_over_seconds(self):
        figure = figures.accuracy_figure(SEEDS, CLOCK)
        tokens, seconds = figure.axes
        assert len(tokens.lines) == len(figures.LOOKS)
        assert len(seconds.lines) == len(measures.by_clock(CLOCK)) == len(EVERY) + 1
        every_16 = measures.by_clock(CLOCK)[EVERY[16]]
        ends = [line.get_xdata()[-1] for line in seconds.lines]
        assert any(end == pytest.approx(150.0 * every_16) for end in ends)

    def test_arms_and_delta_and_factor_show_their_numbers(self):
        arms = figures.arms_figure(SEEDS)
        assert {f"{one:.1f}" for one in (60.3, 40.0)} <= {
            text.get_text() for text in arms.axes[0].texts
        }
        delta = figures.delta_figure(SEEDS)
        total = sum(sum(one[KEPT]["delta"]["valid"]) for one in SEEDS)
        assert f"valid: {total:,}" in [
            text.get_text() for text in delta.axes[0].get_legend().get_texts()
        ]
        ladder, _ = figures.factor_figure(CLOCK).axes
        shown = [text.get_text() for text in ladder.texts]
        assert (
            f"{median(measures.factors(CLOCK)[NEAR_POLICY]):.2f}" in shown
            and len(shown) == len(LADDER) + 1
        )
        for figure in (arms, delta, figures.seen_figure({1: 0.5, 8: 0.9})):
            assert png(figure).startswith(b"\x89PNG")


def test_the_committed_student_is_of_the_recipe_that_the_library_would_train():
    recorded = read_json(measures.CHECKPOINT / "metrics.json")
    assert recorded["recipe"] == identity(warm_start(1))
    assert measures.student_before().spec == warm_start(1).model


@pytest.mark.parametrize(
    "experiment", [near_policy_experiment.EXPERIMENT, near_policy_clock.EXPERIMENT]
)
def test_the_committed_results_are_whole_and_of_these_settings(experiment):
    results = read_later(results_path(experiment.file))
    rows = by_seed(results)
    assert (
        results["settings"] == json.loads(json.dumps(dict(experiment.settings))) and len(rows) >= 5
    )
    assert len(experiment.judge(rows)) == len(experiment.claims)
    tokens = [arm["tokens"] for one in rows for arm in one.values() if "tokens" in arm]
    assert not tokens or max(tokens) < 1.01 * min(tokens)  # equal but for the last update
    assert all(len(frame) > 2 for frame in experiment.tables(rows).values())
