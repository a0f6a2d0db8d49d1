"""The near-policy study and its clock: arms, the synchronous loop, what is measured, claims, and
the checkpoint that a command makes again."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest
import small_rollouts as small
import synthetic_near_policy as synthetic
import torch
from small_corpus import TINY

from seqkd_lab import cli
from seqkd_lab.corpus.batching import batches, encode, make_batch
from seqkd_lab.corpus.vocabulary import EOS, PAD
from seqkd_lab.distillation.generation import Event, Rollouts, teacher_top_k
from seqkd_lab.distillation.near_policy import Learning, NearPolicyLoss, learn
from seqkd_lab.distillation.on_policy import OnPolicy
from seqkd_lab.distillation.rollout_sources import Schedule
from seqkd_lab.distillation.top_k import TopK
from seqkd_lab.files import read_json
from seqkd_lab.models.lstm import LSTMSeq2Seq, LSTMSpec
from seqkd_lab.models.transformer import TransformerSeq2Seq, TransformerSpec
from seqkd_lab.optimisation import Optimisation, set_rate
from seqkd_lab.runs import committed
from seqkd_lab.runs.data import load_toy
from seqkd_lab.runs.recipes import BASELINE, ToyData, table_recipes
from seqkd_lab.runs.results import rows_by_seed
from seqkd_lab.runs.store import identity
from seqkd_lab.runs.study import read_study
from seqkd_lab.runs.verdicts import CANNOT_BE_ASKED, HELD, NOT_HELD
from seqkd_lab.studies import near_policy_clock
from seqkd_lab.studies.near_policy import rates, recipes, study
from seqkd_lab.studies.near_policy.measures import (
    N_FILTERED,
    counts_by_delta,
    lag,
    measure_arm,
    measure_delta,
    sampled_validity,
    words_of,
)
from seqkd_lab.studies.near_policy.recipes import (
    ARMS,
    CROSS_ENTROPY,
    EVERY,
    FORWARD,
    LATE,
    RATES,
    REVERSE,
    SAMPLES,
    TEACHER_MODE,
    arm_name,
    warm_start,
)
from seqkd_lab.studies.near_policy.synchronous import SynchronousTrainer
from seqkd_lab.studies.near_policy.ways import LADDER, LOOP, MAIN, NOT_SHARED, SIZES, WAYS, run_way
from seqkd_lab.studies.near_policy_clock import SHOWN, from_lines, to_lines

CLOCK = [synthetic.clock_round(number) for number in range(1, 6)]
SEEDS = [synthetic.seed_rows(seed) for seed in range(1, 6)]


@pytest.fixture(scope="module")
def toy():
    return load_toy(ToyData(300))


@pytest.fixture
def student(toy):
    torch.manual_seed(1)
    spec = TransformerSpec(8, 1, 2, 8, dropout=0.0)
    return TransformerSeq2Seq(spec, toy.source_vocabulary, toy.target_vocabulary).eval()


@pytest.fixture
def teacher(toy):
    torch.manual_seed(2)
    return LSTMSeq2Seq(LSTMSpec(width=8), toy.source_vocabulary, toy.target_vocabulary).eval()


class DrawnAsByTheTrainer:
    """A source of the rollouts that a SynchronousTrainer of this seed would draw."""

    def __init__(self, teacher, batch_size: int, seed: int) -> None:
        self.teacher, self.seed = teacher, seed
        self.batches = (
            batch
            for epoch in range(99)
            for batch in batches(small.ENCODED, batch_size, shuffle_seed=seed * 1_000 + epoch)
        )

    def synchronise(self, update, student) -> None:
        self.student = student

    def take(self, job) -> Rollouts:
        drawn = OnPolicy(1.0)(self.student, next(self.batches), self.seed * 1_000_003 + job.update)
        return Rollouts(drawn, teacher_top_k(self.teacher, drawn, None), torch.ones(len(drawn)) > 0)

    def events(self) -> list[Event]:
        return []


@pytest.mark.slow
def test_the_learner_without_lag_equals_the_trainer():
    """Fed with the same draws, all words of the teacher, no cross-entropy and no packing."""
    optimisation = Optimisation(learning_rate=0.01, batch_size=8, warmup=0.3)
    n_tokens, seed, teacher = 1_500, 3, small.make_teacher()
    learning = Learning(n_tokens, optimisation, NearPolicyLoss(1.0), row_length=None)
    learner, trained = small.make_student(), small.make_student()
    source = DrawnAsByTheTrainer(teacher, 8, seed)
    run = learn(learner, source, Schedule(1, ahead=0), learning)

    trainer = SynchronousTrainer(trained, teacher, small.CORPUS, optimisation, seed)
    taken = trainer.learn(
        n_tokens, lambda done: set_rate(trainer.optimiser, optimisation, done / n_tokens)
    )
    assert (run.n_tokens, run.n_updates) == (taken.n_tokens, taken.n_updates) and run.n_updates > 10
    assert run.loss == pytest.approx(taken.loss, rel=1e-4)
    # Not the weights: where a gradient is 0 but for rounding, Adam makes a whole step of it.
    batch = make_batch(small.ENCODED, range(40))
    with torch.no_grad():
        before, *after = (
            model(batch).log_softmax(dim=2) for model in (small.make_student(), learner, trained)
        )
    assert torch.allclose(*after, atol=1e-4) and not torch.allclose(before, after[0], atol=0.1)


class TestArms:
    @pytest.mark.slow
    def test_arms_learn_from_equal_tokens_and_record_what_they_took(self, student, teacher, toy):
        arms = {arm.name: arm for arm in ARMS}
        sources = encode(toy.train, student.source_vocabulary, student.target_vocabulary)
        fresh, data = toy.test.source[:5], replace(toy, valid=toy.valid[:5])
        for way, loss in ((EVERY[1], FORWARD), (EVERY[16], REVERSE), (TEACHER_MODE, CROSS_ENTROPY)):
            arm, copied = arms[arm_name(LATE, way, loss)], copy.deepcopy(student)
            row = measure_arm(arm, copied, teacher, data, sources, fresh, 1, 1500)
            assert 1500 <= row["tokens"] < 1500 + 32 * 62
            assert row["curve"][0][0] == 0 and row["curve"][-1][0] == row["tokens"]
            assert 0.0 <= row["validity"] <= 100.0 and 0.0 <= row["samples"] <= 100.0
            assert ("lag" in row) != arm.by_teacher
            if way == EVERY[1]:
                assert row["lag"] == 0.0 and row["staleness"] == 0.0

    def test_the_lag_is_the_mean_kl_over_real_tokens(self, student, toy):
        encoded = encode(toy.train, toy.source_vocabulary, toy.target_vocabulary)
        batch, moved = make_batch(encoded, range(6)), copy.deepcopy(student)
        with torch.no_grad():
            for parameter in moved.parameters():
                parameter.mul_(1.5)
            p, q = (model(batch).softmax(2) for model in (student, moved))
            kl = (p * (p / q).log()).sum(2)[batch.target_out != PAD].mean()
        assert lag(student, moved, batch) == pytest.approx(float(kl), rel=1e-4)
        assert lag(student, student, batch) == 0.0

    def test_a_sampled_validity_is_of_one_draw_for_each_source(self, toy, monkeypatch):
        """Where the corpus's own targets are drawn, all are valid."""
        source, drawn = toy.test.source[:4], iter([toy.test.target[:4]])
        module = "seqkd_lab.studies.near_policy.measures"
        monkeypatch.setattr(f"{module}.draw_translations", lambda *_: None)
        monkeypatch.setattr(f"{module}.words_of", lambda *_: next(drawn))
        assert sampled_validity(LSTM(toy), source, 1) == 100.0

    def test_rollouts_are_counted_as_the_verifier_judges_them(self, toy):
        """The corpus's own targets are valid; cut short they are not."""
        encoded = encode(toy.train, toy.source_vocabulary, toy.target_vocabulary)
        batch = make_batch(encoded, range(10))
        short = batch.target_out.clone()
        short[5:, 1], short[5:, 2:] = EOS, PAD
        delta = torch.tensor([-2.0, -0.99, -0.5, 0.01, 0.01, 0.01, 0.02, 0.5, 0.99, 2.0])
        kept = torch.tensor([False, *[True] * 8, False])
        no_words = TopK(None, torch.zeros(0, 1))
        rollouts = Rollouts(replace(batch, target_out=short), no_words, kept, delta)
        record = counts_by_delta(rollouts, toy.train.source, words_of(LSTM(toy), short))
        assert sum(record["valid"]) == 5 and sum(record["wrong"]) == 5
        # what lies outside is counted in the outermost bins
        assert record["valid"][0] == 2 and record["wrong"][-1] == 2
        fates = ("dropped low valid", "dropped high wrong", "kept valid")
        assert [record[fate] for fate in fates] == [1, 1, 4]

    @pytest.mark.slow
    def test_every_rollout_has_one_fate(self, student, teacher, toy):
        sources = encode(toy.train, student.source_vocabulary, student.target_vocabulary)
        record = measure_delta(student, teacher, sources, toy, 1)
        n = min(N_FILTERED, len(toy.train))
        assert sum(record["valid"]) + sum(record["wrong"]) == n
        assert sum(value for name, value in record.items() if " " in name or "kept" in name) == n

    def test_the_search_for_rates_prints_every_trial(self, monkeypatch):
        tried = []
        monkeypatch.setattr(
            rates, "validity", lambda arm, rate, _: tried.append((arm, rate)) or {"validity": 50.0}
        )
        monkeypatch.setattr(rates, "accuracy", lambda *_: {"validity": 40.0})
        monkeypatch.setattr(rates, "fresh_sources", lambda *_: ())
        store = type("NoStore", (), {"model": lambda self, recipe: None})()
        lines = list(rates.trials(store))
        assert len(lines) == 2 + len(tried) == 2 + sum(map(len, rates.RATES_TRIED.values()))
        for (start, kind), grid in rates.RATES_TRIED.items():
            assert RATES[start][kind] in grid


