"""What lesson 2 measures of losses: the floor against the language, masks against sentences read
alone."""

from __future__ import annotations

import math

import pytest
import torch
from matplotlib.figure import Figure

from seqkd_lab.corpus.batching import encode, make_batch
from seqkd_lab.corpus.vocabulary import PAD
from seqkd_lab.decoding.scoring import corpus_log_probs
from seqkd_lab.distillation.losses import NLL
from seqkd_lab.evaluation import compare_with_truth
from seqkd_lab.lab.shared import lesson
from seqkd_lab.lab.shared.learning_curve import Curve
from seqkd_lab.lab.teacher import loss_figures as figures
from seqkd_lab.lab.teacher import loss_measures as measures
from seqkd_lab.lab.teacher import masks
from seqkd_lab.models.lstm import LSTMSeq2Seq, LSTMSpec
from seqkd_lab.optimisation import Optimisation
from seqkd_lab.training import train
from seqkd_lab.validation import validation_loss

N_PAIRS = 12
ADDED = (0, 3, 11)


@pytest.fixture(scope="module")
def pairs(toy):
    return toy.valid[:N_PAIRS]


@pytest.fixture(scope="module")
def batch(pairs, toy):
    return make_batch(encode(pairs, toy.source_vocabulary, toy.target_vocabulary), range(N_PAIRS))


class TestPerToken:
    def test_equal_lengths_give_the_textbooks_standard_error(self):
        sums = [1.0, 4.0, 2.0, 5.0]
        found = measures.per_token(sums, [1, 1, 1, 1])
        assert found.mean == 3.0 and found.error == pytest.approx(math.sqrt(10 / 3 / 4))

    def test_long_sentences_weigh_by_their_tokens(self):
        assert measures.per_token([3.0, 1.0], [9, 1]).mean == pytest.approx(0.4)
        assert (
            measures.per_token([9.0, 1.0], [9, 1]).error == 0.0
        )  # a token costs the same everywhere

    @pytest.mark.parametrize("sums, numbers", [([1.0], [1]), ([1.0, 2.0], [1])])
    def test_too_few_are_refused(self, sums, numbers):
        with pytest.raises(ValueError, match="two sentences"):
            measures.per_token(sums, numbers)


class TestFloor:
    def test_it_is_the_loss_of_the_truth(self, toy, pairs):
        floor = measures.floor(toy.language, pairs)
        total = n = 0.0
        for source, target in zip(pairs.source, pairs.target, strict=True):
            for place, word in enumerate((*target, "</s>")):
                total -= math.log(toy.language.next_token(source, target[:place])[word])
                n += 1
        assert floor.surprise.mean == pytest.approx(total / n)
        assert sum(floor.truth) == pytest.approx(total) and floor.entropy > 0.0

    def test_a_model_stands_above_it_by_its_kl_and_chance(self, toy, toy_models, pairs):
        floor, model = measures.floor(toy.language, pairs), toy_models["teacher"]
        gap = measures.gap(model, pairs, toy.language, floor)
        log_probs, n_tokens = corpus_log_probs(model, pairs)
        assert gap.loss.mean == pytest.approx(-sum(log_probs) / n_tokens)
        assert gap.above.mean == pytest.approx(gap.loss.mean - floor.surprise.mean)
        assert gap.kl == pytest.approx(compare_with_truth(model, pairs, toy.language)[0])
        assert gap.kl > 0.0 and gap.chance > 0.0 and 0.0 <= gap.below <= 1.0


class TestTraining:
    OPTIMISATION = Optimisation(epochs=2, learning_rate=0.02, batch_size=16)

    def test_it_is_the_librarys_and_everything_is_seen(self, toy, toy_models, pairs):
        heard, spec = [], LSTMSpec(width=8)
        model, seen = measures.watched_training(
            spec,
            toy.train[:40],
            pairs,
            toy_models["teacher"],
            self.OPTIMISATION,
            seed=3,
            watch=lambda done, total: heard.append((done, total)),
        )
        torch.manual_seed(3)
        other = LSTMSeq2Seq(spec, toy.source_vocabulary, toy.target_vocabulary)
        history = train(other, toy.train[:40], pairs, NLL(), self.OPTIMISATION, 3)
        assert all(
            other.state_dict()[name].equal(values) for name, values in model.state_dict().items()
        )
        assert [loss for _, loss in seen.validations] == history.valid_loss
        assert [n for n, _ in seen.validations] == [40, 80]
        assert heard == [(i, 6) for i in range(1, 7)] and len(seen.updates) == 6
        assert seen.validations[-1][1] == pytest.approx(
            validation_loss(model, encode(pairs, toy.source_vocabulary, toy.target_vocabulary))
        )

    def test_smoothing_is_the_mean_of_the_latest(self):
        seen = Curve("", [(1, 4.0), (2, 2.0), (3, 6.0)])
        assert seen.smoothed() == [(1, 4.0), (2, 3.0), (3, 4.0)]


