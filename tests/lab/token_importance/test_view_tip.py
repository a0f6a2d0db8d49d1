"""The token explorer: every value of every control draws, shows what is kept, and escapes what it
shows."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from synthetic_importance import batch_of

from seqkd_lab.corpus.toy.planted import BEYOND, FAR, SETTLED
from seqkd_lab.distillation.tip import ALL, SELECTORS, SOFT_OR
from seqkd_lab.lab.token_importance.explorer import (
    COLUMNS,
    ROWS,
    ImportanceDrawing,
    importance_figure,
)
from seqkd_lab.lab.token_importance.view import TokenExplorer


@pytest.fixture
def explorer():
    return TokenExplorer(batch_of(12, 20, 7, 40))


def test_every_control_draws_through_its_whole_range(explorer):
    for sentence in range(4):
        explorer.sentence.value = sentence
        for selector in SELECTORS:
            if selector == ALL:
                continue
            explorer.selector.value = selector
            assert selector in explorer.text.value and f"source {sentence}" in explorer.text.value
    counts = []
    for hundredths in range(explorer.share.min, explorer.share.max + 1, explorer.share.step):
        explorer.share.value = hundredths
        counts.append(int(explorer.batch.kept(explorer.selector.value, hundredths / 100).sum()))
        assert f"{counts[-1]} of 79 tokens" in explorer.text.value
    assert counts == sorted(counts) and counts[-1] == 79


def test_each_selector_and_share_has_a_picture_of_its_own(explorer):
    pictures = set()
    for selector in (SOFT_OR, "bottom", "Q3 only"):
        for hundredths in (20, 50):
            explorer.selector.value, explorer.share.value = selector, hundredths
            pictures.add(bytes(explorer.image.value))
    assert len(pictures) == 6


def test_kept_words_are_said_in_bold_and_counted_by_kind(explorer):
    explorer.selector.value, explorer.share.value = "Q3 only", 10
    assert (
        "<b><u>w0.0</u></b>" in explorer.text.value
        and "<b><u>w0.1</u></b>" not in explorer.text.value
    )
    row = explorer.text.value.split(FAR)[1]
    assert (
        row.split("</tr>")[0].count(">4<") == 1 and ">3<" in row.split("</tr>")[0]
    )  # the one of 7 tokens keeps none


def test_chance_stays_the_same_while_one_looks(explorer):
    explorer.selector.value = "random"
    first = bytes(explorer.image.value)
    explorer.selector.value = SOFT_OR
    explorer.selector.value = "random"
    assert bytes(explorer.image.value) == first


def test_what_a_corpus_says_is_escaped():
    batch = batch_of(12)
    nasty = replace(
        batch,
        sources=(("<script>alert(1)</script>", "<b>x</b>"),),
        outputs=(("<i>y</i>", "$x$", *batch.outputs[0][2:]),),
    )
    text = TokenExplorer(nasty).text.value
    assert (
        "<script" not in text and "<i>" not in text and "<b>x" not in text and "&lt;script" in text
    )


def test_the_still_twin_shows_the_same_words_and_numbers():
    batch = batch_of(12, 20)
    figure = importance_figure(batch, SOFT_OR, 0.5, 1)
    texts = [text.get_text() for axes in figure.axes for text in [*axes.texts, *axes.artists]]
    assert set(batch.outputs[1]) <= set(texts) and "10 of 20 tokens teach (yellow)" in texts
    settled = batch.is_kind(SETTLED)
    assert f"{int((batch.kept(SOFT_OR, 0.5) & settled).sum())} of {int(settled.sum())}" in texts
    assert "Soft-OR, ρ = 0.5" in figure.axes[0].get_title()
    for outside in (-1, 2):
        with pytest.raises(ValueError, match="sentences 0 to 1"):
            importance_figure(batch, SOFT_OR, 0.5, outside)


def test_a_long_sentence_is_shown_as_far_as_there_is_room():
    drawing = ImportanceDrawing(batch_of(7, 40))
    drawing.show(SOFT_OR, 0.2, 1)
    assert f"the first {ROWS * COLUMNS} are shown" in drawing._words.head.get_text()


def test_lines_of_equal_soft_or_are_where_the_score_says():
    batch = batch_of(12, 20)
    drawing, real = ImportanceDrawing(batch), batch.real
    for line in drawing.picture.figure.axes[0].lines:
        if line.get_xdata() is not None and len(line.get_xdata()) == 200:
            h, delta = (
                torch.tensor(line.get_xdata()),
                torch.tensor(line.get_ydata() ** 2) / batch.most_delta,
            )
            s = h + delta - h * delta
            assert s.max() - s.min() < 1e-6
    assert float(batch.score[real].max()) == pytest.approx(1.0)


def test_a_view_without_a_sentence_is_refused():
    batch = batch_of(12)
    with pytest.raises(ValueError, match="sentence"):
        TokenExplorer(replace(batch, sources=()))
    assert not batch.is_kind(BEYOND)[~batch.real].any()
