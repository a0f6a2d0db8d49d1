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
from seqkd_lab.lab.beam.game_picture import SAME
from seqkd_lab.lab.shared.digits import deciding_digits, shown_log_prob
from seqkd_lab.lab.shared.exercises.showing import FAILED, PASSED
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.runs.data import Dataset

NOISE = 1e-4
"""Nats: log-probabilities of one translation, found in batches of different shapes, differ by
less."""


@dataclass(frozen=True)
class Outputs:
    """One model's best translation of each sentence of a corpus by one search, judged; valid: one
    verdict a sentence.

    beam_size None stands for the exact search, which finds the model's mode.
    """

    beam_size: int | None
    found: tuple[Hypothesis, ...]
    valid: tuple[bool, ...]
    score: OutputScore

    @property
    def log_prob(self) -> float:
        """Mean log p(ŷ | s) in nats."""
        return statistics.fmean(each.log_prob for each in self.found)


def judged(
    found: Sequence[Hypothesis], corpus: ParallelCorpus, data: Dataset, beam_size: int | None
) -> Outputs:
    """`found` (one translation a sentence) with the verdict of the language and BLEU."""
    tokens = [each.tokens for each in found]
    pairs = zip(corpus.source, tokens, strict=True)
    valid = tuple(data.language.is_valid(source, words) for source, words in pairs)
    score, _ = score_outputs(tokens, corpus, data.detokenise, 1.0, data.language)
    return Outputs(beam_size, tuple(found), valid, score)


def outputs(
    model: Seq2Seq,
    corpus: ParallelCorpus,
    data: Dataset,
    beam_size: int,
    length_penalty: float = 0.0,
) -> Outputs:
    """The model's translations of `corpus` by one search, judged."""
    found = search(model, corpus.source, beam_size, 1, length_penalty)
    return judged([n_best[0] for n_best in found], corpus, data, beam_size)


HEADS = ("model", "search", "translation", "log p by the model", "judged by the language")


@dataclass(frozen=True)
class Row:
    """One translation: by which model and search, log p by the model in nats, and what is wrong
    with it."""

    model: str
    search: str
    text: str
    log_prob: float
    fault: str | None


@dataclass(frozen=True)
class SideBySide:
    """The translations of one sentence; as HTML a table, as text a line each."""

    sentence: str
    rows: tuple[Row, ...]

    def log_prob_of(self, row: Row) -> str:
        """A row's log p, with the digits at which the different translations of its model
        differ."""
        own = {other.text: other.log_prob for other in self.rows if other.model == row.model}
        return shown_log_prob(row.log_prob, deciding_digits(list(own.values())))

    def _repr_html_(self) -> str:
        heads = "".join(f'<th scope="col" style="text-align: left">{head}</th>' for head in HEADS)
        return f"<p><b>{escape(self.sentence)}</b></p><table><tr>{heads}</tr>{''.join(map(self._line, self.rows))}</table>"

    def _line(self, row: Row) -> str:
        cells = "".join(
            f'<td style="text-align: left">{escape(cell)}</td>'
            for cell in (row.model, row.search, row.text, self.log_prob_of(row))
        )
        colour = PASSED if row.fault is None else FAILED
        return (
            f'<tr>{cells}<td style="text-align: left; color: '
            f'{colour}">{escape(_verdict(row))}</td></tr>'
        )

    def __repr__(self) -> str:
        lines = [
            f"{row.model:10}{row.search:9}{self.log_prob_of(row):>9}  {row.text}  {_verdict(row)}"
            for row in self.rows
        ]
        return "\n".join([self.sentence, *lines])


def _verdict(row: Row) -> str:
    return "✓ valid" if row.fault is None else f"✗ {row.fault}"