def LSTM(toy) -> LSTMSeq2Seq:
    return LSTMSeq2Seq(LSTMSpec(width=8), toy.source_vocabulary, toy.target_vocabulary)


class TestWays:
    @pytest.mark.slow
    @pytest.mark.parametrize("number", [0, 1, 4, 6])
    def test_every_way_takes_as_many_tokens_and_its_costs_add_up(
        self, student, teacher, toy, number
    ):
        way = LADDER[number]
        run, seconds = run_way(way, 4, copy.deepcopy(student), teacher, toy.train[:60], 600)
        assert 600 <= run.n_tokens < 600 + 4 * 62 and seconds > 0.0
        costs = near_policy_clock.costs(run.events, way.two_processes)
        assert 0.2 * seconds < sum(costs.values()) <= (1 + way.two_processes) * seconds * 1.05

    def test_events_are_kept_to_a_tenth_of_a_millisecond_until_the_last_shown_update(self):
        events = [
            Event("trainer", "train", 12.5, 12.6001, 3),
            Event("generator", "wait", 12.4, 12.7, 95),
            Event("trainer", "train", 12.6, 12.8, SHOWN - 1),
            Event("generator", "score", 12.7, 12.9, SHOWN + 8),
            Event("trainer", "train", 12.8, 12.9, SHOWN),
        ]
        kept = from_lines(to_lines(events))
        assert [event.update for event in kept] == [3, 95, SHOWN - 1, SHOWN + 8]
        first, second = kept[:2]
        assert (first.who, first.what) == ("trainer", "train")
        assert first.start == pytest.approx(0.1) and first.end == pytest.approx(0.2001, abs=1e-4)
        assert (second.start, second.end) == (0.0, pytest.approx(0.3))
        assert near_policy_clock.end_of(kept) == pytest.approx(0.4)


