"""TIP: scores by independent formulas, what is kept, the loss and its lean twin; what is planted,
and its labels."""

from __future__ import annotations

import math
import random
from collections import Counter
from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare
from torch.distributions import Categorical, kl_divergence

from seqkd_lab.corpus.batching import encode, make_batch
from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.corpus.toy import ToyLanguage
from seqkd_lab.corpus.toy.planted import (
    BEYOND,
    FAR,
    FREE,
    HABIT,
    KINDS,
    OTHER,
    PLANTED_KINDS,
    PLANTED_WORDS,
    RARE,
    SETTLED,
    LongSources,
    Planted,
    find_planted,
    kinds,
    rare_forms,
)
from seqkd_lab.corpus.vocabulary import PAD
from seqkd_lab.distillation import tip
from seqkd_lab.distillation.on_policy import Divergence, OnPolicy
from seqkd_lab.distillation.tip import (
    ALL,
    BOTTOM,
    ENTROPY,
    Q3,
    RANDOM,
    SCORES,
    SELECTORS,
    SOFT_OR,
    TOP_ENTROPY,
    Importance,
    Selected,
    importance,
    keep,
    lean_loss,
    proportional,
    quadrant,
    scaled,
    soft_or,
)
from seqkd_lab.optimisation import Optimisation
from seqkd_lab.training import train

seeds = st.integers(0, 10_000)
SOURCES = (
    ("ant", "bee"),
    ("cat",),
    ("dog", "ant", "eel"),
    ("bee",),
    ("fox", "fox"),
    ("eel",),
    ("cat", "dog"),
)
TARGETS = (
    ("ant",),
    ("bee", "cat", "ant", "dog"),
    ("eel",),
    ("cat",),
    ("dog", "ant"),
    ("bee",),
    ("ant", "bee", "cat"),
)
CORPUS = ParallelCorpus("n", "train", "l", SOURCES, TARGETS)


def seen_of(seed: int, B: int = 4, T: int = 12, V: int = 9) -> Importance:
    """Random logits and lengths of 1 to T tokens."""
    generator = torch.Generator().manual_seed(seed)
    student, teacher = (
        3.0 * torch.randn(B, T, V, generator=generator, dtype=torch.float64) for _ in range(2)
    )
    lengths = torch.randint(1, T + 1, (B, 1), generator=generator)
    return importance(student, teacher, torch.arange(T) < lengths)


def batch_of(model, n: int = len(SOURCES)):
    return make_batch(encode(CORPUS, model.source_vocabulary, model.target_vocabulary), range(n))


class TestImportance:
    @given(seeds)
    def test_entropy_and_divergences_are_torchs(self, seed):
        generator = torch.Generator().manual_seed(seed)
        student, teacher = (
            2.0 * torch.randn(2, 3, 7, generator=generator, dtype=torch.float64) for _ in range(2)
        )
        seen = importance(student, teacher, torch.ones(2, 3, dtype=torch.bool))
        p, q = Categorical(logits=student), Categorical(logits=teacher)
        assert torch.allclose(seen.h, p.entropy() / math.log(7))
        assert torch.allclose(seen.delta, kl_divergence(p, q)) and torch.allclose(
            seen.forward, kl_divergence(q, p)
        )

    def test_h_is_1_for_an_even_law_and_0_for_a_sure_one(self):
        logits = torch.zeros(1, 2, 5)
        logits[0, 1, 3] = 200.0
        seen = importance(logits, logits, torch.ones(1, 2, dtype=torch.bool))
        assert seen.h[0].tolist() == pytest.approx([1.0, 0.0], abs=1e-6) and not seen.delta.any()

    def test_shapes_that_do_not_fit_are_refused(self):
        real = torch.ones(1, 2, dtype=torch.bool)
        with pytest.raises(ValueError, match=r"\(B, T, V\)"):
            importance(torch.zeros(1, 3, 5), torch.zeros(1, 3, 5), real)
        with pytest.raises(ValueError, match="teacher"):
            importance(torch.zeros(1, 2, 5), torch.zeros(1, 2, 6), real)

    def test_quadrants(self):
        h, delta = (
            torch.tensor([[0.9, 0.9, 0.1, 0.1, 0.5]]),
            torch.tensor([[3.0, 0.0, 3.0, 0.0, 1.0]]),
        )
        assert quadrant(h, delta, 0.5, 1.0).tolist() == [[1, 2, 3, 4, 1]]


