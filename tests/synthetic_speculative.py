"""Results like those of `seqkd-lab study run speculative`, made by formula: for tests that ask how
they are read and drawn."""

from __future__ import annotations

from seqkd_lab.runs.recipes import BASELINE, SEQ_KD, TEACHER, WORD_KD
from seqkd_lab.studies.speculative.clock import OWN, ClockTime, StepTime
from seqkd_lab.studies.speculative.exactness import EXACT_RULE, RULES, Exactness
from seqkd_lab.studies.speculative.recipes import COMPARED, DEEP, DRAFTS, ON_POLICY
from seqkd_lab.studies.speculative.results import TESTED, DraftingResults
from seqkd_lab.studies.speculative.tokens import (
    Acceptance,
    DraftedTokens,
    expected_speed_up,
    with_ends,
)

LENGTHS, COUNTED, TEMPERATURES = (1, 2, 4, 6, 8, 12), (1, 4, 8, 12), (1.0, 0.0)
MILLISECONDS = dict.fromkeys(DRAFTS, 0.2) | {DEEP: 4.0, TEACHER: 0.3}
SENTENCES = (12, 9, 15, 7) * 15
"""Tokens of each sentence."""
N_ROUNDS = 8


def alpha_of(draft: str, temperature: float, seed: int = 1) -> float:
    """Seq-KD's draft is a poor guess of a sample, and a good one of a greedy step."""
    scatter = 0.002 * (seed % 3)
    if draft == SEQ_KD:
        return (0.7 if temperature else 0.92) - scatter
    return {WORD_KD: 0.9, ON_POLICY: 0.89, BASELINE: 0.87}.get(draft, 0.875) + scatter


def drafted(draft: str, temperature: float, draft_length: int, seed: int = 1) -> DraftedTokens:
    """Counts that the formula with ends gives."""
    alpha = alpha_of(draft, temperature, seed)
    formula = with_ends(alpha, draft_length, SENTENCES)
    n_calls = round(sum(SENTENCES) / formula)
    n_judged = 3 * n_calls
    return DraftedTokens(
        draft,
        temperature,
        draft_length,
        alpha,
        n_judged,
        round(alpha * n_judged),
        alpha * n_judged,
        alpha * (1 - alpha) * n_judged,
        n_calls,
        sum(SENTENCES),
        formula,
        None if temperature else 0,
    )


def clock(draft: str, temperature: float, draft_length: int, seed: int = 1) -> ClockTime:
    """A draft is by a tenth slower than the formula says; rounds differ by the machine's load."""
    faster = 1.0
    if draft != OWN:
        faster = 0.9 * expected_speed_up(alpha_of(draft, temperature, seed), draft_length, 0.05)
    loads = [1.0 + 0.1 * (number % 3) for number in range(N_ROUNDS)]
    return ClockTime(draft, temperature, draft_length, [4e-3 * load / faster for load in loads])


def speculative_of(seed: int = 21, has_target: bool = True) -> DraftingResults:
    """One seed: every draft at every temperature and K; the exact rule is held, the other one is
    not."""
    acceptance = tuple(
        Acceptance(draft, tau, alpha_of(draft, tau, seed), 9_000)
        for tau in TEMPERATURES
        for draft in COMPARED
    )
    sizes = dict.fromkeys((TEACHER, *COMPARED), 40_000)
    if not has_target:
        return DraftingResults(sizes, {}, acceptance, (), (), (), ())
    return DraftingResults(
        {DEEP: 700_000} | sizes,
        {f"{tau:g}": SENTENCES for tau in TEMPERATURES},
        acceptance,
        tuple(
            Exactness(draft, rule, 1.0, 4, seed, 10_000, 9, 0.3 if rule == EXACT_RULE else 1e-20)
            for draft in TESTED
            for rule in RULES
        ),
        tuple(
            drafted(draft, tau, K, seed)
            for tau in TEMPERATURES
            for draft in DRAFTS
            for K in COUNTED
        ),
        tuple(
            StepTime(name, n, [ms * (1 + 0.02 * (n - 1)) / 1000] * 3)
            for name, ms in MILLISECONDS.items()
            for n in ((1, *(K + 1 for K in LENGTHS)) if name == DEEP else (1,))
        ),
        tuple(
            clock(draft, tau, K, seed)
            for tau in TEMPERATURES
            for draft, K in [(OWN, 0), *((draft, K) for draft in DRAFTS for K in LENGTHS)]
        ),
    )


def seeds_of(n_seeds: int = 5, n_targets: int = 3) -> list[DraftingResults]:
    """Seeds from 21 on, of which the first have a deep target."""
    return [speculative_of(21 + number, number < n_targets) for number in range(n_seeds)]