class TestResults:
    def test_the_claims_follow_the_numbers(self):
        verdicts = {verdict.claim.name: verdict.outcome for verdict in study.STUDY.judge(SEEDS)}
        assert len(verdicts) == 13
        assert verdicts["N1"] == NOT_HELD and verdicts["N8"] == HELD and verdicts["N10"] == HELD
        samples = arm_name(LATE, SAMPLES, FORWARD)
        turned = [{**rows, samples: rows[samples] | {"validity": 1.0}} for rows in SEEDS]
        assert study.STUDY.judge(turned)[0].outcome == HELD

    def test_staleness_is_not_asked_of_a_training_that_gains_nothing(self):
        verdicts = {verdict.claim.name: verdict for verdict in study.STUDY.judge(SEEDS)}
        assert verdicts["N6"].outcome == CANNOT_BE_ASKED and "warm start" in verdicts["N6"].reason

    def test_the_factor_is_against_the_faster_loop(self):
        judge = near_policy_clock.STUDY.judge
        verdicts = {verdict.claim.name: verdict for verdict in judge(CLOCK)}
        assert verdicts["C1"].outcome == HELD and verdicts["C1"].mean == pytest.approx(3.5)
        assert verdicts["C2"].outcome == NOT_HELD and verdicts["C5"].outcome == HELD
        faster = copy.deepcopy(CLOCK)
        for rows in faster:
            rows[str(MAIN)][LOOP]["seconds_per_1000"] /= 2.0
        assert judge(faster)[0].mean == pytest.approx(1.75)

    def test_every_size_and_arm_is_in_the_tables(self):
        speeds, split = near_policy_clock.STUDY.tables(CLOCK).values()
        arms, kept = study.STUDY.tables(SEEDS).values()
        assert len(speeds) == sum(len(WAYS[size]) for size in SIZES)
        assert len(split) == len(WAYS[MAIN]) and len(kept) == 6 and NOT_SHARED in split.index
        assert {arm.name for arm in ARMS} <= set(arms.index)