class TestScores:
    @given(seeds)
    def test_soft_or_by_numpy_over_real_tokens_alone(self, seed):
        seen = seen_of(seed)
        real = seen.real.numpy()
        h, delta = seen.h.numpy()[real], seen.delta.numpy()[real]
        top = np.quantile(h, 0.98)
        h = np.clip((h - h.min()) / max(top - h.min(), 1e-12), 0.0, 1.0)
        delta = (delta - delta.min()) / max(delta.max() - delta.min(), 1e-12)
        assert np.allclose(soft_or(seen).numpy()[real], 1.0 - (1.0 - h) * (1.0 - delta))

    @given(seeds, st.sampled_from([s for s in SELECTORS if s not in (RANDOM, ENTROPY)]))
    def test_padding_decides_nothing(self, seed, selector):
        seen = seen_of(seed)
        other = replace(
            seen,
            **{
                name: torch.where(seen.real, getattr(seen, name), 77.0)
                for name in ("h", "delta", "forward")
            },
        )
        a, b = (keep(SCORES[selector](s, None), s.real, 0.5) for s in (seen, other))
        assert torch.equal(a, b)

    def test_sampling_without_replacement_follows_its_law(self):
        """P(first i, then j) = w_i/Σw · w_j/(Σw − w_i), for unordered pairs of four tokens."""
        weight, n = torch.tensor([0.1, 0.2, 0.3, 0.4], dtype=torch.float64), 4000
        scores = proportional(weight.expand(n, -1), torch.Generator().manual_seed(3))
        kept = keep(scores, torch.ones(n, 4, dtype=torch.bool), 0.5)
        counts = Counter(tuple(row.nonzero()[:, 0].tolist()) for row in kept)
        w = weight.tolist()
        wanted: Counter = Counter()
        for i, j in permutations(range(4), 2):
            wanted[tuple(sorted((i, j)))] += n * w[i] * w[j] / (1.0 - w[i])
        pairs = sorted(wanted)
        assert (
            chisquare([counts[pair] for pair in pairs], [wanted[pair] for pair in pairs]).pvalue
            > 1e-4
        )

    def test_what_asks_for_entropy_alone_never_sees_who_is_sure_and_wrong(self):
        """Ten tokens: one sure and far, nine unsure and near."""
        seen = Importance(
            torch.tensor([[0.0] + [0.3] * 9]),
            torch.tensor([[9.0] + [0.1] * 9]),
            torch.tensor([[9.0] + [0.1] * 9]),
            torch.ones(1, 10, dtype=torch.bool),
        )
        for share in (0.1, 0.5, 0.9):
            for selector in (ENTROPY, TOP_ENTROPY):
                for seed in range(20):
                    scores = SCORES[selector](seen, torch.Generator().manual_seed(seed))
                    assert not keep(scores, seen.real, share)[0, 0]
            for selector in (Q3, tip.DELTA):
                assert keep(SCORES[selector](seen, None), seen.real, share)[0, 0]

    @given(seeds)
    def test_the_farthest_and_the_most_unsure_tie_exactly_so_the_earlier_stays(self, seed):
        """ĥ = 1 and δ̂ = 1 both give 1, in single precision too."""
        seen = seen_of(seed, B=1)
        seen = Importance(*(x.float() for x in (seen.h, seen.delta, seen.forward)), seen.real)
        seen = replace(seen, real=torch.ones_like(seen.real))
        top = {int(seen.delta.argmax()), int(seen.h.argmax())}
        assert all(float(soft_or(seen)[0, t]) == 1.0 for t in top)
        assert int(keep(soft_or(seen), seen.real, 1.0 / 12)[0].nonzero()[0, 0]) == min(top)

    @given(seeds)
    def test_bottom_and_soft_or_share_out_an_output(self, seed):
        seen = seen_of(seed, T=12)
        seen = replace(seen, real=torch.ones_like(seen.real))
        first, last = (keep(SCORES[name](seen, None), seen.real, 0.5) for name in (SOFT_OR, BOTTOM))
        score = soft_or(seen)
        assert (
            score[first].view(4, -1).min(dim=1).values >= score[last].view(4, -1).max(dim=1).values
        ).all()

    def test_a_constant_h_scales_to_0(self):
        assert not scaled(torch.full((1, 4), 0.3), torch.ones(1, 4, dtype=torch.bool)).any()


