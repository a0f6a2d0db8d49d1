"""The training loop: what it minimises, when it stops, and that an interruption leaves no mark."""

from __future__ import annotations

import json
import math
import random

import pytest
import torch
from sacrebleu.metrics import BLEU

from seqkd_lab.corpus.batching import encode, make_batch
from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.decoding.scoring import corpus_log_probs
from seqkd_lab.decoding.search import search
from seqkd_lab.distillation.losses import NLL, WordKD
from seqkd_lab.finite import DivergenceError
from seqkd_lab.identity import settings
from seqkd_lab.models.lstm import LSTMSeq2Seq, LSTMSpec
from seqkd_lab.models.transformer import TransformerSeq2Seq, TransformerSpec
from seqkd_lab.optimisation import Optimisation, one_cycle, training_step
from seqkd_lab.trainer import Trainer
from seqkd_lab.training import train
from seqkd_lab.validation import ValidationBLEU, validation_loss

PAIRS = [
    (source, tuple(reversed(source)))
    for source in (
        tuple(random.Random(i).choices(["ant", "bee", "cat", "dog"], k=1 + i % 5))
        for i in range(20)
    )
]
CORPUS = ParallelCorpus("n", "train", "l", *map(tuple, zip(*PAIRS, strict=True)))
VALID = CORPUS[:6]
DROPOUT = LSTMSpec(width=8, dropout=0.2)
SHORT = Optimisation(epochs=4, learning_rate=0.02, batch_size=6)  # 4 updates an epoch


def fresh(make_model, seed=0, spec=DROPOUT):
    return make_model(seed, spec=spec, sharpness=1.0)


def same_weights(model, other) -> bool:
    own, others = model.state_dict(), other.state_dict()
    return all(torch.equal(own[name], others[name]) for name in own)


def interrupt_at(update: int):
    def callback(progress):
        if progress.update == update:
            raise KeyboardInterrupt

    return callback


class TestResume:
    @pytest.mark.parametrize("objective", [NLL(), WordKD(0.5)])
    @pytest.mark.parametrize("update", [1, 6, 8, 15, 16])  # 8 and 16 are the last of an epoch
    def test_an_interrupted_run_ends_as_if_nothing_had_been(
        self, make_model, tmp_path, update, objective
    ):
        teacher = fresh(make_model, 99)
        arguments = (CORPUS, VALID, objective, SHORT, 5, teacher)
        whole, broken, resumed = (fresh(make_model, seed) for seed in (0, 0, 7))
        expected = train(whole, *arguments)
        with pytest.raises(KeyboardInterrupt):
            train(broken, *arguments, callbacks=[interrupt_at(update)], resume_from=tmp_path)
        # a run that broke before its first epoch ended starts from scratch, so it needs the weights
        # that it
        # began with
        resumed = resumed if (tmp_path / "resume.json").exists() else fresh(make_model, 0)
        torch.manual_seed(12345)  # another process has another global state
        found = train(resumed, *arguments, resume_from=tmp_path)
        assert same_weights(whole, resumed)
        assert found == expected

    def test_broken_twice_and_with_patience(self, make_model, tmp_path):
        optimisation = Optimisation(epochs=8, learning_rate=0.3, batch_size=6, patience=2)
        whole, broken = fresh(make_model), fresh(make_model)
        expected = train(whole, CORPUS, VALID, NLL(), optimisation, 5)
        for update in (6, 10):
            with pytest.raises(KeyboardInterrupt):
                train(
                    broken,
                    CORPUS,
                    VALID,
                    NLL(),
                    optimisation,
                    5,
                    callbacks=[interrupt_at(update)],
                    resume_from=tmp_path,
                )
        resumed = fresh(make_model, 3)
        assert (
            train(resumed, CORPUS, VALID, NLL(), optimisation, 5, resume_from=tmp_path) == expected
        )
        assert same_weights(whole, resumed)

    def test_only_the_last_epoch_is_kept_on_disk(self, make_model, tmp_path):
        train(fresh(make_model), CORPUS, VALID, NLL(), SHORT, 5, resume_from=tmp_path)
        assert sorted(path.name for path in tmp_path.iterdir()) == [
            "epoch-4.safetensors",
            "resume.json",
        ]

    def test_a_finished_run_is_not_trained_further(self, make_model, tmp_path):
        first, again, updates = fresh(make_model), fresh(make_model, 3), []
        history = train(first, CORPUS, VALID, NLL(), SHORT, 5, resume_from=tmp_path)
        assert (
            train(
                again,
                CORPUS,
                VALID,
                NLL(),
                SHORT,
                5,
                callbacks=[updates.append],
                resume_from=tmp_path,
            )
            == history
        )
        assert updates == []
        assert same_weights(first, again)


