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
from seqkd_lab.distillation.near_policy import Learning, learn
from seqkd_lab.distillation.on_policy import OnPolicy
from seqkd_lab.distillation.rollout_sources import Schedule
from seqkd_lab.distillation.top_k import TopK
from seqkd_lab.models.checkpoint import read_json
from seqkd_lab.models.lstm import LSTMSeq2Seq, LSTMSpec
from seqkd_lab.models.transformer import TransformerSeq2Seq, TransformerSpec
from seqkd_lab.optimisation import Optimisation, set_rate
from seqkd_lab.runs import committed
from seqkd_lab.runs.data import load_toy
from seqkd_lab.runs.recipes import BASELINE, ToyData, table_recipes
from seqkd_lab.runs.results import rows_by_seed
from seqkd_lab.runs.store import identity
from seqkd_lab.runs.study import read_study
from seqkd_lab.runs.verdicts import HELD, NOT_HELD
from seqkd_lab.studies import near_policy_clock
from seqkd_lab.studies.near_policy import rates, recipes, study
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
from seqkd_lab.studies.near_policy.synchronous import SynchronousTrainer
from seqkd_lab.studies.near_policy.ways import LADDER, LOOP, MAIN, SIZES, WAYS, run_way
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
    learning = Learning(n_tokens, optimisation, alpha=1.0, row_length=None)
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
        small_data = replace(toy, test=toy.test[:5], valid=toy.valid[:5], train=toy.train[:300])
        arms = {arm.name: arm for arm in ARMS}
        sources = encode(small_data.train, student.source_vocabulary, student.target_vocabulary)
        for name in (EVERY[4], KEPT, TEACHER_MODE):
            row = measure_arm(
                arms[name], copy.deepcopy(student), teacher, small_data, sources, 1, 1500
            )
            assert 1500 <= row["tokens"] < 1500 + 32 * 62
            assert row["curve"][0][0] == 0 and row["curve"][-1][0] == row["tokens"]
            assert ("delta" in row) == (name == KEPT)
            if name == KEPT:
                counted = sum(row["delta"]["valid"]) + sum(row["delta"]["wrong"])
                assert 0 < counted <= row["written"] and row["written"] > row["kept"]
        row = measure_synchronous(copy.deepcopy(student), teacher, small_data, 1, n_tokens=1500)
        assert 1500 <= row["tokens"] < 1500 + 32 * 62 and row["staleness"] == 0

    def test_rollouts_are_counted_as_the_verifier_judges_them(self, toy):
        """The corpus's own targets are valid; cut short they are not."""
        encoded = encode(toy.train, toy.source_vocabulary, toy.target_vocabulary)
        batch = make_batch(encoded, range(10))
        short = batch.target_out.clone()
        short[5:, 1], short[5:, 2:] = EOS, PAD
        delta = torch.tensor([-2.0, -0.99, -0.5, 0.01, 0.01, 0.01, 0.02, 0.5, 0.99, 2.0])
        kept = torch.tensor([False, *[True] * 8, False])
        counts = DeltaCounts(toy, toy.target_vocabulary)
        no_words = TopK(None, torch.zeros(0, 1))
        counts.add(Rollouts(replace(batch, target_out=short), no_words, kept, delta))
        record = counts.as_dict()
        assert sum(record["valid"]) == 5 and sum(record["wrong"]) == 5
        # what lies outside is counted in the outermost bins
        assert record["valid"][0] == 2 and record["wrong"][-1] == 2
        fates = ("dropped low valid", "dropped high wrong", "kept valid")
        assert [record[fate] for fate in fates] == [1, 1, 4]

    def test_the_search_for_rates_prints_every_trial(self, monkeypatch):
        tried = []
        monkeypatch.setattr(
            rates, "validity", lambda arm, rate, *_: tried.append((arm, rate)) or 50.0
        )
        lines = list(rates.trials(store=None))
        assert len(lines) == len(tried) == 4 * len(rates.RATES_TRIED) + len(rates.ALPHAS_TRIED)
        assert "on-policy: rate 0.01: 50.0" in lines and "α 0.9: 50.0" in lines[-2]