class TestCommitted:
    def test_the_command_writes_the_checkpoint_with_what_it_holds(
        self, tmp_path, monkeypatch, capsys
    ):
        """With the committed results there, nothing but the warm start is trained."""
        recipe = table_recipes(ToyData(300), TINY, 1)[BASELINE]
        monkeypatch.setattr(study, "warm_start", lambda *_: recipe)
        monkeypatch.setattr(study, "accuracy", lambda *_: {"bleu": 1.0})
        measured_with = read_json(committed.results_path(study.STUDY.file))["made_with"]
        monkeypatch.setattr("seqkd_lab.runs.study.versions", lambda: measured_with)
        made = tmp_path / "made"
        arguments = ["--store", tmp_path, "study", "run", "near-policy", "--checkpoints", made]
        assert cli.main(list(map(str, arguments))) == 0
        folder = made / "near-policy" / "warm-start"
        assert f"checkpoint: {folder}" in capsys.readouterr().out
        assert committed.load_committed(folder).spec == recipe.model
        recorded = read_json(folder / "metrics.json")
        assert recorded["recipe"] == identity(recipe) and recorded["metrics"] == {"bleu": 1.0}

    def test_the_committed_student_is_what_the_recipe_trains(self):
        folder = committed.existing_checkpoint("near-policy/warm-start")
        assert read_json(folder / "metrics.json")["recipe"] == identity(warm_start(21))
        assert committed.load_committed(folder).spec == recipes.warm_start(21).model

    def test_all_arms_learned_from_equal_tokens(self):
        for rows in rows_by_seed(read_study(committed.results_path(study.STUDY.file))):
            tokens = [row["tokens"] for row in rows.values() if "tokens" in row]
            assert max(tokens) < 1.01 * min(tokens)  # equal but for the last update


@pytest.mark.parametrize(
    "arguments", [("check", "near-policy"), ("run", "budget")], ids=["check", "without one"]
)
def test_checkpoints_that_cannot_be_written_are_refused(arguments, tmp_path, capsys):
    code = cli.main(["study", *arguments, "--checkpoints", str(tmp_path)])
    assert code == 2 and capsys.readouterr().err and not list(tmp_path.iterdir())