@pytest.mark.parametrize("input_feeding", [False, True])
def test_what_a_model_keeps_of_its_weights_for_speed_never_outlives_them(make_model, input_feeding):
    """Training, validating and searching in turns: each loss and translation is that of a fresh
    model of equal weights.

    A fused optimiser changes weights without raising their version.
    """
    model = make_model(spec=LSTMSpec(8, input_feeding=input_feeding))
    encoded = encode(VALID, model.source_vocabulary, model.target_vocabulary)
    trainer = Trainer(
        model, CORPUS, VALID, NLL(), Optimisation(epochs=3, learning_rate=0.1, batch_size=6), 5
    )
    for _ in range(3):
        trainer.run_epoch()
        found = search(model, VALID.source, beam_size=2, n_best=2)
        copy = LSTMSeq2Seq(model.spec, model.source_vocabulary, model.target_vocabulary)
        copy.load_state_dict(model.state_dict())
        assert trainer.history.valid_loss[-1] == pytest.approx(
            validation_loss(copy, encoded), abs=1e-6
        )
        assert found == search(copy.eval(), VALID.source, beam_size=2, n_best=2)


class TestStopping:
    def test_patience_keeps_the_best_epoch(self, make_model):
        """A learning rate far too high makes the loss rise again; the weights are those of the
        least loss."""
        optimisation = Optimisation(epochs=12, learning_rate=0.5, batch_size=6, patience=2)
        model = fresh(make_model)
        losses = train(model, CORPUS, VALID, NLL(), optimisation, 5).valid_loss
        best = losses.index(min(losses))
        assert len(losses) == best + 1 + 2 < 12
        encoded = encode(VALID, model.source_vocabulary, model.target_vocabulary)
        assert validation_loss(model, encoded) == pytest.approx(min(losses), abs=1e-6)

    def test_without_patience_the_last_epoch_counts(self, make_model):
        optimisation = Optimisation(
            epochs=6, learning_rate=0.5, batch_size=6, warmup=0.95
        )  # too fast to the end
        model = fresh(make_model)
        losses = train(model, CORPUS, VALID, NLL(), optimisation, 5).valid_loss
        encoded = encode(VALID, model.source_vocabulary, model.target_vocabulary)
        assert len(losses) == 6
        assert min(losses) < losses[-1]
        assert validation_loss(model, encoded) == pytest.approx(losses[-1], abs=1e-6)

    def test_a_callback_that_returns_true_stops_and_the_others_still_hear(self, make_model):
        heard, model = [], fresh(make_model)
        history = train(
            model,
            CORPUS,
            VALID,
            NLL(),
            SHORT,
            5,
            callbacks=[lambda progress: progress.update == 6, lambda p: heard.append(p.update)],
        )
        assert heard == [1, 2, 3, 4, 5, 6]
        assert len(history.valid_loss) == 1
        assert not model.training


