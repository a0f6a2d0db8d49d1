"""What the map of Word-KD says, with the chance in it; and how often a student stands on a prefix that it was shown."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scipy.stats import t as student_t
from torch import Tensor

from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.corpus.toy import ToyLanguage
from seqkd_lab.corpus.vocabulary import EOS
from seqkd_lab.decoding.search import search
from seqkd_lab.experiments.verdicts import mean_and_interval
from seqkd_lab.experiments.word_kd_map import Place, map_points
from seqkd_lab.lab.figures.mixing import gold_id, shown_words
from seqkd_lab.lab.figures.next_words import TEACHER, SentenceReading, sentence_log_probs_by_word
from seqkd_lab.models.seq2seq import Seq2Seq


@dataclass(frozen=True)
class Measure:
    """One of the map's numbers: its name, its unit's factor, its digits, and the fixed scale of its colours."""

    name: str
    label: str
    factor: float
    digits: int
    scale: tuple[float, float]
    more_is_better: bool = True


MEASURES = {
    "bleu": Measure("bleu", "greedy BLEU, all references", 1.0, 1, (30.0, 80.0)),
    "valid": Measure("valid", "greedy translations without a mistake, %", 100.0, 0, (0.0, 30.0)),
    "nll": Measure("nll", "NLL of gold, nats a token", 1.0, 2, (0.7, 1.9), more_is_better=False),
}


@dataclass(frozen=True)
class Cell:
    """One place of the map: its students' values in the order of their seeds."""

    values: tuple[float, ...]

    @property
    def mean(self) -> float:
        return statistics.fmean(self.values)

    @property
    def spread(self) -> float:
        """The standard deviation between seeds (n − 1 below); 0 for a single one."""
        return statistics.stdev(self.values) if len(self.values) > 1 else 0.0

    def one_more(self) -> tuple[float, float]:
        """Where one more student lies with 95%: mean ± t · spread · √(1 + 1/n). Everywhere, for a single seed."""
        n = len(self.values)
        if n < 2:
            return -math.inf, math.inf
        reach = float(student_t.ppf(0.975, n - 1)) * self.spread * math.sqrt(1.0 + 1.0 / n)
        return self.mean - reach, self.mean + reach


def cells(results: Mapping, measure: str = "bleu") -> dict[Place, Cell]:
    """The map by place; `measure` is a key of MEASURES. Only seeds that every place has count."""
    points, factor = map_points(results), MEASURES[measure].factor
    places = dict.fromkeys((point.alpha, point.temperature) for point in points)
    seeds_of = [{p.seed for p in points if (p.alpha, p.temperature) == place} for place in places]
    whole = sorted(set.intersection(*seeds_of)) if seeds_of else []
    value = {((p.alpha, p.temperature), p.seed): factor * getattr(p, measure) for p in points}
    return {place: Cell(tuple(value[place, seed] for seed in whole)) for place in sorted(places, key=_order)}


def _order(place: Place) -> tuple[float, float]:
    return place[0], place[1] or 0.0


def best(found: Mapping[Place, Cell], measure: str = "bleu") -> Place:
    """The place of the best mean."""
    sign = 1.0 if MEASURES[measure].more_is_better else -1.0
    return max(found, key=lambda place: sign * found[place].mean)


def place_name(place: Place) -> str:
    """For people: "α = 0.5, τ = 1", or "α = 0"."""
    alpha, temperature = place
    return f"α = {alpha:g}" if temperature is None else f"α = {alpha:g}, τ = {temperature:g}"


@dataclass(frozen=True)
class Difference:
    """One place minus another, seed by seed: the mean and its 95% interval. `clear`: the interval is without 0."""

    mean: float
    low: float
    high: float

    @property
    def clear(self) -> bool:
        return self.low > 0.0 or self.high < 0.0

    def __str__(self) -> str:
        said = "clear" if self.clear else "not told from chance"
        return f"{self.mean:+.1f} [{self.low:+.1f}, {self.high:+.1f}], {said}".replace("-", "−")


def difference(one: Cell, other: Cell) -> Difference:
    """one − other. Paired: students of one seed began with equal weights and read the pairs in equal order."""
    mean, (low, high) = mean_and_interval([a - b for a, b in zip(one.values, other.values, strict=True)])
    return Difference(mean, low, high)


def around(found: Mapping[Place, Cell], alpha: float, temperature: float) -> list[Place]:
    """The places next to (α, τ), one to four; at a place of the map that place alone.

    The column α = 0 has one place for every τ. Raises ValueError outside of the map.
    """
    columns = _beside(sorted({place[0] for place in found}), alpha)
    rows = _beside(sorted({place[1] for place in found if place[1] is not None}), temperature)
    return list(dict.fromkeys((a, t) if (a, t) in found else (a, None) for a in columns for t in rows))


