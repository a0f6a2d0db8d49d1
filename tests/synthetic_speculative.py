"""Results like those of `seqkd-lab speculative`, made by formula: for tests that ask how they are
read and drawn."""

from __future__ import annotations

from seqkd_lab.runs.recipes import BASELINE, SEQ_KD, TEACHER
from seqkd_lab.studies.speculative.clock import OWN, ClockTime, StepTime
from seqkd_lab.studies.speculative.exactness import RULES, Exactness
from seqkd_lab.studies.speculative.recipes import DRAFTS, LEARNED_FROM, SMALL_TARGET
from seqkd_lab.studies.speculative.results import DraftingResults
from seqkd_lab.studies.speculative.tokens import DraftedTokens, expected_speed_up, with_ends

LENGTHS, THREADS, TEMPERATURES = (1, 2, 3, 4, 5, 6, 7, 8), (1, 2), (1.0, 0.0)
MILLISECONDS = dict.fromkeys(DRAFTS, 0.2) | {TEACHER: 4.0, SMALL_TARGET: 0.3}
SENTENCES = (12, 9, 15, 7) * 25
"""Tokens of each sentence."""


def alpha_of(draft: str, temperature: float) -> float:
    """Seq-KD's draft is a poor guess of a sample, and a good one of a greedy step."""
    if draft == SEQ_KD:
        return 0.7 if temperature else 0.9
    return 0.84 if draft == BASELINE else 0.87


def drafted(draft: str, temperature: float, draft_length: int) -> DraftedTokens:
    """Counts that the formula with ends gives."""
    alpha = alpha_of(draft, temperature)
    n_calls = round(sum(SENTENCES) / with_ends(alpha, draft_length, SENTENCES))
    n_judged = 3 * n_calls
    n_different = None if temperature else 0
    return DraftedTokens(
        draft,
        temperature,
        draft_length,
        alpha,
        0.005,
        n_judged,
        round(alpha * n_judged),
        alpha * n_judged,
        alpha * (1 - alpha) * n_judged,
        n_calls,
        SENTENCES,
        n_different,
    )


def clock(
    draft: str, temperature: float, draft_length: int, adaptive: bool, threads: int
) -> ClockTime:
    """Three rounds; a draft is by a tenth slower than the formula says."""
    own = 4e-3 / threads
    faster = 1.0
    if draft != OWN:
        faster = 0.9 * expected_speed_up(alpha_of(draft, temperature), draft_length, 0.05 * threads)
    return ClockTime(
        draft,
        temperature,
        draft_length,
        adaptive,
        threads,
        [own * x / faster for x in (1.0, 1.1, 0.95)],
    )


def speculative_of() -> DraftingResults:
    """Every draft at every temperature, K and number of threads; the exact rule is held, the other
    one is not."""
    ways = [(OWN, 0, False)]
    ways += [
        (draft, *how) for draft in DRAFTS for how in (*((K, False) for K in LENGTHS), (5, True))
    ]
    p_values = {
        rule: [0.1 * seed if place == 0 else 10.0 ** (-4 - seed**2) for seed in range(1, 6)]
        for place, rule in enumerate(RULES)
    }
    return DraftingResults(
        {
            name: {"n_parameters": 12_325_407 if name == TEACHER else 40_000}
            for name in MILLISECONDS
        },
        tuple(
            Exactness(draft, rule, 1.0, 4, seed, 20_000, 9, p_value)
            for draft in LEARNED_FROM
            for rule, values in p_values.items()
            for seed, p_value in enumerate(values, start=1)
        ),
        tuple(drafted(draft, tau, K) for tau in TEMPERATURES for draft in DRAFTS for K in LENGTHS),
        tuple(
            StepTime(name, n, threads, [ms * (1 + 0.02 * (n - 1)) / 1000 / threads] * 3)
            for threads in THREADS
            for name, ms in MILLISECONDS.items()
            for n in range(1, 10)
        ),
        tuple(
            clock(*way[:1], tau, *way[1:], threads)
            for threads in THREADS
            for tau in TEMPERATURES
            for way in ways
        ),
    )
