"""The exposure explorer shows what its tables say, opens at the worst position, and escapes what it
shows; what all views have in common is in test_view_events.py."""

from __future__ import annotations

import pytest
import torch
from torch.distributions import Categorical, kl_divergence

from seqkd_lab.corpus.batching import encode, make_batch
from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.corpus.vocabulary import Vocabulary
from seqkd_lab.distillation.exposure import GOLD, STUDENT, WRITERS, written_by
from seqkd_lab.lab.on_policy.explorer import (
    BETAS,
    LEAST_SENTENCES,
    N_COLUMNS,
    N_ROWS,
    beta_in_words,
    exposure_figure,
    exposure_table,
    first_shown,
    most_nats,
    telling_position,
)
from seqkd_lab.lab.on_policy.view import ExposureExplorer
from seqkd_lab.lab.shared.distribution_columns import END
from seqkd_lab.models.lstm import LSTMSeq2Seq, LSTMSpec

N_SHOWN = 3


@pytest.fixture(scope="module")
def tables(toy, toy_models):
    return {
        name: exposure_table(model, toy_models["teacher"], toy.test[:25], N_SHOWN)
        for name, model in toy_models.items()
        if name != "teacher"
    }


@pytest.fixture
def explorer(tables):
    return ExposureExplorer(tables)


class TestTable:
    def test_its_ends_are_torchs_kls_at_each_place(self, toy, toy_models, tables):
        student, teacher = toy_models["baseline"], toy_models["teacher"]
        batch = make_batch(
            encode(toy.test[:1], student.source_vocabulary, student.target_vocabulary), [0]
        )
        with torch.no_grad():
            own, other = (
                Categorical(logits=student(batch)[0]),
                Categorical(logits=teacher(batch)[0]),
            )
        shown = tables["baseline"].sentences[GOLD][0]
        assert torch.allclose(shown.divergence[0], kl_divergence(other, own), atol=1e-4)
        assert torch.allclose(shown.divergence[-1], kl_divergence(own, other), atol=1e-4)
        assert torch.allclose(shown.student, own.probs, atol=1e-6) and shown.tokens == (
            *toy.test.target[0],
            "</s>",
        )

    def test_curves_are_means_over_all_sentences_and_each_writer_has_its_own(
        self, toy, toy_models, tables
    ):
        table = tables["seq-kd"]
        assert (
            set(table.curves) == set(table.sentences) == set(WRITERS)
            and len(table.sources) == N_SHOWN
        )
        drawn = written_by(toy_models["seq-kd"], toy_models["teacher"], toy.test[:25], 1)
        for writer in WRITERS:
            counts = table.curves[writer][0].count
            assert counts[0] == 25 and int(counts.sum()) == sum(
                len(target) + 1 for target in drawn[writer].target
            )
            assert len(table.curve(writer, 0.3)) > len(table.curve(writer, 0.3, 20))
            assert [one.tokens[:-1] for one in table.sentences[writer]] == list(
                drawn[writer].target[:N_SHOWN]
            )

    def test_nothing_to_show_is_refused(self, toy, toy_models):
        for pairs, n in ((toy.test[:0], 3), (toy.test[:2], 0)):
            with pytest.raises(ValueError, match="at least one sentence"):
                exposure_table(toy_models["baseline"], toy_models["teacher"], pairs, n)


def test_the_scale_holds_every_curve(tables):
    top = most_nats(list(tables.values()))
    highest = max(
        value
        for table in tables.values()
        for writer in WRITERS
        for beta in BETAS
        for value in table.curve(writer, beta, LEAST_SENTENCES)
    )
    assert highest < top < 2.0 * highest


@pytest.mark.parametrize("position", range(0, 60, 7))
def test_the_chosen_position_is_among_the_boxes(position):
    start = first_shown(position)
    assert start % N_COLUMNS == 0 and 0 <= position - start < N_COLUMNS * N_ROWS