def _beside(known: Sequence[float], value: float) -> list[float]:
    """The known value itself, or the nearest below and above it."""
    if not known or not known[0] <= value <= known[-1]:
        raise ValueError(f"the map reaches from {known[0]:g} to {known[-1]:g}; {value:g} is not on it")
    return sorted({max(k for k in known if k <= value), min(k for k in known if k >= value)})


def expected_there(found: Mapping[Place, Cell], alpha: float, temperature: float) -> tuple[float, float]:
    """The range for one more student at (α, τ): of the places around it, the lowest and the highest of their ranges."""
    ranges = [found[place].one_more() for place in around(found, alpha, temperature)]
    return min(low for low, _ in ranges), max(high for _, high in ranges)


def still_gold(outputs: Sequence[Sequence[str]], corpus: ParallelCorpus, longest: int) -> list[float]:
    """For t = 0 … longest: the share of outputs whose first t words are gold's, among the pairs in which either is
    at least t words long."""
    shares = []
    for t in range(longest + 1):
        reached = [(o, g) for o, g in zip(outputs, corpus.target, strict=True) if max(len(o), len(g)) >= t]
        same = sum(min(len(o), len(g)) >= t and tuple(o[:t]) == tuple(g[:t]) for o, g in reached)
        shares.append(same / len(reached) if reached else math.nan)
    return shares


def impossible(log_prob: Tensor, model: Seq2Seq, truth: Mapping[str, float]) -> float:
    """The probability that a model gives to next words that the truth excludes; log_prob (V,) in nats."""
    ids = [EOS if word == "</s>" else model.target_vocabulary.ids([word])[0] for word in truth]
    return max(0.0, 1.0 - float(log_prob[ids].exp().sum()))


@dataclass(frozen=True)
class Prefixes:
    """A model behind gold's words and behind its own greedy ones: mean probability of impossible next words.

    Each position of each sentence counts once; own positions only as long as the words before can be right, so that
    the truth knows what may follow. still_gold: see there, from t = 0.
    """

    gold: float
    own: float
    still_gold: tuple[float, ...]


def prefixes(model: Seq2Seq, corpus: ParallelCorpus, language: ToyLanguage, longest: int = 12) -> Prefixes:
    """Measures `model` on each sentence of `corpus`, twice."""
    outputs = [found[0].tokens for found in search(model, corpus.source)]
    behind = {"gold": [], "own": []}
    for source, gold, own in zip(corpus.source, corpus.target, outputs, strict=True):
        for name, target in (("gold", gold), ("own", own)):
            log_prob = sentence_log_probs_by_word(model, source, target)
            behind[name] += _impossible_along(log_prob, model, language, source, target)
    gold, own = (statistics.fmean(behind[name]) for name in ("gold", "own"))
    return Prefixes(gold, own, tuple(still_gold(outputs, corpus, longest)))


def _impossible_along(log_prob: Tensor, model: Seq2Seq, language: ToyLanguage, source, target) -> list[float]:
    """One number for each position of `target`, as far as its prefix can be right; log_prob (T, V)."""
    found = []
    for t in range(len(target) + 1):
        try:
            truth = language.next_token(source, target[:t])
        except ValueError:
            break
        found.append(impossible(log_prob[t], model, truth))
    return found


def impossible_when_softened(
    model: Seq2Seq, corpus: ParallelCorpus, language: ToyLanguage, temperatures: Sequence[float]
) -> dict[float, float]:
    """By τ: the mean probability, behind gold's words, of next words that the truth excludes, softened by τ."""
    behind: dict[float, list[float]] = {temperature: [] for temperature in temperatures}
    for source, gold in zip(corpus.source, corpus.target, strict=True):
        log_prob = sentence_log_probs_by_word(model, source, gold)
        for temperature, found in behind.items():
            softened = (log_prob / temperature).log_softmax(dim=1)
            found += _impossible_along(softened, model, language, source, gold)
    return {temperature: statistics.fmean(found) for temperature, found in behind.items()}


def turning_shares(reading: SentenceReading, position: int, student: str) -> dict[str, float | None]:
    """For each shown word the α at which its gradient (τ = 1) turns its sign; None where it keeps it from 0 to 1.

    The gradient is p − (1 − α) · [the word is gold] − α q. A word that is not gold turns at p / q, from pushed down to
    pushed up, where the teacher's q is above the student's p. Gold turns at (1 − p) / (1 − q) where q is below p.
    """
    p, q = (reading.log_prob[name][position].exp() for name in (student, TEACHER))
    gold, turns = gold_id(reading, position), {}
    for word in shown_words(reading, position, student):
        share = (1.0 - p[word]) / (1.0 - q[word]) if word == gold else p[word] / q[word]
        turns[reading.vocabulary.tokens[word]] = float(share) if share < 1.0 else None
    return turns