class TestMasks:
    def test_more_padding_does_not_change_the_masked_loss_and_changes_the_others(
        self, toy_models, batch
    ):
        model = toy_models["teacher"]
        right, unmasked, half = masks.losses_over_padding(model, batch, ADDED).values()
        assert right == pytest.approx([right[0]] * len(ADDED), rel=1e-5)
        assert len({round(value, 4) for value in unmasked}) == len(ADDED)
        places = [batch.target_out.numel() + n * len(batch) for n in ADDED]
        assert half == pytest.approx([right[0] * batch.n_tokens / n for n in places], rel=1e-5)

    def test_without_padding_all_losses_are_one(self, toy, toy_models, pairs):
        alone = make_batch(encode(pairs, toy.source_vocabulary, toy.target_vocabulary), [0])
        (right,), (unmasked,), (half,) = masks.losses_over_padding(
            toy_models["teacher"], alone, [0]
        ).values()
        assert right == pytest.approx(unmasked, rel=1e-6) and right == pytest.approx(half, rel=1e-6)

    def test_the_objective_with_the_mistake_counts_padding(self, toy_models, batch):
        longer = masks.longer_target(batch, 5)
        with torch.no_grad():
            logits = toy_models["teacher"](longer)
        expected = torch.nn.functional.cross_entropy(
            logits.flatten(0, 1), longer.target_out.flatten()
        )
        assert float(masks.PaddingCounted()(logits, longer)) == pytest.approx(
            float(expected), rel=1e-5
        )

    def test_masked_reading_is_the_models_own_and_the_broken_ones_depend_on_the_padding(
        self, toy_models, batch
    ):
        model = toy_models["teacher"]
        right, attention, both = masks.readings_over_padding(model, batch, ADDED).values()
        with torch.no_grad():
            own = float(NLL()(model(batch), batch))
        assert right == pytest.approx([own] * len(ADDED), rel=1e-5)
        for broken in (attention, both):
            assert len({round(value, 4) for value in broken}) == len(ADDED)

    def test_longer_batches_hold_the_same_sentences(self, batch):
        longer = masks.longer_source(masks.longer_target(batch, 4), 7)
        assert (
            longer.n_tokens == batch.n_tokens
            and longer.source.shape[1] == batch.source.shape[1] + 7
        )
        assert torch.equal(longer.target_out[:, : batch.target_out.shape[1]], batch.target_out)
        assert (longer.target_out[:, batch.target_out.shape[1] :] == PAD).all()
        assert torch.equal(longer.source_lengths, batch.source_lengths)

    def test_the_sum_does_not_depend_on_the_batches_and_the_mean_of_means_does(
        self, toy_models, pairs
    ):
        right, of_means = masks.means_over_batches(toy_models["teacher"], pairs, (1, 5, N_PAIRS))
        assert right == pytest.approx([right[0]] * 3, rel=1e-5) and of_means[2] == pytest.approx(
            right[0], rel=1e-5
        )
        assert abs(of_means[0] - right[0]) > 1e-4 and abs(of_means[1] - right[0]) > 1e-4


def test_every_figure_can_be_saved(toy, toy_models, batch):
    model = toy_models["teacher"]
    seen = Curve("", [(10 * i, 6.0 / i) for i in range(1, 9)], [(40, 3.0), (80, 2.0)])
    losses = {"one": masks.losses_over_padding(model, batch, ADDED)}
    made = [
        figures.curve_figure(seen, [(100, 1.5), (200, 1.0)], 0.3, 543),
        figures.memory_figure(seen, 0.3, 10),
        figures.padding_figure(ADDED, losses, masks.readings_over_padding(model, batch, ADDED)),
        figures.means_figure((1, 2), [0.3, 0.3], [0.4, 0.5], 3),
    ]
    assert all(
        isinstance(figure, Figure) and lesson.png(figure).startswith(b"\x89PNG") for figure in made
    )