class TestWays:
    @pytest.mark.slow
    @pytest.mark.parametrize("number", [0, 1, 4, 5])
    def test_every_way_takes_as_many_tokens_and_its_costs_add_up(
        self, student, teacher, toy, number
    ):
        way = LADDER[number]
        run, seconds = run_way(way, 4, copy.deepcopy(student), teacher, toy.train[:60], 600)
        assert 600 <= run.n_tokens < 600 + 4 * 62 and seconds > 0.0
        costs = near_policy_clock.costs(run.events, way.two_processes)
        assert 0.2 * seconds < sum(costs.values()) <= (1 + way.two_processes) * seconds * 1.05

    def test_events_are_kept_to_a_tenth_of_a_millisecond(self):
        events = [
            Event("trainer", "train", 12.5, 12.6001, 3),
            Event("generator", "wait", 12.4, 12.7, 95),
            Event("trainer", "train", 12.6, 12.7, SHOWN),
        ]
        first, second = from_lines(to_lines(events))
        assert (first.who, first.what, first.update) == ("trainer", "train", 3)
        assert (second.who, second.what, second.update) == ("generator", "wait", 95)
        assert first.start == pytest.approx(0.1) and first.end == pytest.approx(0.2001, abs=1e-4)
        assert (second.start, second.end) == (0.0, pytest.approx(0.3))


class TestResults:
    def test_the_claims_follow_the_numbers(self):
        verdicts = {verdict.claim.name: verdict.outcome for verdict in study.STUDY.judge(SEEDS)}
        assert len(verdicts) == 11
        assert verdicts["N1"] == HELD and verdicts["N6"] == NOT_HELD and verdicts["N11"] == NOT_HELD
        better = {"validity": 99.0}
        turned = [{**rows, TEACHER_SAMPLES: rows[TEACHER_SAMPLES] | better} for rows in SEEDS]
        assert study.STUDY.judge(turned)[0].outcome == NOT_HELD

    def test_the_factor_is_against_the_faster_loop(self):
        judge = near_policy_clock.STUDY.judge
        verdicts = {verdict.claim.name: verdict for verdict in judge(CLOCK)}
        assert verdicts["C1"].outcome == HELD and verdicts["C1"].mean == pytest.approx(3.5)
        assert verdicts["C2"].outcome == NOT_HELD
        faster = copy.deepcopy(CLOCK)
        for rows in faster:
            rows[str(MAIN)][LOOP]["seconds_per_1000"] /= 2.0
        assert judge(faster)[0].mean == pytest.approx(1.75)

    def test_every_size_and_arm_is_in_the_tables(self):
        speeds, split = near_policy_clock.STUDY.tables(CLOCK).values()
        arms, kept = study.STUDY.tables(SEEDS).values()
        assert len(speeds) == sum(len(WAYS[size]) for size in SIZES)
        assert len(split) == len(WAYS[MAIN]) and len(kept) == 3
        assert {arm.name for arm in ARMS} | {SYNCHRONOUS} <= set(arms.index)


class TestCommitted:
    def test_the_command_writes_the_checkpoint_with_what_it_holds(
        self, tmp_path, monkeypatch, capsys
    ):
        """With the committed results there, nothing but the warm start is trained."""
        recipe = table_recipes(ToyData(300), TINY, 1)[BASELINE]
        monkeypatch.setattr(study, "warm_start", lambda seed: recipe)
        monkeypatch.setattr(study, "accuracy", lambda *_: {"bleu": 1.0})
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
        assert read_json(folder / "metrics.json")["recipe"] == identity(warm_start(1))
        assert committed.load_committed(folder).spec == recipes.warm_start(1).model

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