class TestKey:
    """What lies unfinished in a folder goes on only under its own key."""

    def left_over(self, make_model, tmp_path, key: str) -> None:
        with pytest.raises(KeyboardInterrupt):
            train(
                fresh(make_model),
                CORPUS,
                VALID,
                NLL(),
                SHORT,
                5,
                callbacks=[interrupt_at(10)],
                resume_from=tmp_path,
                key=key,
            )

    @pytest.mark.parametrize(
        ("left", "asked", "goes_on"),
        [("a", "a", True), ("", "", True), ("a", "b", False), ("", "b", False), ("a", "", False)],
    )
    def test_another_key_starts_from_scratch_and_warns(
        self, make_model, tmp_path, recwarn, left, asked, goes_on
    ):
        self.left_over(make_model, tmp_path, left)
        updates, model = [], fresh(make_model)
        train(
            model,
            CORPUS,
            VALID,
            NLL(),
            SHORT,
            5,
            callbacks=[updates.append],
            resume_from=tmp_path,
            key=asked,
        )
        assert len(updates) == (8 if goes_on else 16)
        assert [
            str(tmp_path) in str(w.message) and "from scratch" in str(w.message) for w in recwarn
        ] == [True] * (not goes_on)
        whole = fresh(make_model)
        train(whole, CORPUS, VALID, NLL(), SHORT, 5)
        assert same_weights(whole, model)

    @pytest.mark.parametrize("spec", [LSTMSpec(width=12), LSTMSpec(width=8, layers=2)])
    def test_a_model_of_another_size_keeps_its_own_weights(self, make_model, tmp_path, spec):
        """Under one key, which a caller may have given wrongly."""
        self.left_over(make_model, tmp_path, "")
        model, whole = fresh(make_model, spec=spec), fresh(make_model, spec=spec)
        with pytest.warns(UserWarning, match="another size"):
            train(model, CORPUS, VALID, NLL(), SHORT, 5, resume_from=tmp_path)
        train(whole, CORPUS, VALID, NLL(), SHORT, 5)
        assert same_weights(whole, model)

    @pytest.mark.parametrize("history", [{"a": []}, 3, None, "x"])
    def test_a_damaged_history_starts_from_scratch(self, make_model, tmp_path, history):
        self.left_over(make_model, tmp_path, "")
        saved = json.loads((tmp_path / "resume.json").read_text(encoding="utf-8"))
        (tmp_path / "resume.json").write_text(
            json.dumps({**saved, "history": history}), encoding="utf-8"
        )
        with pytest.warns(UserWarning, match="from scratch"):
            train(fresh(make_model), CORPUS, VALID, NLL(), SHORT, 5, resume_from=tmp_path)


class TestDivergence:
    @pytest.mark.parametrize("architecture", ["lstm", "transformer"])
    @pytest.mark.parametrize("n_done", [1, 5, 8])
    def test_the_first_loss_that_is_not_finite_ends_it(
        self, make_model, tmp_path, architecture, n_done
    ):
        """8 is the last update of an epoch, after which the validation loss is the first to say
        so."""
        model = fresh(make_model)
        if architecture == "transformer":
            spec = TransformerSpec(width=8, layers=1, heads=2, hidden=8)
            model = TransformerSeq2Seq(spec, model.source_vocabulary, model.target_vocabulary)

        def break_it(progress):
            if progress.update == n_done - (n_done == 8):
                with torch.no_grad():
                    model.output.bias[4] = math.nan

        where = {
            1: r"update 2 \(epoch 1\)",
            5: r"update 6 \(epoch 2\)",
            8: r"update 8 \(epoch 2\)",
        }[n_done]
        with pytest.raises(
            DivergenceError, match=f"{where}: the loss is nan.*--learning-rate. was 0.02"
        ):
            train(model, CORPUS, VALID, NLL(), SHORT, 5, callbacks=[break_it], resume_from=tmp_path)
        kept = sorted(file.name for file in tmp_path.iterdir())
        assert kept == ([] if n_done == 1 else ["epoch-1.safetensors", "resume.json"])

    def test_a_validation_loss_that_is_not_finite_ends_it(self, make_model):
        model = fresh(make_model)
        real = model.state_dict()["output.bias"].clone()
        trainer = Trainer(model, CORPUS, VALID, NLL(), SHORT, 5)
        trainer.step = lambda batch, logits: (
            model.output.bias.data.copy_(real * math.inf) is None or 1.0
        )
        with pytest.raises(DivergenceError, match="at the end of epoch 1: the loss is nan"):
            trainer.run_epoch()
        assert trainer.history.valid_loss == []