@pytest.mark.slow
def test_a_translation_opens_at_its_worst_position_and_every_number_is_in_words(explorer):
    for name in explorer.tables:
        explorer.student.value = name
        for writer in WRITERS:
            explorer.writer.value = writer
            for sentence in range(N_SHOWN):
                explorer.sentence.value = sentence
                shown = explorer.data
                assert shown is explorer.tables[name].sentences[writer][sentence]
                worst = shown.worst(explorer.beta.value)
                assert explorer.position.value == worst + 1 or len(shown.tokens) == 1
                assert f"at position {worst + 1}" in explorer.text.value
    for beta in BETAS:
        explorer.beta.value = beta
        assert beta_in_words(beta).split(":")[0] in explorer.text.value
    for position in range(1, len(explorer.data.tokens) + 1):
        explorer.position.value = position
        nats = float(explorer.data.divergence[BETAS.index(explorer.beta.value)][position - 1])
        assert f"{nats:.3f} nats at position {position}," in explorer.text.value


def test_a_translation_of_nothing_but_its_end_switches_the_position_off(toy, toy_models):
    pairs = ParallelCorpus("one", "test", "", (toy.test.source[0],), ((),))
    explorer = ExposureExplorer(
        {"a": exposure_table(toy_models["baseline"], toy_models["teacher"], pairs)}
    )
    explorer.writer.value = GOLD
    assert explorer.position.disabled and "at position 1," in explorer.text.value
    explorer.writer.value = STUDENT
    assert explorer.position.disabled == (len(explorer.data.tokens) == 1)


def test_the_still_twin_shows_the_same_words_and_numbers(explorer):
    explorer.writer.value, explorer.sentence.value = GOLD, 1
    table, shown = explorer.tables[explorer.student.value], explorer.data
    figure = exposure_figure(table, 1, GOLD, 1.0)
    texts = [artist.get_text() for axes in figure.axes for artist in [*axes.texts, *axes.artists]]
    start = first_shown(shown.worst(1.0))
    for t in range(start, min(len(shown.tokens), start + N_COLUMNS * N_ROWS)):
        word = END if shown.tokens[t] == "</s>" else shown.tokens[t]
        assert word in texts and f"{float(shown.divergence[-1][t]):.2f}" in texts
    assert beta_in_words(1.0) in texts
    assert any(f"{table.per_token(STUDENT, 1.0):.2f} nats a token" in text for text in texts)


def test_what_a_corpus_says_is_escaped():
    words = ("<b>bold</b>", "<script>alert(1)</script>", "$x$", "&amp;")
    vocabulary, models = Vocabulary.build([words]), []
    for seed in (1, 2):
        torch.manual_seed(seed)
        models.append(LSTMSeq2Seq(LSTMSpec(width=8), vocabulary, vocabulary).eval())
    corpus = ParallelCorpus("nasty", "test", "", (words,), (words,))
    explorer = ExposureExplorer({"<i>student</i>": exposure_table(*models, corpus)})
    for writer in WRITERS:
        explorer.writer.value = writer
        for position in range(1, len(explorer.data.tokens) + 1):
            explorer.position.value = position
            text = explorer.text.value
            assert "<script" not in text and "<b>bold" not in text and "<i>" not in text
    explorer.writer.value = GOLD
    assert "&lt;script" in explorer.text.value


def test_what_cannot_be_shown_is_refused(toy, toy_models, tables):
    with pytest.raises(ValueError, match="student"):
        ExposureExplorer({})
    other = exposure_table(toy_models["baseline"], toy_models["teacher"], toy.test[5:8], N_SHOWN)
    with pytest.raises(ValueError, match="same sentences"):
        ExposureExplorer({**tables, "other": other})
    table = tables["baseline"]
    for wrong in ({"beta": 0.05}, {"writer": "nobody"}, {"position": 500}, {"position": -1}):
        with pytest.raises(ValueError, match="β|position"):
            exposure_figure(table, 0, **wrong)


def test_the_telling_position_is_the_furthest_that_is_still_below_a_limit(toy, toy_models):
    table = exposure_table(toy_models["baseline"], toy_models["teacher"], toy.test[:6], 6)
    largest = [
        float(shown.divergence[:, place].max())
        for shown in table.sentences[STUDENT]
        for place in range(len(shown.tokens))
    ]
    for most in (2.0, 0.5 * (min(largest) + max(largest))):
        shown, place = telling_position(table, most)
        expected = max((value for value in largest if value < most), default=min(largest))
        assert float(shown.divergence[:, place].max()) == expected
    shown, place = telling_position(table, 0.0)
    assert float(shown.divergence[:, place].max()) == min(largest)