def side_by_side(
    found: Mapping[str, Mapping[int, Outputs]],
    beam_sizes: Sequence[int],
    place: int,
    source: Sequence[str],
    language: ToyLanguage,
) -> SideBySide:
    """Shows what each of the models wrote for the sentence at `place` with each of these beam
    sizes."""
    rows = []
    for name, by_size in found.items():
        for K in beam_sizes:
            hypothesis = by_size[K].found[place]
            fault = language.explain(tuple(source), hypothesis.tokens)
            rows.append(
                Row(
                    name,
                    "greedy" if K == 1 else f"beam {K}",
                    detokenise(hypothesis.tokens),
                    hypothesis.log_prob,
                    None if fault is None else str(fault),
                )
            )
    return SideBySide(" ".join(source), tuple(rows))


@dataclass(frozen=True)
class SentenceStudy:
    """One sentence: what each beam size gives, whether it is valid, and the valid translation that
    the model finds most probable, with its log p in nats."""

    source: tuple[str, ...]
    found: dict[int, Hypothesis]
    valid: dict[int, bool]
    best_valid: tuple[str, ...]
    best_valid_log_prob: float

    @property
    def widest(self) -> int:
        """The largest beam size."""
        return max(self.found)


def study_sentence(
    model: Seq2Seq,
    source: Sequence[str],
    language: ToyLanguage,
    beam_sizes: Sequence[int] = (1, 2, 5, 10, 100),
) -> SentenceStudy:
    """Searches one sentence with every beam size, and scores all of its valid translations."""
    source = tuple(source)
    found = {K: search(model, [source], K)[0][0] for K in beam_sizes}
    targets = list(language.targets(source))
    log_probs = sentence_log_probs(model, [source] * len(targets), targets)
    log_prob, best = max(zip(log_probs, targets, strict=True))
    valid = {K: language.is_valid(source, hypothesis.tokens) for K, hypothesis in found.items()}
    return SentenceStudy(source, found, valid, tuple(best), log_prob)


def where_greedy_fails(
    model: Seq2Seq,
    sources: Sequence[tuple[str, ...]],
    language: ToyLanguage,
    beam_size: int = 5,
    most: int = 8,
) -> list[tuple[str, ...]]:
    """The first sources, `most` of them, whose greedy translation is wrong and whose beam
    translation is valid."""
    greedy, beam = (search(model, sources, K) for K in (1, beam_size))
    fails = [
        source
        for source, (first, *_), (other, *_) in zip(sources, greedy, beam, strict=True)
        if not language.is_valid(source, first.tokens) and language.is_valid(source, other.tokens)
    ]
    return fails[:most]


def ticket_in_words(study: SentenceStudy, model: str) -> str:
    """Answers what the searches write for one sentence, whether it is valid, and what is at fault
    if it is not."""
    first = study.found[1]
    texts = dict.fromkeys(detokenise(hypothesis.tokens) for hypothesis in study.found.values())
    widest = study.found[study.widest]
    digits = deciding_digits([first.log_prob, widest.log_prob, study.best_valid_log_prob])
    if len(texts) == 1:
        said = (
            f"Greedy search with the {model} writes “{detokenise(first.tokens)}”, log p "
            f"{shown_log_prob(first.log_prob, digits)}. Every beam up to K = {study.widest} writes "
            "the same."
        )
    else:
        said = (
            f"Greedy search with the {model} writes “{detokenise(first.tokens)}”, log p "
            f"{shown_log_prob(first.log_prob, digits)}; a beam of {study.widest} writes "
            f"“{detokenise(widest.tokens)}”, log p {shown_log_prob(widest.log_prob, digits)}."
        )
    if study.valid[study.widest]:
        return f"{said} The language accepts the translation of the widest beam."
    best = (
        f"“{detokenise(study.best_valid)}” has {shown_log_prob(study.best_valid_log_prob, digits)}"
    )
    if study.best_valid_log_prob > widest.log_prob + SAME:
        return (
            f"{said} The translation is wrong, although the model finds a valid one more probable: "
            f"{best}. The search missed it: a search error."
        )
    return (
        f"{said} The translation is wrong. You can write a valid one, but not one with a higher "
        f"log p: the most probable valid translation, {best}. So no search helps here. This is a "
        "model error."
    )
