"""Packing: rows hold every token once and little else, and a packed sentence is what it is
alone."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
import torch

from seqkd_lab.corpus.batching import encode, make_batch
from seqkd_lab.corpus.packing import NOBODY, first_fit, pack
from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.corpus.vocabulary import PAD, Vocabulary
from seqkd_lab.distillation.losses import nll
from seqkd_lab.models.lstm import LSTMSeq2Seq, LSTMSpec
from seqkd_lab.models.packed import packed_reader
from seqkd_lab.models.transformer import TransformerSeq2Seq, TransformerSpec

WORDS = tuple("abcdefghij")
VOCABULARY = Vocabulary.build([WORDS])
LENGTH = 24


def random_batch(n: int, seed: int):
    rng = random.Random(seed)
    source, target = (
        [tuple(rng.choices(WORDS, k=rng.randint(1, 11))) for _ in range(n)] for _ in range(2)
    )
    corpus = ParallelCorpus("random", "train", "", tuple(source), tuple(target))
    return make_batch(encode(corpus, VOCABULARY, VOCABULARY), range(n))


def make_transformer(
    seed: int, tied: bool = False, layers: int = 2, memory: int | None = None
) -> TransformerSeq2Seq:
    torch.manual_seed(seed)
    spec = TransformerSpec(
        width=8, layers=layers, heads=2, hidden=12, dropout=0.0, tied=tied, memory=memory
    )
    return TransformerSeq2Seq(spec, VOCABULARY, VOCABULARY)


def unpacked(logits, packed, n, longest):
    """(R, T, V) back to (N, longest, V), 0 behind a sentence's end."""
    real = packed.target_sentence != NOBODY
    found = logits.new_zeros(n, longest, logits.shape[2])
    found[packed.target_sentence[real], packed.target_place[real]] = logits[real]
    return found


class TestFirstFit:
    @pytest.mark.parametrize("seed", range(5))
    def test_every_row_holds_what_it_may_and_no_two_overlap(self, seed):
        rng = random.Random(seed)
        sizes = [(rng.randint(1, LENGTH), rng.randint(1, LENGTH)) for _ in range(60)]
        places = first_fit(sizes, LENGTH)
        for side in (0, 1):
            taken = set()
            for (row, *first), size in zip(places, sizes, strict=True):
                span = {(row, first[side] + i) for i in range(size[side])}
                assert not taken & span and max(place for _, place in span) < LENGTH
                taken |= span

    def test_it_uses_no_more_than_11_9_of_the_least_number_of_rows(self):
        """First-fit decreasing's bound (Dósa 2007): 11/9 of the optimum + 6/9; here sizes whose
        optimum is known."""
        for seed in range(20):
            rng, sizes, n_rows = random.Random(seed), [], 12
            for _ in range(n_rows):  # rows that are full to the last place
                left = LENGTH
                while left:
                    size = rng.randint(1, left)
                    sizes.append((size, size))
                    left -= size
            rng.shuffle(sizes)
            used = 1 + max(row for row, _, _ in first_fit(sizes, LENGTH))
            assert n_rows <= used <= 11 / 9 * n_rows + 6 / 9

    def test_a_sentence_that_no_row_can_hold_is_named(self):
        with pytest.raises(ValueError, match="25 tokens does not fit into rows of 24"):
            first_fit([(3, 25)], LENGTH)


class TestPack:
    def test_every_token_is_there_once_with_its_place(self):
        batch = random_batch(17, 1)
        packed = pack(batch, LENGTH)
        assert packed.n_tokens == batch.n_tokens
        assert packed.efficiency == pytest.approx(batch.n_tokens / (len(packed.source) * LENGTH))
        for sentence in range(17):
            for ours, whose, place, theirs in (
                (packed.source, packed.source_sentence, packed.source_place, batch.source),
                (packed.target_in, packed.target_sentence, packed.target_place, batch.target_in),
                (packed.target_out, packed.target_sentence, packed.target_place, batch.target_out),
            ):
                own = whose == sentence
                real = (
                    batch.source[sentence] != PAD
                    if theirs is batch.source
                    else batch.target_out[sentence] != PAD
                )
                assert ours[own].tolist() == theirs[sentence][real].tolist()
                assert place[own].tolist() == list(range(int(own.sum())))
        assert bool((packed.source[packed.source_sentence == NOBODY] == PAD).all())

    def test_masks_are_blocks_and_causal(self):
        packed = pack(random_batch(6, 2), LENGTH)
        R, T = packed.target_in.shape
        for r in range(R):
            for t in range(T):
                for u in range(T):
                    same = packed.target_sentence[r, t] == packed.target_sentence[r, u]
                    assert bool(packed.target_mask[r, 0, t, u]) == bool(same and u <= t)
        real = packed.target_sentence != NOBODY
        seen = packed.cross_mask[:, 0].sum(dim=2)[real]
        lengths = torch.bincount(packed.source_sentence[packed.source_sentence != NOBODY])
        assert torch.equal(seen, lengths[packed.target_sentence[real]])


class TestModel:
    @pytest.mark.parametrize("tied", [False, True])
    @pytest.mark.parametrize("n", [1, 2, 15])
    @pytest.mark.parametrize("memory", [None, 1, 3])
    def test_packed_is_unpacked(self, n, tied, memory):
        model, batch = make_transformer(3, tied, memory=memory), random_batch(n, 4)
        packed = pack(batch, LENGTH)
        alone, together = model(batch), model.packed(packed)
        real = batch.target_out != PAD
        assert together.isfinite().all()
        again = unpacked(together, packed, n, batch.target_out.shape[1])
        assert (alone - again)[real].abs().max() < 1e-5

    def test_loss_and_gradients_too(self):
        batch, gradients = random_batch(15, 5), []
        losses = []
        for is_packed in (False, True):
            model = make_transformer(6)
            packed = pack(batch, LENGTH)
            loss = (
                nll(model.packed(packed), packed.target_out)
                if is_packed
                else nll(model(batch), batch.target_out)
            )
            loss.backward()
            losses.append(loss.item())
            gradients.append([parameter.grad for parameter in model.parameters()])
        assert losses[0] == pytest.approx(losses[1], abs=1e-5)
        for one, other in zip(*gradients, strict=True):
            assert other.isfinite().all() and (one - other).abs().max() < 1e-5

    def test_sentences_do_not_see_each_other(self):
        model, batch = make_transformer(7), random_batch(15, 8)
        before, packed = model.packed(pack(batch, LENGTH)), pack(batch, LENGTH)
        row = next(
            r for r in range(len(packed.source)) if len(set(packed.target_sentence[r].tolist())) > 2
        )
        changed = int(packed.target_sentence[row, 0])
        source, target_in = batch.source.clone(), batch.target_in.clone()
        source[changed, 0] = 4 + (source[changed, 0] - 3) % len(WORDS)
        target_in[changed, 0] = 4 + (target_in[changed, 0] - 3) % len(WORDS)
        after = model.packed(pack(replace(batch, source=source, target_in=target_in), LENGTH))
        own = packed.target_sentence == changed
        assert (before - after)[own].abs().max() > 1e-3
        assert (before - after)[~own].abs().max() < 1e-6

    def test_an_lstm_is_refused(self):
        model = LSTMSeq2Seq(LSTMSpec(width=4), VOCABULARY, VOCABULARY)
        with pytest.raises(ValueError, match="LSTMSeq2Seq.*a Transformer"):
            packed_reader(model)
