"""The translations of one search, judged by the language; of one sentence, side by side."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.corpus.toy import ToyLanguage
from seqkd_lab.corpus.toy.dataset import detokenise
from seqkd_lab.decoding.scoring import sentence_log_probs
from seqkd_lab.decoding.search import Hypothesis, search
from seqkd_lab.evaluation import OutputScore, score_outputs
from seqkd_lab.lab.beam.game import Words
from seqkd_lab.lab.shared.digits import NOISE, deciding_digits, shown_number
from seqkd_lab.lab.shared.exercises.showing import FAILED, PASSED
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.runs.data import Dataset

HEADS = ("model", "search", "translation", "log p by the model", "judged by the language")


@dataclass(frozen=True)
class Outputs:
    """One model's best translation of each sentence of a corpus by one search, judged; valid: one
    verdict a sentence.

    beam_size None stands for the exact search, which finds the model's mode.
    """

    beam_size: int | None
    hypotheses: tuple[Hypothesis, ...]
    valid: tuple[bool, ...]
    score: OutputScore

    @property
    def log_prob(self) -> float:
        """Mean log p(ŷ | s) in nats."""
        return statistics.fmean(hypothesis.log_prob for hypothesis in self.hypotheses)

    @property
    def valid_percent(self) -> float:
        """The share of valid translations in percent."""
        return 100.0 * sum(self.valid) / len(self.valid)


def judged(
    hypotheses: Sequence[Hypothesis], corpus: ParallelCorpus, data: Dataset, beam_size: int | None
) -> Outputs:
    """Judge `hypotheses`, one translation a sentence, by the language and in BLEU."""
    tokens, language = [hypothesis.tokens for hypothesis in hypotheses], data.toy_language
    pairs = zip(corpus.source, tokens, strict=True)
    valid = tuple(language.is_valid(source, words) for source, words in pairs)
    score, _ = score_outputs(tokens, corpus, data.detokenise, 1.0, language)
    return Outputs(beam_size, tuple(hypotheses), valid, score)


def outputs(
    model: Seq2Seq,
    corpus: ParallelCorpus,
    data: Dataset,
    beam_size: int,
    length_penalty: float = 0.0,
) -> Outputs:
    """Translate `corpus` by one search of the model, and judge the translations."""
    n_best = search(model, corpus.source, beam_size, 1, length_penalty)
    return judged([hypotheses[0] for hypotheses in n_best], corpus, data, beam_size)


@dataclass(frozen=True)
class Row:
    """One translation: by which model and search, log p by the model in nats, and what is wrong
    with it."""

    model: str
    search: str
    text: str
    log_prob: float
    fault: str | None

    @property
    def verdict(self) -> str:
        """What the language says of it."""
        return "✓ valid" if self.fault is None else f"✗ {self.fault}"


@dataclass(frozen=True)
class SideBySide:
    """The translations of one sentence; as HTML a table, as text a line each."""

    sentence: str
    rows: tuple[Row, ...]

    def log_prob_of(self, row: Row) -> str:
        """Return a row's log p, with the digits at which the different translations of its model
        differ."""
        own = {other.text: other.log_prob for other in self.rows if other.model == row.model}
        return shown_number(row.log_prob, deciding_digits(list(own.values())))

    def _repr_html_(self) -> str:
        heads = "".join(f'<th scope="col" style="text-align: left">{head}</th>' for head in HEADS)
        lines = "".join(map(self._line, self.rows))
        return f"<p><b>{escape(self.sentence)}</b></p><table><tr>{heads}</tr>{lines}</table>"

    def _line(self, row: Row) -> str:
        colour = PASSED if row.fault is None else FAILED
        texts = (row.model, row.search, row.text, self.log_prob_of(row))
        cells = "".join(f'<td style="text-align: left">{escape(text)}</td>' for text in texts)
        verdict = f'<td style="text-align: left; color: {colour}">{escape(row.verdict)}</td>'
        return f"<tr>{cells}{verdict}</tr>"

    def __repr__(self) -> str:
        lines = [
            f"{row.model:10}{row.search:9}{self.log_prob_of(row):>9}  {row.text}  {row.verdict}"
            for row in self.rows
        ]
        return "\n".join([self.sentence, *lines])


def side_by_side(
    by_model: Mapping[str, Mapping[int, Outputs]],
    beam_sizes: Sequence[int],
    number: int,
    source: Words,
    language: ToyLanguage,
) -> SideBySide:
    """Show what each of the models wrote for the sentence `number`, which is `source`, with each of
    these beam sizes."""
    rows = []
    for name, by_size in by_model.items():
        for K in beam_sizes:
            hypothesis = by_size[K].hypotheses[number]
            violation = language.explain(source, hypothesis.tokens)
            fault = None if violation is None else str(violation)
            searched = "greedy" if K == 1 else f"beam {K}"
            text = detokenise(hypothesis.tokens)
            rows.append(Row(name, searched, text, hypothesis.log_prob, fault))
    return SideBySide(" ".join(source), tuple(rows))


@dataclass(frozen=True)
class SentenceStudy:
    """One sentence: what each beam size gives, whether it is valid, and the valid translation that
    the model finds most probable, with its log p in nats."""

    source: Words
    hypotheses: dict[int, Hypothesis]
    valid: dict[int, bool]
    best_valid: Words
    best_valid_log_prob: float

    @property
    def widest(self) -> int:
        """The largest beam size."""
        return max(self.hypotheses)


def study_sentence(
    model: Seq2Seq,
    source: Words,
    language: ToyLanguage,
    beam_sizes: Sequence[int] = (1, 2, 5, 10, 100),
) -> SentenceStudy:
    """Search one sentence with every beam size, and score all of its valid translations."""
    hypotheses = {K: search(model, [source], K)[0][0] for K in beam_sizes}
    valid = {K: language.is_valid(source, found.tokens) for K, found in hypotheses.items()}
    targets = list(language.targets(source))
    log_probs = sentence_log_probs(model, [source] * len(targets), targets)
    log_prob, best = max(zip(log_probs, targets, strict=True))
    return SentenceStudy(source, hypotheses, valid, tuple(best), log_prob)


def where_greedy_fails(
    model: Seq2Seq,
    sources: Sequence[Words],
    language: ToyLanguage,
    beam_size: int = 5,
    most: int = 8,
) -> list[Words]:
    """Return the first sources, `most` of them, whose greedy translation is wrong and whose beam
    translation is valid."""
    greedy, beam = (search(model, sources, K) for K in (1, beam_size))
    fails = [
        source
        for source, (first, *_), (other, *_) in zip(sources, greedy, beam, strict=True)
        if not language.is_valid(source, first.tokens) and language.is_valid(source, other.tokens)
    ]
    return fails[:most]


def ticket_in_words(study: SentenceStudy, model: str) -> str:
    """Answer what the searches write for one sentence, whether it is valid, and what is at fault
    if it is not."""
    first, widest = study.hypotheses[1], study.hypotheses[study.widest]
    log_probs = [first.log_prob, widest.log_prob, study.best_valid_log_prob]
    digits = deciding_digits(log_probs)
    at_first, at_widest, at_best = (shown_number(value, digits) for value in log_probs)
    n_texts = len({detokenise(hypothesis.tokens) for hypothesis in study.hypotheses.values()})
    others = (
        f". Every beam up to K = {study.widest} writes the same."
        if n_texts == 1
        else f"; a beam of {study.widest} writes “{detokenise(widest.tokens)}”, log p {at_widest}."
    )
    best = f"“{detokenise(study.best_valid)}” has {at_best}"
    if study.valid[study.widest]:
        fault = "The language accepts the translation of the widest beam."
    elif study.best_valid_log_prob > widest.log_prob + NOISE:
        fault = (
            "The translation is wrong, although the model finds a valid one more probable: "
            f"{best}. The search missed it: a search error."
        )
    else:
        fault = (
            "The translation is wrong. You can write a valid one, but not one with a higher "
            f"log p: the most probable valid translation, {best}. So no search helps here. This is "
            "a model error."
        )
    return (
        f"Greedy search with the {model} writes “{detokenise(first.tokens)}”, log p {at_first}"
        f"{others} {fault}"
    )
