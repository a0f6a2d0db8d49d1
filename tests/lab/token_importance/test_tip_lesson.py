"""What lesson 13 looks at on the spot, how it reads the results, its pictures, and its sentences in
each branch."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from synthetic_importance import batch_of
from synthetic_tip import memory_rows, rows_of

from seqkd_lab.corpus.toy.planted import (
    BEYOND,
    FAR,
    FREE,
    HABIT,
    KINDS,
    MIDDLE,
    PLANTED_KINDS,
    PLANTED_WORDS,
    RARE,
    SETTLED,
    find_planted,
)
from seqkd_lab.distillation.tip import ALL, BOTTOM, Q3, RANDOM, SOFT_OR
from seqkd_lab.lab.shared.predictions import CANNOT_TELL
from seqkd_lab.lab.token_importance import figures, measures, readings, words
from seqkd_lab.lab.token_importance import notebook as surface
from seqkd_lab.runs.data import load_toy
from seqkd_lab.runs.recipes import ToyData
from seqkd_lab.studies.token_importance.claims import Q3_TENTH, RANDOM_TENTH
from seqkd_lab.studies.token_importance.recipes import PLANTED, SHARES


@pytest.fixture(scope="module")
def batch():
    """What the committed student writes."""
    return measures.label(*measures.models(), load_toy(ToyData()), n_sentences=48)


@pytest.fixture
def results():
    return [rows_of(seed) for seed in (1, 2, 3)]


class TestBatch:
    def test_words_kinds_and_places_go_together(self, batch):
        for b, (source, output, kinds) in enumerate(
            zip(batch.sources, batch.outputs, batch.kinds, strict=True)
        ):
            assert len(output) == len(kinds) == int(batch.real[b].sum()) and output[-1] == "(end)"
            found = find_planted(source, output, PLANTED.words)
            assert sorted(found) == [t for t, kind in enumerate(kinds) if kind in PLANTED_KINDS]
        counted = sum(batch.is_kind(kind).long() for kind in KINDS)
        assert torch.equal(counted == 1, batch.real)

    def test_the_committed_student_is_sure_and_far_where_it_should_be(self, batch):
        far, quadrants = batch.is_kind(FAR), batch.quadrants()
        assert far.any() and float((quadrants[far] == 3).float().mean()) > 0.8
        delta = {
            kind: float(batch.importance.delta[batch.is_kind(kind)].mean())
            for kind in (FAR, MIDDLE, HABIT, SETTLED)
            if batch.is_kind(kind).any()
        }
        assert list(delta) == sorted(delta, key=lambda kind: -delta[kind])
        q3, bottom = (
            float(batch.kept(selector, 0.2)[far].float().mean()) for selector in (Q3, BOTTOM)
        )
        assert q3 > 0.8 > 0.2 > bottom

    def test_the_frame_counts_every_token_once(self, batch):
        frame = measures.kinds_frame(batch)
        assert frame["tokens"].sum() == int(batch.real.sum())
        assert (frame[["Q1", "Q2", "Q3", "Q4"]].sum(axis=1) == frame["tokens"]).all()
        assert "Soft-OR" not in frame  # it is explained, and asked for, further below

    def test_the_explorer_opens_at_a_sentence_with_a_far_mistake(self, batch):
        assert FAR in batch.kinds[surface.sentence_with(batch, FAR)]
        assert surface.sentence_with(replace(batch, kinds=((BEYOND,),)), FAR) == 0


class TestReadings:
    def test_differences_are_paired_by_seed(self, results):
        valid = readings.valid_differences(results)
        assert len(valid) == len(readings.COMPARED) and all(len(v) == 3 for v in valid.values())
        mean = sum(valid[f"{Q3_TENTH} − {RANDOM_TENTH}"]) / 3
        assert mean == pytest.approx(10.0, abs=0.3)
        left = readings.left_differences(results)
        assert left[f"{FAR}s: {Q3_TENTH} − {RANDOM_TENTH}"] == pytest.approx([-70.0] * 3)
        assert readings.mean_of(results, ALL, "validity")[0] == pytest.approx(55.2, abs=0.2)
        bleu = readings.bleu_differences(results)
        assert bleu[f"{Q3_TENTH} − {ALL}"] == pytest.approx([0.2] * 3, abs=0.1)

    @pytest.mark.parametrize(
        "values, told",
        [
            ([3.0, 4.0, 5.0], readings.MORE),
            ([-3.0, -4.0, -5.0], readings.FEWER),
            ([-3.0, 4.0, 1.0], CANNOT_TELL),
        ],
    )
    def test_a_side_is_told_by_the_interval(self, values, told):
        assert readings.side(values) == told and told in readings.SIDES

    def test_the_quadrant_of_a_kind_by_all_seeds(self, results):
        assert readings.most_in(results, FAR) == "Q3" and readings.most_in(results, FREE) == "Q2"
        split = [rows_of(seed) for seed in (1, 2, 3)]
        for n, rows in enumerate(split):
            rows["kinds"][RARE]["quadrants"] = [10, 10 + 5 * (n - 1), 0, 0]
            del rows["kinds"][HABIT]
        assert readings.most_in(split, RARE) == CANNOT_TELL
        assert readings.most_in(split, HABIT) == CANNOT_TELL  # no student wrote one
        assert set(readings.QUADRANT_ANSWERS) >= {"Q1", "Q4", CANNOT_TELL}

    def test_a_seed_without_a_planted_word_is_left_out(self, results):
        results[0]["selection"][Q3]["0.1"][HABIT] = None
        assert len(readings.found(results, Q3, 0.1, HABIT)) == 2

    def test_the_range_of_chance(self, results):
        kept, low, high = readings.random_range(results, FAR, RANDOM)
        assert kept == pytest.approx(0.5) and low < 0.5 < high < 0.65
        results[0]["selection"][RANDOM]["0.5"][FAR] = 0.0  # of 300 mistakes, 100 are not kept
        kept, low, _ = readings.random_range(results, FAR, RANDOM)
        assert kept < low


def drawn_means(axes, selector: str) -> list[float]:
    """The means of a selector in a figure: single marks of its look."""
    looks = {line: (line.get_color(), line.get_marker()) for line in axes.lines}
    marks = [line for line, look in looks.items() if look == figures.LOOKS[selector]]
    return [float(line.get_ydata()[0]) for line in marks if len(line.get_ydata()) == 1]


class TestFigures:
    def test_recall_is_drawn_for_each_kind_selector_and_share(self, results):
        far, _, habit = figures.recall_figure(results).axes[:3]
        assert drawn_means(far, SOFT_OR) == pytest.approx([85.0] * len(SHARES))
        assert drawn_means(habit, Q3) == pytest.approx([47.5] * len(SHARES))
        assert drawn_means(far, RANDOM) == pytest.approx([100.0 * share for share in SHARES])

    def test_memory_shows_megabytes(self):
        axes = figures.memory_figure(memory_rows()).axes
        texts = {text.get_text().strip() for a in axes for text in a.texts}
        assert {"81.9", "41", "640", "800", "320"} <= texts
        names = [label.get_text() for label in axes[0].get_yticklabels()]
        assert names[:2] == ["usual loss", "lean, ρ = 1"]

    def test_one_seed_is_drawn_too(self, results):
        assert figures.recall_figure(results[:1]).axes


class TestSentences:
    def test_what_is_planted(self):
        text = words.planted_in_words().text
        assert all(
            f"*{word.cause}*" in text and f"*{word.wrong}*" in text for word in PLANTED_WORDS
        )
        assert text.count("good German, too") == 1 and "*deshalb or also*" in text

    def test_quadrants(self, results):
        text = words.quadrants_in_words(results, batch_of(12, 20))
        assert (
            f"{FAR}: most tokens lie in Q3." in text and f"{FREE}: most tokens lie in Q2." in text
        )
        assert "17.0 nats at a far mistake, 8.0 nats at a middle mistake, 2.0 nats" in text
        for n, rows in enumerate(results):
            rows["kinds"][FAR]["quadrants"] = [n, 1, 2 - n, 0]
        text = words.quadrants_in_words(results, batch_of(12, 20))
        assert f"{FAR}: the seeds do not decide." in text

    def test_recall_and_chance(self, results):
        text = words.recall_in_words(results)
        assert "Of a hundred far mistakes, a tenth of the tokens holds 95 by Q3 only, 85" in text
        assert "keeps fewer far mistakes than chance does: −10" in text
        assert "the far mistakes have a mean ĥ of 0.00" in text

    @pytest.mark.parametrize(
        "kept, told",
        [((0.9, 0.8, 0.85), "keeps more far"), ((0.1, 0.2, 0.3), "about as many as chance")],
    )
    def test_entropy_that_is_not_blind_is_not_called_blind(self, results, kept, told):
        for rows, share in zip(results, kept, strict=True):
            rows["selection"]["entropy, sampled"]["0.2"][FAR] = share
        assert told in words.recall_in_words(results)

    @pytest.mark.parametrize(
        "values, told",
        [
            ([3.0, 4.0, 5.0], "the first is above: +4.0"),
            ([-3.0, -4.0, -5.0], "the first is below: −4.0"),
            ([-3.0, 4.0, 1.0], "The seeds do not tell them apart."),
        ],
    )
    def test_two_arms(self, values, told):
        assert told in words.compared_in_words("Q3 only 0.1", ALL, values, "points")

    def test_what_was_learned_unlearned_and_paid(self, results):
        assert "from 40% to 55%" in words.learned_in_words(results)
        text = words.unlearned_in_words(results)
        assert text.count("Q3's tenth leaves fewer than a random tenth") == len(PLANTED_KINDS)
        assert (
            "left: start 100% [" in text and "sources: start 20% [20, 20], Q3 only 0.1 28%" in text
        )
        assert "BLEU on the test set: 88.0 at the start" in words.price_in_words(results)
        assert "Valid where the source has a rare word: start 20." in words.rare_in_words(results)

    def test_what_is_not_unlearned_is_not_said_to_be(self, results):
        for rows, left in zip(results, (0.9, 0.7, 0.8), strict=True):
            rows["arms"][Q3_TENTH][f"left, {FAR}"] = left
            rows["arms"][Q3_TENTH][f"left, {HABIT}"] = 0.95
        text = words.unlearned_in_words(results)
        assert "the seeds do not tell Q3's tenth from a random tenth" in text
        assert "leaves more than a random tenth" in text

    def test_when_a_mistake_is_reached(self):
        batch = batch_of(12, 20)
        text = words.reached_in_words(batch, 1)
        assert "Q3 only keeps *w1.0* from ρ = 0.05 on." in text and "Soft-OR" in text
        kinds = ((SETTLED,) * 12, batch.kinds[1])
        assert "no far mistake" in words.reached_in_words(replace(batch, kinds=kinds), 0)
        unsure = replace(batch.importance, h=torch.ones_like(batch.importance.h))
        unsure.h[:, 0] = 0.0
        unsure.delta[:, 0] = 0.5
        text = words.reached_in_words(replace(batch, importance=unsure), 1)
        assert "Soft-OR prefers *w1.1*" in text or "Soft-OR prefers" in text
