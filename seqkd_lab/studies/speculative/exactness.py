"""Test whether speculative sampling draws from the target's own distribution: χ² of many
translations against their enumeration.

Beside the rule stands a broken one, which draws again from q where the residual belongs: a test
that could not tell them apart would prove nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from scipy.stats import chisquare

from seqkd_lab.decoding.distribution import SamplingDistribution
from seqkd_lab.decoding.enumeration import likely_translations
from seqkd_lab.decoding.search import Hypothesis
from seqkd_lab.decoding.speculative import EXACT, Rule, accepted, speculative_sample
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.runs.measured import Amount, Count, Name, Share, Size
from seqkd_lab.runs.store import Report, silent

REDRAWN = Rule(accepted, lambda p, q: q)
"""Broken on purpose: after a rejection it draws from q, which favours the words that both models
like."""
EXACT_RULE = "exact"
RULES = {EXACT_RULE: EXACT, "redrawn from q": REDRAWN}
LEAST_EXPECTED = 10
"""Counts that a class of the χ² test must have on average; rarer translations are one class."""


@dataclass(frozen=True)
class Exactness:
    """One χ² test: n translations of one source in n_classes; p_value of the hypothesis that they
    follow the distribution."""

    draft: Name
    rule: Name
    temperature: Amount
    draft_length: Size
    seed: Count
    n: Size
    n_classes: Size
    p_value: Share


def chi_square(
    drawn: Sequence[Hypothesis], expected: Mapping[tuple[str, ...], float]
) -> tuple[float, int]:
    """Return the p-value and the number of classes: the translations `expected` with their
    probabilities, and all others together.

    Where too few of the others are expected for a class, they are counted with the rarest one. A
    single class agrees with itself: its p-value is 1.
    """
    n, counts = len(drawn), Counter(hypothesis.tokens for hypothesis in drawn)
    common = {tokens: n * p for tokens, p in expected.items() if n * p >= LEAST_EXPECTED}
    observed = [counts[tokens] for tokens in common]
    wanted = list(common.values())
    others, rest = n - sum(observed), n - sum(wanted)
    if rest >= LEAST_EXPECTED:
        observed, wanted = [*observed, others], [*wanted, rest]
    else:
        rarest = wanted.index(min(wanted))
        observed[rarest] += others
        wanted[rarest] += rest
    p_value = float(chisquare(observed, wanted).pvalue) if len(observed) > 1 else 1.0
    return p_value, len(observed)


def measure_exactness(
    target: Seq2Seq,
    drafts: Mapping[str, Seq2Seq],
    source: Sequence[str],
    distribution: SamplingDistribution,
    draft_length: int,
    seeds: Sequence[int],
    n: int = 20_000,
    report: Report = silent,
) -> list[Exactness]:
    """Draw n translations of `source` by each draft, rule and seed, and test each set. `report` is
    called with (done, total)."""
    expected = likely_translations(target, source, distribution, least=LEAST_EXPECTED / n)
    jobs = list(product(drafts, RULES, seeds))
    tests: list[Exactness] = []
    for name, rule, seed in jobs:
        drawn = speculative_sample(
            target,
            drafts[name],
            [source] * n,
            seed,
            draft_length,
            distribution,
            batch_size=2_000,
            rule=RULES[rule],
        )
        p_value, n_classes = chi_square(drawn, expected)
        tau = distribution.temperature
        tests.append(Exactness(name, rule, tau, draft_length, seed, n, n_classes, p_value))
        report(len(tests), len(jobs))
    return tests