class TestBestEpoch:
    SCORES = (1.0, 7.0, 3.0, 7.0, 2.0, 1.0)

    def trained(
        self, make_model, scores=SCORES, callbacks=(), model=None, resume_from=None, **settings
    ):
        """Trains with a validation that gives `scores` in turn, and remembers the weights that it
        was given."""
        model, given, seen = model or fresh(make_model), iter(scores), []

        def validation(model):
            seen.append({name: tensor.clone() for name, tensor in model.state_dict().items()})
            return next(given)

        optimisation = Optimisation(6, 0.02, 6, **settings)
        history = train(
            model,
            CORPUS,
            VALID,
            NLL(),
            optimisation,
            5,
            callbacks=callbacks,
            resume_from=resume_from,
            validation=validation,
        )
        return model, history, seen, optimisation

    def test_by_bleu_the_first_of_the_best_is_kept(self, make_model):
        model, history, seen, optimisation = self.trained(make_model, best_by="bleu")
        assert history.valid_bleu == list(self.SCORES) and history.kept_epoch(optimisation) == 2
        assert all(
            torch.equal(tensor, seen[1][name]) for name, tensor in model.state_dict().items()
        )

    def test_patience_counts_by_the_same_score(self, make_model):
        _, history, seen, optimisation = self.trained(make_model, best_by="bleu", patience=2)
        assert len(seen) == 4 and history.kept_epoch(optimisation) == 2

    def test_by_loss_without_patience_nothing_stops_early(self, make_model):
        model = fresh(make_model)
        optimisation = Optimisation(12, 0.5, 6, best_by="loss")
        history = train(model, CORPUS, VALID, NLL(), optimisation, 5)
        assert (
            len(history.valid_loss) == 12
            and history.valid_bleu == []
            and "valid_bleu" not in history.as_dict()
        )
        encoded = encode(VALID, model.source_vocabulary, model.target_vocabulary)
        assert validation_loss(model, encoded) == pytest.approx(min(history.valid_loss), abs=1e-6)
        assert (
            history.kept_epoch(optimisation)
            == history.valid_loss.index(min(history.valid_loss)) + 1
        )

    def test_an_interruption_leaves_no_mark(self, make_model, tmp_path):
        whole, expected, *_ = self.trained(make_model, best_by="bleu")
        with pytest.raises(KeyboardInterrupt):
            self.trained(
                make_model, callbacks=[interrupt_at(14)], resume_from=tmp_path, best_by="bleu"
            )
        resumed, history, *_ = self.trained(
            make_model,
            self.SCORES[3:],
            resume_from=tmp_path,
            best_by="bleu",
            model=fresh(make_model, 7),
        )
        assert history == expected and same_weights(whole, resumed)

    def test_what_is_measured_is_sacrebleu_of_greedy_translations(self, make_model):
        model = fresh(make_model)
        texts = [" ".join(n_best[0].tokens) for n_best in search(model, VALID.source)]
        expected = (
            BLEU(tokenize="13a", force=True)
            .corpus_score(texts, [[" ".join(t) for t in VALID.target]])
            .score
        )
        assert ValidationBLEU(VALID, " ".join)(model) == expected

    def test_it_needs_something_to_measure_by_and_leaves_older_keys_alone(self, make_model):
        with pytest.raises(ValueError, match="validation"):
            train(fresh(make_model), CORPUS, VALID, NLL(), Optimisation(best_by="bleu"), 5)
        assert (
            "best_by" not in settings(SHORT)
            and settings(Optimisation(best_by="loss"))["best_by"] == "loss"
        )


