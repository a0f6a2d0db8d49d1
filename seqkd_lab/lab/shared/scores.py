"""Scores of models on test sentences, and the range that a table's seeds let expect of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from seqkd_lab.corpus.toy import ToyLanguage
from seqkd_lab.decoding.search import search
from seqkd_lab.lab.shared.showing import Expectation, should_see
from seqkd_lab.lab.shared.translated import translated
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.runs.data import Dataset
from seqkd_lab.runs.results import rows_by_seed
from seqkd_lab.runs.verdicts import Rows


@dataclass(frozen=True)
class Score:
    """A model on `n_sentences`: BLEU and share of valid translations, each (greedy, beam); p(ŷ),
    the mean over sentences of the probability that the model gives to its own best translation, and
    that mean's standard error; and the share of sentences of which both searches give the same
    translation.
    """

    n_sentences: int
    bleu: tuple[float, float]
    valid: tuple[float, float]
    p_mode: float
    p_mode_error: float
    same: float

    @property
    def beam_gain(self) -> float:
        """What the beam adds, in BLEU."""
        return self.bleu[1] - self.bleu[0]


def scores(
    models: Mapping[str, Seq2Seq],
    data: Dataset,
    n_sentences: int,
    beam_size: int = 5,
    watch: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, Score]:
    """Each model on the first `n_sentences` (two at least) of the test set. `watch` hears (done,
    total) models."""
    return {
        name: Score(
            len(made.beam),
            tuple(each.bleu for each in made.scores),
            tuple(each.validity for each in made.scores),
            made.p_mode,
            made.p_mode_error,
            made.same_share()[0],
        )
        for name, made in translated(models, data, n_sentences, beam_size, watch).items()
    }


def expected(results: Mapping, found: Mapping[str, Score]) -> list[Expectation]:
    """What a table's seeds let expect of these scores: of each model p(ŷ), and greedily the share
    of valid ones.

    From the seeds' least to their greatest value, widened by two standard errors of this run's own
    value.
    """
    by_seed, expectations = rows_by_seed(results), []
    for name, score in found.items():
        p, valid = score.p_mode, score.valid[0]
        valid_error = math.sqrt(valid * (1.0 - valid) / score.n_sentences)
        for what, value, error, seen in (
            (
                f"p(ŷ) of the model {name}",
                p,
                score.p_mode_error,
                [rows[name]["p_mode"] for rows in by_seed],
            ),
            (
                f"the share of valid translations of the model {name}, by greedy search,",
                valid,
                valid_error,
                [rows[name]["greedy"]["validity"] for rows in by_seed],
            ),
        ):
            why = f"{len(seen)} seeds, and the chance in {score.n_sentences} sentences"
            expectations.append(should_see(what, value, *seed_range(seen, error), why))
    return expectations


def seed_range(values: Sequence[float], error: float) -> tuple[float, float]:
    """Return the least and the greatest of some seeds' shares (0–1), widened by two standard errors
    of this run's value."""
    return max(0.0, min(values) - 2.0 * error), min(1.0, max(values) + 2.0 * error)


def p_mode_range(by_seed: Sequence[Rows], row: str, error: float) -> tuple[float, float]:
    """Return the `seed_range` of p(ŷ) of a row of Table 1."""
    return seed_range([rows[row]["p_mode"] for rows in by_seed], error)


def validity(model: Seq2Seq, language: ToyLanguage, sources: Sequence[Sequence[str]]) -> list[int]:
    """Return for each source whether its greedy translation is valid: 1 or 0."""
    hypotheses = search(model, sources)
    return [
        int(language.is_valid(source, best[0].tokens))
        for source, best in zip(sources, hypotheses, strict=True)
    ]
