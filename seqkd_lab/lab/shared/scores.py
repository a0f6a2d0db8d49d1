"""Scores of models on test sentences, and the range that a table's seeds let expect of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from seqkd_lab.corpus.toy import ToyLanguage
from seqkd_lab.decoding.search import search
from seqkd_lab.lab.shared.showing import Expectation, should_see
from seqkd_lab.lab.shared.translated import Translated, translated
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.runs.data import Dataset
from seqkd_lab.runs.results import rows_by_seed
from seqkd_lab.runs.verdicts import Rows


@dataclass(frozen=True)
class Score:
    """The scores of a model on `n_sentences`.

    bleu and valid (the share of valid translations): each (greedy, beam). p_mode: p(ŷ), the mean
    over sentences of the probability that the model gives to its own best translation, and its
    standard error. same: the share of sentences that both searches translate alike.
    """

    n_sentences: int
    bleu: tuple[float, float]
    valid: tuple[float, float]
    p_mode: float
    p_mode_error: float
    same: float

    @property
    def beam_gain(self) -> float:
        """The gain of beam search over greedy search, in BLEU."""
        return self.bleu[1] - self.bleu[0]


def scores(
    models: Mapping[str, Seq2Seq],
    data: Dataset,
    n_sentences: int,
    beam_size: int = 5,
    watch: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, Score]:
    """Score each model on the first `n_sentences` (two at least) of the test set; call `watch` with
    (done, total) models."""
    by_model = translated(models, data, n_sentences, beam_size, watch)
    return {name: _score(translations) for name, translations in by_model.items()}


def _score(translations: Translated) -> Score:
    greedy, beam = translations.scores
    assert greedy.validity is not None and beam.validity is not None  # the data has its language
    return Score(
        len(translations.beam),
        (greedy.bleu, beam.bleu),
        (greedy.validity, beam.validity),
        translations.p_mode,
        translations.p_mode_error,
        translations.same_share()[0],
    )


def expected(results: Mapping, scores: Mapping[str, Score]) -> list[Expectation]:
    """Return what a table's seeds let expect of these scores: of each model p(ŷ), and of greedy
    search the share of valid translations.

    Each range goes from the seeds' least to their greatest value, widened by two standard errors of
    this run's own value.
    """
    by_seed = rows_by_seed(results)
    expectations = []
    for name, score in scores.items():
        why = f"{len(by_seed)} seeds, and the chance in {score.n_sentences} sentences"
        certainty = p_mode_range(by_seed, name, score.p_mode_error)
        what = f"p(ŷ) of the model {name}"
        expectations.append(should_see(what, score.p_mode, *certainty, why))
        valid = score.valid[0]
        error = math.sqrt(valid * (1.0 - valid) / score.n_sentences)
        shares = seed_range([rows[name]["greedy"]["validity"] for rows in by_seed], error)
        what = f"the share of valid translations of the model {name}, by greedy search,"
        expectations.append(should_see(what, valid, *shares, why))
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