class TestHistory:
    def test_one_entry_for_each_epoch_and_one_call_for_each_update(self, make_model):
        heard = []
        history = train(fresh(make_model), CORPUS, VALID, NLL(), SHORT, 5, callbacks=[heard.append])
        assert len(history.train_loss) == len(history.valid_loss) == len(history.learning_rate) == 4
        assert [p.update for p in heard] == list(range(1, 17))
        assert {p.n_updates for p in heard} == {16}
        assert [p.epoch for p in heard] == [1] * 4 + [2] * 4 + [3] * 4 + [4] * 4
        assert [p.valid_loss for p in heard if p.valid_loss is not None] == history.valid_loss
        assert [p.valid_loss is not None for p in heard] == [False, False, False, True] * 4

    def test_validation_loss_is_the_models_own_scoring_per_token(self, make_model):
        model = fresh(make_model)
        history = train(model, CORPUS, VALID, NLL(), SHORT, 5)
        log_probs, n_tokens = corpus_log_probs(model, VALID)
        assert history.valid_loss[-1] == pytest.approx(-sum(log_probs) / n_tokens, abs=1e-5)

    def test_the_training_loss_is_weighted_by_tokens(self, make_model):
        """With a learning rate next to nothing and no dropout, an epoch's mean loss is the corpus's
        NLL per token."""
        model = fresh(make_model, spec=LSTMSpec(width=8))
        log_probs, n_tokens = corpus_log_probs(model, CORPUS)
        history = train(model, CORPUS, VALID, NLL(), Optimisation(1, 1e-12, 6), 5)
        assert history.train_loss[0] == pytest.approx(-sum(log_probs) / n_tokens, abs=1e-5)


class TestOneCycle:
    @pytest.mark.parametrize("warmup", [0.0, 0.1, 0.5])
    def test_rises_to_the_peak_and_falls_to_nothing(self, warmup):
        places = [i / 1000 for i in range(1001)]
        rates = [one_cycle(place, warmup) for place in places]
        assert one_cycle(warmup, warmup) == pytest.approx(1.0)
        assert rates[-1] == pytest.approx(0.0, abs=1e-12)
        assert all(0.0 <= rate <= 1.0 for rate in rates)
        peak = round(1000 * warmup)
        assert rates[:peak] == sorted(rates[:peak])
        assert rates[peak:] == sorted(rates[peak:], reverse=True)
        assert one_cycle((1 + warmup) / 2, warmup) == pytest.approx(
            0.5
        )  # half-way down a half cosine

    def test_is_what_the_optimiser_gets(self, make_model):
        heard = []
        train(
            fresh(make_model),
            CORPUS,
            VALID,
            NLL(),
            SHORT,
            5,
            callbacks=[lambda p: heard.append(p.learning_rate)],
        )
        assert heard == pytest.approx([0.02 * one_cycle(n / 16, 0.1) for n in range(16)])


