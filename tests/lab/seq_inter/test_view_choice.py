"""Seq-Inter's choice: equal to the library's and to a plain search for the best; every value of
every control draws."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from seqkd_lab.distillation.sequence_level import nearest_to_gold
from seqkd_lab.lab.seq_inter import tuning, views
from seqkd_lab.lab.seq_inter.choice import (
    BEGINNING,
    BLEU,
    SHARED,
    SIMILARITIES,
    choice_figure,
    means,
    read_candidates,
    same_beginning,
    shared_words,
)
from seqkd_lab.lab.seq_inter.views import ChoiceExplorer
from seqkd_lab.runs.verdicts import mean_and_interval

sentences = st.lists(st.sampled_from("abcd"), max_size=7).map(tuple)


@pytest.fixture(scope="module")
def read(toy, toy_models):
    return read_candidates(toy_models["teacher"], toy.train[:12], K=6)


@given(sentences, sentences)
def test_the_plain_similarities_are_what_they_say(hypothesis, gold):
    (shared,), (beginning,) = shared_words([hypothesis], gold), same_beginning([hypothesis], gold)
    rest = list(gold)
    matched = [rest.remove(word) for word in hypothesis if word in rest]
    assert shared == pytest.approx(100.0 * 2 * len(matched) / max(1, len(hypothesis) + len(gold)))
    equal = next(
        (i for i, pair in enumerate(zip(hypothesis, gold, strict=False)) if len(set(pair)) > 1),
        min(len(hypothesis), len(gold)),
    )
    assert beginning == pytest.approx(100.0 * equal / max(1, len(gold)))
    assert 0.0 <= shared <= 100.0 + 1e-9 and 0.0 <= beginning <= 100.0


def test_the_choice_is_the_librarys(read):
    for each in read:
        for K in range(1, 7):
            place = each.chosen(K, BLEU)
            assert (
                each.hypotheses[place].tokens
                == nearest_to_gold(each.hypotheses[:K], each.gold).tokens
            )
            for name in (SHARED, BEGINNING):
                best = each.chosen(K, name)
                assert all(
                    (each.similarity[name][i], -i) <= (each.similarity[name][best], -best)
                    for i in range(K)
                )


def test_more_candidates_never_lower_the_similarity_and_never_raise_the_log_probability(read):
    assert all(
        each.hypotheses[0].log_prob == max(h.log_prob for h in each.hypotheses) for each in read
    )
    for name in SIMILARITIES:
        found = means(read, name)
        assert list(found.similarity) == sorted(found.similarity)
        assert max(found.log_prob) == found.log_prob[0]
        assert found.mode[0] == 1.0 and list(found.gold) == sorted(found.gold)
    with pytest.raises(ValueError, match="at least one sentence"):
        means([], BLEU)


def test_one_candidate_alone_switches_the_slider_off(toy, toy_models):
    view = ChoiceExplorer(read_candidates(toy_models["teacher"], toy.train[:2], K=1))
    assert (
        view.K.disabled
        and view.K.value == view.K.min < view.K.max
        and "K = <b>1</b>" in view.text.value
    )


@pytest.mark.slow
def test_every_control_draws_through_its_whole_range(read):
    view = ChoiceExplorer(read)
    for sentence in range(len(read)):
        view.sentence.value = sentence
        assert view.data is read[sentence]
        for name in SIMILARITIES:
            view.similarity.value = name
            pictures = set()
            for K in range(view.K.min, view.K.max + 1):
                view.K.value = K
                pictures.add(view.image.value)
                chosen = view.data.hypotheses[view.data.chosen(K, name)]
                assert (
                    " ".join(chosen.tokens) in view.text.value
                    and f"K = <b>{K}</b>" in view.text.value
                )
            assert len(pictures) == view.K.max  # each K has a picture of its own


def test_the_candidates_are_listed_gold_and_the_chosen_one_among_them(read, monkeypatch):
    monkeypatch.setattr(views, "MOST_ROWS", 2)
    view = ChoiceExplorer(read)
    for K in range(1, 7):
        view.K.value = K
        each, place = view.data, view.data.chosen(K, BLEU)
        shown = sorted({0, 1, place} & set(range(K)))
        for at, hypothesis in enumerate(each.hypotheses):
            row = f'>{" ".join(hypothesis.tokens)}</td><td style="padding:0 .8em">{at + 1}<'
            assert (row in view.text.value) == (at in shown)
        assert " ".join(each.gold) in view.text.value
        assert ("more)" in view.text.value) == (K > len(shown))


def test_text_is_escaped(read):
    from dataclasses import replace

    evil = [replace(each, source=("<script>",), gold=("<b>",)) for each in read]
    assert "<script>" not in ChoiceExplorer(evil).text.value


def test_the_still_twin_shows_the_same(read):
    figure = choice_figure(read[0], means(read, SHARED), 3, SHARED)
    assert figure.axes[0].get_xlabel().startswith("similarity")
    nearest = figure.axes[0].lines[3]
    place = read[0].chosen(3, SHARED)
    assert list(nearest.get_xdata()) == [read[0].similarity[SHARED][place]]


def test_fine_tuning_learns_from_the_choices_and_leaves_the_model_alone(toy, toy_models, read):
    corpus = tuning.chosen_corpus(toy.train[:12], read, 6)
    assert corpus.source == toy.train[:12].source
    assert corpus.target == tuple(
        nearest_to_gold(each.hypotheses, each.gold).tokens for each in read
    )
    model = toy_models["baseline"]
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    tuned = tuning.fine_tuned("it", model, corpus, toy.valid[:4], 0.01)
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())
    assert any(not torch.equal(before[name], tensor) for name, tensor in tuned.state_dict().items())


def test_gains_are_differences_by_seed_and_their_figure_holds_each():
    rows = [
        {
            "a": {"greedy": {"bleu": x}, "beam": {"bleu": x + 1}},
            "b": {"greedy": {"bleu": 2 * x}, "beam": {"bleu": 9}},
        }
        for x in (1.0, 2.0, 4.0)
    ]
    gains = tuning.table_gains(rows, {"b after a": ("a", "b")})
    assert gains == {"b after a": {tuning.GREEDY: [1.0, 2.0, 4.0], tuning.BEAM: [7.0, 6.0, 4.0]}}
    axes = tuning.table_gains_figure(gains).axes[0]
    drawn = [list(line.get_xdata()) for line in axes.lines]
    assert [1.0, 2.0, 4.0] in drawn and list(mean_and_interval([7.0, 6.0, 4.0])[1]) in drawn
