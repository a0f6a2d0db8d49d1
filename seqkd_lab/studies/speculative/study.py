"""What a distilled student is worth as a draft: the claims on speculative sampling, and the study
that judges them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from statistics import fmean

from seqkd_lab.runs.recipes import SEQ_KD, WORD_KD, ToyData
from seqkd_lab.runs.store import identity
from seqkd_lab.runs.study import Study
from seqkd_lab.runs.verdicts import Claim, Rows
from seqkd_lab.studies.speculative.clock import judged_speed_up
from seqkd_lab.studies.speculative.exactness import EXACT_RULE, RULES
from seqkd_lab.studies.speculative.recipes import (
    DRAFTING,
    ON_POLICY,
    SAME_ON_GOLD,
    drafting_recipes,
)
from seqkd_lab.studies.speculative.results import (
    CLOCK,
    EXACTNESS,
    DraftingResults,
    DraftingRun,
    Extent,
    with_clock,
)
from seqkd_lab.studies.speculative.rows import rows_of
from seqkd_lab.studies.speculative.tables import checks_in_words as in_words
from seqkd_lab.studies.speculative.tables import how, tables
from seqkd_lab.studies.speculative.tokens import DraftedTokens

FALSE_ALARM = 0.01
AIM = 2.0
"""Times as fast as the target alone, by the clock."""
LOSSLESS = (
    "“without any changes to the outputs” (Leviathan et al. 2023, arXiv 2211.17192, abstract)"
)
TOLD_APART = "an aim of this lab: a rule that is broken on purpose must be told from the right one"
ACCEPTANCE_RATE = (
    "a proposed word is accepted with probability Σ min(p, q) = 1 − TV (Leviathan et al. 2023, "
    "theorem 3.5)"
)
TOKENS_A_CALL = "(1 − α^(K+1)) / (1 − α) tokens a call (Leviathan et al. 2023, equation 1)"
FASTER = "2 to 3 times on T5-XXL (Leviathan et al. 2023, abstract); 2 times is this lab's aim"
EXPECTED = "an expectation of this lab: what the student should learn depends on the search"
ON_POLICY_DRAFTS = (
    "on-policy data makes a better draft (DistillSpec: Zhou et al. 2024, arXiv 2310.08461)"
)


def over_targets(
    name: str,
    ours: str,
    value: Callable[[DraftingResults], float],
    original: str,
    least: float = float("-inf"),
    most: float = float("inf"),
) -> Claim:
    """Return a claim on the deep targets: a value a target."""
    return Claim(
        name,
        ours,
        lambda rows: value(DraftingResults.of_rows(rows)),
        least,
        most,
        original,
        repetitions=with_clock,
        repeated="targets",
    )


def wrong_tests(rule: str, n_tests: int) -> Callable[[DraftingResults], float]:
    """Return what counts a seed's χ² tests of a rule that come out wrong, p times the number of all
    tests (Bonferroni): rejected for the exact rule, not rejected for the broken one."""

    def wrong(results: DraftingResults) -> float:
        return sum(
            (n_tests * test.p_value < FALSE_ALARM) == (rule == EXACT_RULE)
            for test in results.exactness
            if test.rule == rule
        )

    return wrong


def exactness_claims(by_seed: Sequence[Rows]) -> list[Claim]:
    """Return the claims on the χ² tests of both rules: none may come out wrong."""
    claims = []
    for name, rule in zip(("S4", "S5"), RULES, strict=True):
        tests = [t for rows in by_seed for t in rows.get(EXACTNESS, {}).values()]
        n_tests = sum(test["rule"] == rule for test in tests)
        verb, original = (
            ("rejected", LOSSLESS) if rule == EXACT_RULE else ("not rejected", TOLD_APART)
        )
        ours = f"χ² tests a seed that are {verb}, {rule} (p × {n_tests} tests < {FALSE_ALARM}): 0"
        claims.append(over_targets(name, ours, wrong_tests(rule, n_tests), original, most=0.0))
    return claims


def n_different(results: DraftingResults) -> float:
    """Return the sentences, over drafts and K, that greedy search by the target alone writes
    otherwise."""
    return sum(counted.n_different or 0 for counted in results.tokens)


def n_outside(results: DraftingResults, deviations: float = 4.0) -> float:
    """Return the settings whose accepted words lie farther from Σ (1 − TV) than so many standard
    deviations."""
    return sum(abs(counted.z) > deviations for counted in results.tokens)


def formula_ratio(counted: DraftedTokens) -> float:
    """Return tokens per call of the target: measured / what the formula with ends says."""
    return counted.tokens_per_call / counted.with_ends


def token_claims() -> list[Claim]:
    """Return the claims on what was accepted, greedy search, and the formula."""
    return [
        over_targets(
            "S6",
            "settings (draft, temperature, K) with accepted words more than 4 standard deviations "
            "from Σ (1 − TV): 0",
            n_outside,
            ACCEPTANCE_RATE,
            most=0.0,
        ),
        over_targets(
            "S7",
            "greedy: sentences, over drafts and K, that differ from the target's own: 0",
            n_different,
            LOSSLESS,
            most=0.0,
        ),
        over_targets(
            "S8",
            "tokens a call, measured / by the formula with ends, mean over the settings: 0.95 to "
            "1.05",
            lambda results: fmean(map(formula_ratio, results.tokens)),
            TOKENS_A_CALL,
            0.95,
            1.05,
        ),
    ]


def clock_claim(name: str, temperature: float) -> Claim:
    """Return the claim on the aim by the clock: draft and K are chosen in some of a target's
    rounds, and judged in the others."""
    return over_targets(
        name,
        f"{how(temperature)}: times as fast as the target alone, ≥ {AIM:g} (draft and K chosen in "
        "other rounds)",
        lambda results: judged_speed_up(results.clock, temperature),
        FASTER,
        least=AIM,
    )


def alpha_claim(name: str, temperature: float, better: str, other: str, original: str) -> Claim:
    """Return the claim that one draft's α, for its own teacher, is at least the other's."""

    def difference(rows: Rows) -> float:
        results = DraftingResults.of_rows(rows)
        return 100.0 * (results.alpha(better, temperature) - results.alpha(other, temperature))

    ours = f"{how(temperature)}: α of {better} − α of {other}, points: ≥ 0"
    return Claim(name, ours, difference, least=0.0, original=original)


DRAFT_CLAIMS = (
    alpha_claim("S1", 1.0, WORD_KD, SEQ_KD, EXPECTED),
    alpha_claim("S2", 0.0, SEQ_KD, WORD_KD, EXPECTED),
    alpha_claim("S3", 1.0, ON_POLICY, SAME_ON_GOLD, ON_POLICY_DRAFTS),
)
"""On the students' own teacher, in every seed."""