class TestOneStep:
    def test_plain_sgd_moves_each_parameter_against_its_gradient(self, make_model):
        model, other = (fresh(make_model, spec=LSTMSpec(width=8)).train() for _ in range(2))
        batch = make_batch(
            encode(CORPUS, model.source_vocabulary, model.target_vocabulary), range(6)
        )
        expected = NLL()(other(batch), batch)
        gradients = torch.autograd.grad(expected, list(other.parameters()))
        loss = training_step(
            model, batch, NLL(), torch.optim.SGD(model.parameters(), lr=0.1), clip_norm=1e9
        )
        assert loss == expected.item()  # of the weights before the update
        for old, gradient, new in zip(
            other.parameters(), gradients, model.parameters(), strict=True
        ):
            assert torch.allclose(new, old - 0.1 * gradient, atol=1e-7)

    def test_nothing_is_left_of_an_earlier_gradient(self, make_model):
        model, other = (fresh(make_model, spec=LSTMSpec(width=8)).train() for _ in range(2))
        batch = make_batch(
            encode(CORPUS, model.source_vocabulary, model.target_vocabulary), range(6)
        )
        (7.0 * NLL()(model(batch), batch)).backward()
        for one in (model, other):
            training_step(
                one, batch, NLL(), torch.optim.SGD(one.parameters(), lr=0.1), clip_norm=1e9
            )
        assert same_weights(model, other)

    def test_it_is_what_the_trainer_does(self, make_model):
        """Equal weights with and without the Trainer, bit for bit: the schedule's rate, Adam,
        clipped gradients."""
        model, other = (fresh(make_model, spec=LSTMSpec(width=8)).train() for _ in range(2))
        trainer = Trainer(model, CORPUS, VALID, NLL(), SHORT, 5)
        batch = make_batch(trainer.encoded, range(6))
        optimiser = torch.optim.Adam(
            other.parameters(), lr=SHORT.learning_rate * one_cycle(3 / 16, 0.1), fused=True
        )
        assert trainer.update(batch, 3) == training_step(
            other, batch, NLL(), optimiser, SHORT.clip_norm
        )
        assert same_weights(model, other)


def test_gradients_are_clipped_before_adam_sees_them(make_model):
    optimisation = Optimisation(1, 0.01, 6, clip_norm=1e-3)
    trainer, norms = Trainer(fresh(make_model), CORPUS, VALID, NLL(), optimisation, 5), []

    def note(optimiser, *_):
        squares = sum(
            p.grad.square().sum() for group in optimiser.param_groups for p in group["params"]
        )
        norms.append(math.sqrt(squares))

    trainer.optimiser.register_step_pre_hook(note)
    trainer.run_epoch()
    assert norms == pytest.approx([1e-3] * 4, rel=1e-2)


@pytest.mark.slow
def test_memorises_twenty_pairs(make_model):
    model = fresh(make_model, spec=LSTMSpec(width=32))
    train(
        model, CORPUS, VALID, NLL(), Optimisation(epochs=60, learning_rate=0.02, batch_size=10), 1
    )
    assert [found[0].tokens for found in search(model, CORPUS.source)] == list(CORPUS.target)


def test_the_seed_decides_everything_but_the_first_weights(make_model):
    models = [fresh(make_model) for _ in range(3)]
    for number, (model, seed) in enumerate(zip(models, (1, 1, 2), strict=True)):
        torch.manual_seed(number)  # the global state must not matter
        train(model, CORPUS, VALID, NLL(), SHORT, seed)
    assert same_weights(models[0], models[1])
    assert not same_weights(models[0], models[2])


def test_the_teacher_is_not_trained(make_model):
    teacher, untouched = fresh(make_model, 9), fresh(make_model, 9)
    train(fresh(make_model), CORPUS, VALID, WordKD(1.0), SHORT, 5, teacher)
    assert same_weights(teacher, untouched)
    assert all(parameter.grad is None for parameter in teacher.parameters())


@pytest.mark.parametrize(
    "wrong",
    [
        {"epochs": 0},
        {"batch_size": 0},
        {"learning_rate": 0.0},
        {"learning_rate": float("nan")},
        {"clip_norm": 0.0},
        {"warmup": 1.0},
        {"warmup": -0.1},
        {"patience": 0},
        {"learning_rate": float("inf")},
        {"best_by": "chrf"},
    ],
)
def test_impossible_settings_are_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Optimisation(**wrong)


def test_an_empty_corpus_is_refused(make_model):
    with pytest.raises(ValueError, match="0"):
        Trainer(fresh(make_model), CORPUS[:0], VALID, NLL(), SHORT, 1)
    with pytest.raises(ValueError, match="0"):
        Trainer(fresh(make_model), CORPUS, VALID[:0], NLL(), SHORT, 1)
