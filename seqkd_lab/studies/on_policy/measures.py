"""What the on-policy study measures of a student: its translations of fresh sources, and how far it
is from the teacher along whose words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.corpus.toy import ToyLanguage
from seqkd_lab.corpus.toy.language import Tokens
from seqkd_lab.corpus.toy.verifier import Verifier
from seqkd_lab.decoding.sampling import sample
from seqkd_lab.decoding.search import search
from seqkd_lab.distillation.exposure import GOLD, STUDENT, PlaceSums, exposure, student_entropy
from seqkd_lab.distillation.on_policy import Divergence
from seqkd_lab.evaluation import scorers
from seqkd_lab.metrics import length_ratio
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.runs.data import Dataset
from seqkd_lab.studies.on_policy.recipes import FORWARD, REVERSE

Value = Callable[[Mapping], float]
"""Maps an arm's record to one of its measures."""
ENTROPY = "entropy"
MEASURES = {
    FORWARD: Divergence(0.0).per_token,
    REVERSE: Divergence(1.0).per_token,
    ENTROPY: student_entropy,
}
AT_ONCE = 256
"""Sources that share the steps of a search or of a drawing."""


@lru_cache(maxsize=1)
def verifier() -> Verifier:
    """Return the judge of this process, which knows the sources that it has judged before."""
    return Verifier(ToyLanguage())


def validity(sources: Sequence[Tokens], outputs: Sequence[Sequence[str]]) -> float:
    """Return the share of the outputs that are translations of their sources."""
    valid = map(verifier(), sources, outputs)
    return sum(valid) / len(sources)


def translation_record(student: Seq2Seq, sources: Sequence[Tokens], seed: int) -> dict:
    """Return of the student's greedy translations of `sources`, and of one sample each, the share
    of valid ones and the number of target words for each source word."""
    sources = sorted(sources, key=len)  # so that the sentences of a batch end at about one time
    searched = search(student, sources, batch_size=AT_ONCE)
    greedy = [n_best[0].tokens for n_best in searched]
    hypotheses = sample(student, sources, seed, batch_size=AT_ONCE)
    drawn = [hypothesis.tokens for hypothesis in hypotheses]
    return {
        f"{how}_{measure}": round(value(sources, outputs), 5)
        for how, outputs in (("greedy", greedy), ("drawn", drawn))
        for measure, value in (("validity", validity), ("words", words_per_source_word))
    }


def words_per_source_word(sources: Sequence[Tokens], outputs: Sequence[Sequence[str]]) -> float:
    """Return the number of words of all outputs, divided by that of their sources."""
    return sum(map(len, outputs)) / sum(map(len, sources))


def drawn_validity(student: Seq2Seq, sources: Sequence[Tokens], seed: int) -> float:
    """Return the share of the student's samples, one for each source, that are translations."""
    return validity(sources, [drawn.tokens for drawn in sample(student, sources, seed)])


def bleu_record(student: Seq2Seq, data: Dataset) -> dict:
    """Return BLEU (0–100) and length ratio of the greedy translations of the test set, against all
    its references."""
    texts = [data.detokenise(n_best[0].tokens) for n_best in search(student, data.test.source)]
    bleu, *_ = scorers(data.test, data.detokenise, None)
    score = bleu.corpus_score(texts, None)
    return {"bleu": round(score.score, 3), "length_ratio": round(length_ratio(score), 4)}


def exposure_record(student: Seq2Seq, teacher: Seq2Seq, pairs: ParallelCorpus, seed: int) -> dict:
    """Return MEASURES along the prefixes of gold, of the teacher and of the student as plain JSON.

    per_token: each measure's mean over all tokens. by_place: the reverse KL at each position. n:
    the number of translations that have that position.
    """
    by_writer = exposure(student, teacher, pairs, MEASURES, seed)
    return {writer: positions_record(sums) for writer, sums in by_writer.items()}


def positions_record(sums: Mapping[str, PlaceSums]) -> dict:
    """Return one writer's part of `exposure_record`."""
    return {
        "per_token": {name: round(total.per_token, 5) for name, total in sums.items()},
        "by_place": [round(value, 4) for value in sums[REVERSE].by_place],
        "n": [int(n) for n in sums[REVERSE].count if n > 0],
    }


def without_places(record: Mapping[str, Mapping]) -> dict[str, dict]:
    """Return of an `exposure_record` the means over all tokens alone, as the results file has
    them."""
    return {writer: {"per_token": means["per_token"]} for writer, means in record.items()}


def greedy_bleu(measured: Mapping) -> float:
    """Return BLEU of an arm's greedy translations of the test set, 0–100."""
    return measured["bleu"]


def percent_greedy(measured: Mapping) -> float:
    """Return the valid greedy translations of an arm in percent."""
    return 100.0 * measured["greedy_validity"]


def percent_drawn(measured: Mapping) -> float:
    """Return the valid samples of an arm in percent."""
    return 100.0 * measured["drawn_validity"]


def exposed(measured: Mapping, measure: str, writer: str = STUDENT) -> float:
    """Return a measure (a key of MEASURES) along a writer's prefixes, mean over tokens in nats."""
    return measured["exposure"][writer]["per_token"][measure]


def own_reverse(measured: Mapping) -> float:
    """Return the reverse KL along the student's own prefixes, in nats a token."""
    return exposed(measured, REVERSE)


def own_forward(measured: Mapping) -> float:
    """Return the forward KL along the student's own prefixes, in nats a token."""
    return exposed(measured, FORWARD)


def gold_forward(measured: Mapping) -> float:
    """Return the forward KL along gold, in nats a token: what the student lacks of the teacher's
    distribution where gold leads."""
    return exposed(measured, FORWARD, GOLD)


def mismatch(measured: Mapping) -> float:
    """Return the reverse KL along the student's own prefixes in multiples of that along gold."""
    return own_reverse(measured) / exposed(measured, REVERSE, GOLD)


def own_entropy(measured: Mapping) -> float:
    """Return the entropy along the student's own prefixes, in nats a token."""
    return exposed(measured, ENTROPY)