def claims_of(by_seed: Sequence[Rows]) -> list[Claim]:
    """Return the claims on the deep targets, where there are any."""
    if not any(CLOCK in rows for rows in by_seed):
        return []
    return [
        *exactness_claims(by_seed),
        *token_claims(),
        clock_claim("S9", 1.0),
        clock_claim("S10", 0.0),
    ]


def study_of(run: DraftingRun, first_seed: int = 21, n_seeds: int = 10) -> Study:
    """Return the study of these models. Drafts are compared on their own teacher in every seed; the
    deep target, which trains longest, has the first few."""

    def settings() -> dict:
        recipes = {
            name: identity(recipe)
            for name, recipe in drafting_recipes(run.data, run.preset, first_seed).items()
        }
        return {"recipes": recipes, "extent": asdict(run.extent)}

    return Study(
        name="speculative",
        question="What is a distilled student worth as its teacher's draft?",
        file="speculative.json",
        settings=settings,
        tasks=run.tasks,
        measure=run.measure,
        tables=tables,
        claims=DRAFT_CLAIMS,
        claims_of=claims_of,
        first_seed=first_seed,
        n_seeds=n_seeds,
        in_words=in_words,
        data=run.data,
        by_row=True,
        rows=rows_of(run.extent),
    )


STUDY = study_of(DraftingRun(ToyData(), DRAFTING, Extent()))
