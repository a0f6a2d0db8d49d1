"""The one scorer: what a model's translations are worth, and what its probabilities say.

BLEU is sacreBLEU's on detokenised, cased text against every reference that a sentence has; its
tokeniser follows the script of the references. On the toy language one sampled reference misleads
(the mode is one of thousands of valid translations), so the score against a single reference is
reported beside.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache

import torch
from sacrebleu.metrics import BLEU, CHRF

from seqkd_lab.corpus.batching import batches, encode
from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.corpus.toy import ToyLanguage
from seqkd_lab.corpus.vocabulary import EOS, Vocabulary
from seqkd_lab.decoding.scoring import corpus_log_probs, sentence_log_probs
from seqkd_lab.decoding.search import Hypothesis, search
from seqkd_lab.metrics import bleu_metric, chrf_metric, distinct_share, length_ratio, repeated_share
from seqkd_lab.models.seq2seq import Seq2Seq, evaluating
from seqkd_lab.tokenisers import tokeniser_of

Detokenise = Callable[[Sequence[str]], str]
TRUTH_SENTENCES = 200
"""How many test sentences the comparison with the truth takes: each needs the exact distribution at
each position."""


@dataclass(frozen=True)
class OutputScore:
    """Translations judged: BLEU (0–100) against all references and against one; length ratio to the
    references and brevity penalty (1: none); share of valid translations (None where the truth is
    unknown); source words per second.

    chrf: chrF (0–100) against the first reference alone: the 25 references of 1,000 toy sentences
    would take 5 s and 0.6 GB. distinct: share of different translations among all. repeated: share
    of the sentences that got the most frequent translation. They are None in results that were made
    before they were counted.
    """

    bleu: float
    bleu_one_reference: float
    length_ratio: float
    brevity_penalty: float
    validity: float | None
    words_per_second: float
    chrf: float | None = None
    distinct: float | None = None
    repeated: float | None = None


@dataclass(frozen=True)
class Evaluation:
    """Greedy and beam outputs judged, and the model's probabilities on the test set.

    same_translation: the share of sentences of which both searches give the same translation.
    perplexity: of gold, per token. p_mode: mean over sentences of p(ŷ | s), ŷ the beam's best. On
    the toy language also kl_to_truth (KL(truth ‖ model), nats per token, along gold prefixes) and
    p_true_mode (mean probability that the model gives to the most probable true translation).
    """

    greedy: OutputScore
    beam: OutputScore
    beam_size: int
    same_translation: float
    perplexity: float
    p_mode: float
    kl_to_truth: float | None
    p_true_mode: float | None
    signature: str
    chrf_signature: str | None = None

    def as_dict(self) -> dict:
        return asdict(self)


def reference_streams(corpus: ParallelCorpus, detokenise: Detokenise) -> list[list[str]]:
    """Return the references in sacreBLEU's form: stream r holds every sentence's r-th (the shortest
    list decides)."""
    own = [(detokenise(target),) for target in corpus.target]
    references = corpus.references if corpus.references is not None else own
    return [list(stream) for stream in zip(*references, strict=False)]


@lru_cache(maxsize=4)
def scorers(
    corpus: ParallelCorpus, detokenise: Detokenise, tokenize: str | None
) -> tuple[BLEU, BLEU, CHRF]:
    """Return BLEU against all references and against the first alone, chrF against the first; they
    are counted once, for all models of a table."""
    streams = reference_streams(corpus, detokenise)
    tokenize = tokenize or tokeniser_of(line for stream in streams for line in stream)
    return (
        bleu_metric(streams, tokenize),
        bleu_metric(streams[:1], tokenize),
        chrf_metric(streams[:1]),
    )


def score_outputs(
    outputs: Sequence[Sequence[str]],
    corpus: ParallelCorpus,
    detokenise: Detokenise,
    seconds: float,
    language: ToyLanguage | None = None,
    tokenize: str | None = None,
) -> tuple[OutputScore, str]:
    """Judge one translation (tokens) of each sentence of `corpus`; return its score and BLEU's
    signature.

    tokenize: sacreBLEU's tokeniser (None: by the script of the references). Raises ValueError when
    the numbers of translations and sentences differ, and for a tokeniser that cannot be used.
    """
    if len(outputs) != len(corpus):
        raise ValueError(f"{len(outputs)} translations of {len(corpus)} sentences")
    texts = [detokenise(output) for output in outputs]
    bleu, bleu_one_reference, chrf = scorers(corpus, detokenise, tokenize)
    score = bleu.corpus_score(texts, None)
    valid = None
    if language is not None:
        pairs = zip(corpus.source, outputs, strict=True)
        valid = sum(language.is_valid(source, tuple(output)) for source, output in pairs) / len(
            corpus
        )
    n_words = sum(len(detokenise(source).split()) for source in corpus.source)
    return OutputScore(
        bleu=score.score,
        bleu_one_reference=bleu_one_reference.corpus_score(texts, None).score,
        length_ratio=length_ratio(score),
        brevity_penalty=score.bp,
        validity=valid,
        words_per_second=n_words / seconds,
        chrf=chrf.corpus_score(texts, None).score,
        distinct=distinct_share(texts),
        repeated=repeated_share(texts),
    ), str(bleu.get_signature())


@dataclass(frozen=True)
class Translations:
    """A model's best greedy and beam hypothesis of each test sentence, and how long each search
    took (seconds)."""

    greedy: list[Hypothesis]
    beam: list[Hypothesis]
    greedy_seconds: float
    beam_seconds: float


def translate_test(
    model: Seq2Seq,
    corpus: ParallelCorpus,
    beam_size: int,
    length_penalty: float = 0.0,
    report: Callable[[int], None] | None = None,
) -> Translations:
    """Translate all sources of `corpus` by greedy and beam search. `report` is called with how many
    more searches are done."""
    start = time.perf_counter()
    greedy = search(model, corpus.source, 1, progress=report)
    between = time.perf_counter()
    beam = search(model, corpus.source, beam_size, 1, length_penalty, progress=report)
    end = time.perf_counter()
    return Translations(
        [n[0] for n in greedy], [n[0] for n in beam], between - start, end - between
    )


def evaluate(
    model: Seq2Seq,
    test: ParallelCorpus,
    detokenise: Detokenise,
    translations: Translations,
    beam_size: int,
    language: ToyLanguage | None = None,
    tokenize: str | None = None,
) -> Evaluation:
    """Return all that Table 1 reports of `model`, from its `translations` of `test`.

    tokenize: sacreBLEU's tokeniser (None: by the script of the references).
    """

    def score(hypotheses: list[Hypothesis], seconds: float) -> tuple[OutputScore, str]:
        outputs = [hypothesis.tokens for hypothesis in hypotheses]
        return score_outputs(outputs, test, detokenise, seconds, language, tokenize)

    greedy, signature = score(translations.greedy, translations.greedy_seconds)
    beam, _ = score(translations.beam, translations.beam_seconds)
    both = zip(translations.greedy, translations.beam, strict=True)
    n_same = sum(greedily.tokens == by_beam.tokens for greedily, by_beam in both)
    log_probs, n_tokens = corpus_log_probs(model, test)
    kl, p_true_mode = (
        compare_with_truth(model, test[:TRUTH_SENTENCES], language) if language else (None, None)
    )
    return Evaluation(
        greedy=greedy,
        beam=beam,
        beam_size=beam_size,
        same_translation=n_same / len(test),
        perplexity=math.exp(-sum(log_probs) / n_tokens),
        p_mode=sum(math.exp(hypothesis.log_prob) for hypothesis in translations.beam) / len(test),
        kl_to_truth=kl,
        p_true_mode=p_true_mode,
        signature=signature,
        chrf_signature=str(scorers(test, detokenise, tokenize)[2].get_signature()),
    )


def compare_with_truth(
    model: Seq2Seq, corpus: ParallelCorpus, language: ToyLanguage
) -> tuple[float, float]:
    """Return KL(truth ‖ model) in nats per token along gold prefixes, and the mean probability of
    the true mode.

    The truth's next-token distribution is exact at every prefix; prefixes are weighted as gold has
    them, so the sum over a sentence estimates the KL of whole translations without bias.
    """
    encoded = encode(corpus, model.source_vocabulary, model.target_vocabulary)
    total, n_tokens = 0.0, 0
    with evaluating(model):
        for batch in batches(encoded, 64, shuffle_seed=None):
            log_p = model(batch.to(model.device)).log_softmax(dim=2).cpu()  # (B, T, V)
            for b, row in enumerate(batch.rows.tolist()):
                source, target = corpus.source[row], corpus.target[row]
                total += sentence_kl(log_p[b], source, target, model.target_vocabulary, language)
            n_tokens += batch.n_tokens
    modes = [language.mode(source)[0] for source in corpus.source]
    p_modes = [math.exp(log_prob) for log_prob in sentence_log_probs(model, corpus.source, modes)]
    return total / n_tokens, sum(p_modes) / len(p_modes)


def sentence_kl(
    log_p: torch.Tensor,
    source: tuple[str, ...],
    target: tuple[str, ...],
    vocabulary: Vocabulary,
    language: ToyLanguage,
) -> float:
    """Return Σ_t KL(truth ‖ model) in nats over the positions of one sentence; log_p (≥ T, V) are
    the model's next tokens."""
    total = 0.0
    for t in range(len(target) + 1):
        truth = language.next_token(source, target[:t])
        ids = [EOS if token == "</s>" else vocabulary.ids([token])[0] for token in truth]
        q = torch.tensor(list(truth.values()), dtype=torch.float64, device=log_p.device)
        total += float((q * (q.log() - log_p[t, ids].double())).sum())
    return total
