"""Δ-IFD by its definition, sources that are dropped, and which values are kept."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from small_corpus import TINY, write_text
from small_rollouts import ENCODED, SOURCES, VOCABULARY, make_student, make_teacher, weights

from seqkd_lab.corpus.batching import encode, make_batch
from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.corpus.vocabulary import EOS
from seqkd_lab.decoding.scoring import token_log_probs
from seqkd_lab.distillation.delta_ifd import (
    SourceDropout,
    delta_ifd,
    ifd,
    keep_middle,
    keep_random,
    mean_cross_entropy,
    with_empty_sources,
)
from seqkd_lab.runs.recipes import BASELINE, table_recipes
from seqkd_lab.runs.store import Store, key

BATCH = make_batch(ENCODED, range(6))


def test_it_is_the_definition_sentence_by_sentence():
    student, teacher = make_student(), make_teacher()
    found = delta_ifd(student, teacher, BATCH)
    for i in range(6):
        one, values = make_batch(ENCODED, [i]), []
        lone = make_batch(
            encode(ParallelCorpus("", "", "", ((),), (SOURCES[i],)), VOCABULARY, VOCABULARY), [0]
        )
        assert lone.source.tolist() == [[EOS]]
        for model in (student, teacher):
            with torch.no_grad():
                s = [-token_log_probs(model(b), b).sum() / b.n_tokens for b in (one, lone)]
            values.append(float(s[0] / s[1]))
        assert found[i].item() == pytest.approx(values[0] - values[1], abs=1e-5)


def test_a_model_that_is_its_own_teacher_has_none():
    student = make_student()
    assert delta_ifd(student, student, BATCH).abs().max() == 0.0
    assert torch.allclose(
        ifd(student, BATCH)
        * mean_cross_entropy(student, with_empty_sources(BATCH, torch.ones(6, dtype=torch.bool))),
        mean_cross_entropy(student, BATCH),
    )


def test_source_dropout_empties_its_share_and_nothing_else():
    batch, drop = make_batch(ENCODED, [i % 40 for i in range(2000)]), SourceDropout(0.1)
    found = drop(make_student(), batch, seed=3)
    empty = found.source_lengths == 1
    assert 0.07 < float(empty.float().mean()) < 0.13 and bool((found.source[empty, 0] == EOS).all())
    assert torch.equal(found.target_out, batch.target_out)
    assert torch.equal(found.source[~empty], batch.source[~empty, : found.source.shape[1]])
    assert torch.equal(drop(make_student(), batch, seed=3).source, found.source)
    with pytest.raises(ValueError, match="share"):
        SourceDropout(0.0)


def test_a_recipe_may_have_it_and_trains_by_it(tmp_path):
    recipe = table_recipes(write_text(tmp_path / "text"), TINY, 1)[BASELINE]
    dropped = replace(recipe, batch_transform=SourceDropout(0.5))
    assert key(dropped) != key(recipe) != key(replace(recipe, batch_transform=SourceDropout(0.1)))
    store = Store(tmp_path / "runs")
    assert not torch.equal(weights(store.model(dropped)), weights(store.model(recipe)))


def test_the_middle_drops_as_many_at_either_end():
    values = torch.randn(200, generator=torch.Generator().manual_seed(1))
    keep = keep_middle(values, 0.9)
    assert int(keep.sum()) == 180
    assert (
        int((values[~keep] < values[keep].min()).sum())
        == int((values[~keep] > values[keep].max()).sum())
        == 10
    )
    chance = keep_random(200, 0.9, torch.Generator().manual_seed(2))
    assert int(chance.sum()) == 180 and not torch.equal(chance, keep)
