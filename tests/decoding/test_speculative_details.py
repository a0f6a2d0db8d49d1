"""What rounds, traces and laws say in detail, and what each setting of a model or a draft
changes."""

from __future__ import annotations

import pytest
import torch
from small_models import LSTM, SOURCE, TRANSFORMER, WORDS, model

from seqkd_lab.corpus.batching import source_batch
from seqkd_lab.corpus.vocabulary import BOS, Vocabulary
from seqkd_lab.decoding.distribution import SamplingDistribution
from seqkd_lab.decoding.draft_trace import trace_speculative
from seqkd_lab.decoding.sampling import sample
from seqkd_lab.decoding.speculative import Round, accepted, residual, speculative_sample
from seqkd_lab.models.architectures import build
from seqkd_lab.models.transformer import TransformerSpec


def test_a_word_that_the_target_never_writes_is_refused_even_where_r_is_0():
    assert not accepted(torch.tensor(0.3), torch.tensor(0.0), torch.tensor(0.0))


@pytest.mark.slow
@pytest.mark.parametrize(
    "distribution",
    [
        SamplingDistribution(0.5),
        SamplingDistribution(1.5),
        SamplingDistribution(top_k=2),
        SamplingDistribution(top_p=0.6),
    ],
)
def test_the_law_is_the_drafts_too(distribution):
    """A draft that is the target proposes by the same law, so that every word stands whatever the
    law."""
    target, rounds = model(TRANSFORMER, 0), []
    speculative_sample(
        target, target, [SOURCE] * 100, 1, 3, distribution, 5, 1, observer=rounds.append
    )
    assert all(int(one.n_accepted) == one.drafted.shape[1] for one in rounds)


@pytest.mark.slow
def test_a_round_shows_the_refused_word_and_not_the_one_written_in_its_place():
    rounds: list[Round] = []
    speculative_sample(
        model(TRANSFORMER, 0),
        model(LSTM, 10),
        [SOURCE] * 50,
        1,
        3,
        batch_size=1,
        observer=rounds.append,
    )
    refusing = [one for one in rounds if int(one.n_accepted) < one.drafted.shape[1]]
    assert len(refusing) > 10
    for one in refusing:
        refused = one.drafted[0, int(one.n_accepted)]
        assert one.extra_distribution[0, refused] == 0.0 < one.extra_distribution[0, one.extra[0]]


def law_after(of, words, distribution: SamplingDistribution) -> torch.Tensor:
    """The law of the word after `words`, from a state of its own."""
    state = of.start(*source_batch([SOURCE], of.source_vocabulary))
    read = torch.tensor([[BOS, *of.target_vocabulary.ids(words)]])
    return distribution(of.step(read, state)[0][0, -1])


@pytest.mark.slow
@torch.no_grad()
def test_the_laws_of_a_trace_are_those_of_its_places():
    target, draft, distribution, n_refused = (
        model(TRANSFORMER, 0),
        model(LSTM, 10),
        SamplingDistribution(1.3),
        0,
    )
    for seed in range(10):
        trace = trace_speculative(target, draft, SOURCE, seed, 3, distribution, max_length=200)
        assert len(trace.hypothesis.tokens) < 190
        for one in trace.rounds:
            read = one.prefix
            for word in one.words:
                number = trace.tokens.index(word.token)
                p, q = law_after(draft, read, distribution), law_after(target, read, distribution)
                assert (word.p, word.q) == pytest.approx(
                    (float(p[number]), float(q[number])), abs=1e-5
                )
                if word is one.rejected:
                    n_refused += 1
                    torch.testing.assert_close((one.p, one.q), (p, q), atol=1e-5, rtol=1e-4)
                    torch.testing.assert_close(one.extra_distribution, residual(one.p, one.q))
                read = (*read, word.token)
            if one.rejected is None and one.extra is not None:
                torch.testing.assert_close(
                    one.q, law_after(target, read, distribution), atol=1e-5, rtol=1e-4
                )
                torch.testing.assert_close(one.extra_distribution, one.q)
    assert n_refused > 5


@pytest.mark.parametrize("modes", [(True, False), (False, True)])
def test_each_model_keeps_its_own_mode(modes):
    target, draft = model(LSTM, 0).train(modes[0]), model(LSTM, 10).train(modes[1])
    speculative_sample(target, draft, [SOURCE], 7)
    found = target.training, draft.training
    target.eval(), draft.eval()
    assert found == modes


def test_models_in_training_draft_without_dropout():
    """Both are put into evaluation: dropout would draw from torch's own generator."""
    specs = TransformerSpec(8, 1, 2, 12, 0.5), TransformerSpec(8, 2, 2, 12, 0.5)
    target, draft = (
        build(spec, Vocabulary.build([WORDS]), Vocabulary.build([WORDS[:2]])).train()
        for spec in specs
    )
    untouched = torch.get_rng_state()
    speculative_sample(target, draft, [SOURCE], 7)
    assert torch.equal(torch.get_rng_state(), untouched)


@pytest.mark.parametrize("wrong", [(WORDS[:5], WORDS[:2]), (WORDS, WORDS[:3])])
def test_both_vocabularies_must_be_shared(wrong):
    draft = build(LSTM, *(Vocabulary.build([words]) for words in wrong))
    with pytest.raises(ValueError, match="share their vocabularies"):
        speculative_sample(model(LSTM, 0), draft, [SOURCE], 1)


def test_top_p_keeps_the_fewest_words_that_hold_just_this_share():
    """Of four words of a quarter each, two hold one half."""
    logits = torch.full((8,), -1e9)
    logits[4:] = 0.0
    assert sorted(SamplingDistribution(top_p=0.5)(logits).tolist()) == [0.0] * 6 + [0.5] * 2


@pytest.mark.parametrize("batch_size", [0, -1])
def test_a_batch_holds_a_sentence_at_least(batch_size):
    with pytest.raises(ValueError, match="batch_size must be at least 1"):
        speculative_sample(model(LSTM, 0), model(LSTM, 10), [SOURCE], 1, batch_size=batch_size)
    with pytest.raises(ValueError, match="batch_size must be at least 1"):
        sample(model(LSTM, 0), [SOURCE], 1, batch_size=batch_size)


def test_a_very_low_temperature_is_greedy_and_no_overflow():
    logits = torch.randn(5, 9, generator=torch.Generator().manual_seed(1)) * 10
    assert torch.equal(SamplingDistribution(1e-39)(logits), SamplingDistribution(0.0)(logits))