class TestKeep:
    @given(seeds, st.sampled_from([0.1, 0.2, 0.29, 0.5, 0.7, 1.0]))
    def test_the_best_floor_of_rho_m_of_each_row(self, seed, share):
        seen = seen_of(seed)
        scores = SCORES[SOFT_OR](seen, None)
        kept = keep(scores, seen.real, share)
        for row, values, real in zip(
            kept.tolist(), scores.tolist(), seen.real.sum(dim=1).tolist(), strict=True
        ):
            best = sorted(range(real), key=lambda t: (-values[t], t))[
                : int(round(share * 100) * real // 100)
            ]
            assert [t for t, k in enumerate(row) if k] == sorted(best)

    @pytest.mark.parametrize(
        "m, share, n", [(9, 0.1, 0), (10, 0.1, 1), (19, 0.1, 1), (20, 0.1, 2), (100, 0.29, 29)]
    )
    def test_rounded_down_whatever_floating_point_says(self, m, share, n):
        assert int(tip.n_kept(torch.tensor([m]), share)) == n


class TestSelected:
    def test_all_tokens_are_reverse_kl(self, make_model):
        student, teacher = make_model(), make_model(seed=5)
        batch = batch_of(student)
        logits, teacher_logits_of = student(batch), teacher(batch)
        assert torch.allclose(
            Selected(ALL, 1.0)(logits, batch, teacher_logits_of),
            Divergence(1.0)(logits, batch, teacher_logits_of),
        )

    @pytest.mark.parametrize("selector", SELECTORS)
    def test_only_kept_tokens_get_a_gradient(self, make_model, selector):
        student, teacher = make_model(), make_model(seed=5)
        batch = batch_of(student)
        logits = student(batch).detach().requires_grad_()
        Selected(selector, 0.5)(logits, batch, teacher(batch)).backward()
        moved, real = logits.grad.abs().sum(dim=2) > 0, batch.target_out != PAD
        assert not moved[~real].any()
        assert moved.sum(dim=1).tolist() == [int(0.5 * m) for m in real.sum(dim=1).tolist()]

    def test_nothing_kept_moves_nothing(self, make_model):
        student, teacher = make_model(), make_model(seed=5)
        batch = batch_of(student, 2)
        loss = Selected(SOFT_OR, 0.1)(student(batch), batch, teacher(batch))
        loss.backward()
        assert loss == 0.0 and all(
            not p.grad.any() for p in student.parameters() if p.grad is not None
        )

    @pytest.mark.parametrize("share", [0.2, 0.5, 1.0])
    @pytest.mark.parametrize("at_once", [1, 3, 100])
    def test_the_lean_loss_is_the_same_with_the_same_gradient(self, make_model, share, at_once):
        student, teacher = make_model(), make_model(seed=5)
        batch, selected = batch_of(student), Selected(SOFT_OR, share)
        found = []
        for loss in (
            selected(student(batch), batch, teacher(batch)),
            lean_loss(student, teacher, batch, selected, at_once),
        ):
            student.zero_grad()
            loss.backward()
            found.append(
                [loss, *(p.grad.clone() for p in student.parameters() if p.grad is not None)]
            )
        assert len(found[0]) == len(found[1])
        assert all(torch.allclose(a, b, atol=1e-6) for a, b in zip(*found, strict=True))

    @pytest.mark.parametrize("selector", [RANDOM, ENTROPY, SOFT_OR])
    def test_a_resumed_training_equals_an_uninterrupted_one(self, make_model, tmp_path, selector):
        teacher, ends = make_model(seed=5), []
        optimisation = Optimisation(epochs=2, learning_rate=0.01, batch_size=3)
        for resumed in (False, True):
            student = make_model()
            given_ = (CORPUS, CORPUS, Selected(selector, 0.5), optimisation, 1, teacher)
            folder = tmp_path / f"{selector}{resumed}" if resumed else None
            if resumed:

                def stop(progress):
                    return progress.epoch == 2

                train(
                    student,
                    *given_,
                    callbacks=[stop],
                    resume_from=folder,
                    batch_transform=OnPolicy(),
                )
                torch.manual_seed(99)
                student = make_model()
            train(student, *given_, resume_from=folder, batch_transform=OnPolicy())
            ends.append(student.state_dict())
        assert all(torch.equal(ends[0][name], ends[1][name]) for name in ends[0])

    def test_what_cannot_be_is_refused(self):
        with pytest.raises(ValueError, match="selector"):
            Selected("greatest", 0.5)
        for share in (0.0, 1.5):
            with pytest.raises(ValueError, match="share"):
                Selected(SOFT_OR, share)


LANGUAGE, PLANTED = ToyLanguage(), Planted()


def pairs(n: int, seed: int = 7) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    rng = random.Random(seed)
    return [LANGUAGE.sample(rng) for _ in range(n)]


class TestPlanted:
    def test_planted_words_are_found_where_they_were_made_and_mistakes_are_not_valid(self):
        made: Counter = Counter()
        for source, target in pairs(600):
            wrong = PLANTED.mistaken(source, target)
            changed = [t for t, (a, b) in enumerate(zip(target, wrong, strict=True)) if a != b]
            if {"shop", "garden", "city"} & set(source) - {w.cause for w in PLANTED_WORDS}:
                continue
            found = find_planted(source, wrong)
            already = [t for t, w in found.items() if w.kind == HABIT and target[t] == w.wrong]
            assert sorted(found) == sorted({*changed, *already}) or "garden" in source
            mistakes = [w for t, w in found.items() if w.kind != HABIT and t in changed]
            assert LANGUAGE.is_valid(source, wrong) == (not mistakes) or "garden" in source
            made.update(word.kind for word in found.values())
        assert min(made[kind] for kind in PLANTED_KINDS) > 5

    def test_causes_have_german_words_that_are_replaced(self):
        for word in PLANTED_WORDS:
            found = [target for source, target in pairs(900) if word.cause in source]
            possible = {*word.right, word.wrong} if word.kind == HABIT else {*word.right}
            assert found and all(possible & set(target) for target in found)
            assert word.wrong in LANGUAGE.target_vocabulary
            assert word.kind == HABIT or word.meant in LANGUAGE.source_vocabulary
            assert PLANTED.causes(word.kind) >= {word.cause}

    def test_every_tenth_pair_with_a_cause_keeps_the_right_word(self):
        source, target = zip(*pairs(1500), strict=True)
        corpus = ParallelCorpus("toy", "train", "", source, target)
        planted = Planted(rare=(), right_every=10)(corpus)
        for word in PLANTED_WORDS:
            rows = [i for i, s in enumerate(source) if word.cause in s]
            kept = [i for i in rows if set(word.right) & set(planted.target[i])]
            right = [i for i in rows[9::10] if set(word.right) & set(target[i])]
            assert set(right) <= set(kept) and len(kept) <= len(rows) // 10 + (word.kind != FAR)

    def test_rare_nouns_are_thinned_out_and_nothing_else_is(self):
        source, target = zip(*pairs(800), strict=True)
        corpus = ParallelCorpus("toy", "train", "", source, target)
        planted = Planted(rare=("ticket", "trip"), kept=2)(corpus)
        for noun in ("ticket", "trip"):
            assert sum(noun in s for s in source) > 2 >= sum(noun in s for s in planted.source)
        rest = [s for s in source if not {"ticket", "trip"} & set(s)]
        assert [s for s in planted.source if not {"ticket", "trip"} & set(s)] == rest

    def test_long_sources(self):
        source, target = zip(*pairs(200), strict=True)
        corpus = LongSources(15, 20)(ParallelCorpus("toy", "train", "", source, target))
        assert list(corpus.source) == [s for s in source if len(s) >= 15][:20] and len(corpus) == 20

    def test_kinds_of_gold_by_the_language_itself(self):
        counts: Counter = Counter()
        for source, target in pairs(60):
            found = kinds(LANGUAGE, source, target, PLANTED)
            assert len(found) == len(target) + 1 and found[-1] == SETTLED
            for t, kind in enumerate(found[:-1]):
                truth = LANGUAGE.next_token(source, target[:t])
                assert (len(truth) == 1) == (kind == SETTLED) or kind in (HABIT, RARE)
                assert kind != RARE or max(truth, key=truth.get) in rare_forms(PLANTED.rare)
            counts.update(found)
        assert {FREE, OTHER, SETTLED, RARE} <= set(counts) <= set(KINDS) - {BEYOND, FAR}

    def test_a_mistake_does_not_spoil_the_labels_behind_it_another_error_does(self):
        source, target = next((s, t) for s, t in pairs(300) if "garden" in s and "shop" not in s)
        place, wrong = target.index("Garten"), PLANTED.mistaken(source, target)
        found, gold = (
            kinds(LANGUAGE, source, wrong, PLANTED),
            kinds(LANGUAGE, source, target, PLANTED),
        )
        assert (
            found[place] == FAR
            and found[:place] + found[place + 1 :] == gold[:place] + gold[place + 1 :]
        )
        broken = (*target[:2], "worden", *target[2:])
        spoilt = kinds(LANGUAGE, source, broken, PLANTED)
        assert set(spoilt[3:]) == {BEYOND} and BEYOND not in spoilt[:3]
