"""What a distilled student is worth as its teacher's draft: the claims on speculative sampling, and
the study that judges them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict

from seqkd_lab.runs.presets import EARLIER
from seqkd_lab.runs.schedule import Task
from seqkd_lab.runs.store import Report, Store, identity
from seqkd_lab.runs.study import Study
from seqkd_lab.runs.verdicts import Claim, Rows
from seqkd_lab.studies.speculative.exactness import EXACT_RULE, RULES
from seqkd_lab.studies.speculative.recipes import DRAFTING, DraftingRun
from seqkd_lab.studies.speculative.results import (
    EXACTNESS,
    TOKENS,
    DraftingResults,
    Extent,
    measure_parts,
)
from seqkd_lab.studies.speculative.tables import (
    best_way,
    blocks_of,
    checks_in_words,
    speed_ups,
    tables,
)
from seqkd_lab.studies.speculative.tokens import DraftedTokens, with_ends

FALSE_ALARM = 0.01
AIM = 2.0
"""Times as fast as the target alone, by the clock."""
LOSSLESS = (
    "“without any changes to the outputs” (Leviathan et al. 2023, arXiv 2211.17192, abstract)"
)
TOLD_APART = "an aim of this lab: a rule that is broken on purpose must be told from the law"
ACCEPTANCE = (
    "a proposed word stands with the chance Σ min(p, q) = 1 − TV (Leviathan et al. 2023, theorem "
    "3.5)"
)
FASTER = "2 to 3 times on T5-XXL (Leviathan et al. 2023, abstract); 2 times is this lab's aim"


def grouped(part: str, by: str, **chosen: str) -> Callable[[Sequence[Rows]], list[Rows]]:
    """Return what makes of a study's results the measurements of one part, those with the same
    value of `by` together; only such as were `chosen`."""

    def groups(by_seed: Sequence[Rows]) -> list[Rows]:
        rows: dict[str, dict] = {}
        for number, values in by_seed[0][part].items():
            if all(values[name] == value for name, value in chosen.items()):
                rows.setdefault(values[by], {})[number] = values
        return list(rows.values())

    return groups


def exactness_claims(by_seed: Sequence[Rows]) -> list[Claim]:
    """Return the claims on the χ² tests of both rules."""
    return [exactness_claim(by_seed, rule) for rule in RULES]


def exactness_claim(tests: Sequence[Rows], rule: str) -> Claim:
    """Return the claim on the χ² tests of one rule: the number a seed that comes out wrong, for p
    times the number of all tests (Bonferroni): rejected for the exact rule, not rejected for the
    broken one. None may."""
    by_rule = grouped(EXACTNESS, "seed", rule=rule)
    n_tests, is_exact = sum(map(len, by_rule(tests))), rule == EXACT_RULE
    return Claim(
        "S1",
        f"{rule}: tests a seed that are {'rejected' if is_exact else 'not rejected'} (p of χ² "
        f"times {n_tests} tests < {FALSE_ALARM}) = 0",
        lambda rows: sum(
            (n_tests * test["p_value"] < FALSE_ALARM) == is_exact for test in rows.values()
        ),
        most=0.0,
        original=LOSSLESS if is_exact else TOLD_APART,
        repetitions=by_rule,
    )


def drafted(rows: Rows) -> list[DraftedTokens]:
    """Return what was counted with one draft."""
    return [DraftedTokens(**values) for values in rows.values()]


def formula_ratio(tokens: DraftedTokens) -> float:
    """Return tokens per call of the target: measured / what the formula with ends says."""
    return tokens.tokens_per_call / with_ends(tokens.overlap, tokens.draft_length, tokens.lengths)


def n_different(rows: Rows) -> int | None:
    """Return the sentences that the target alone writes otherwise; None where nothing was drafted
    for greedy search."""
    counts = [tokens.n_different for tokens in drafted(rows) if tokens.n_different is not None]
    return sum(counts) if counts else None


def token_claim(
    name: str, ours: str, n_wrong: Callable[[Rows], int | None], original: str
) -> Claim:
    """Return a claim on tokens, over the drafts: nothing is wrong."""
    by_draft = grouped(TOKENS, "draft")
    return Claim(
        name, ours, n_wrong, most=0.0, original=original, repetitions=by_draft, repeated="drafts"
    )


TOKEN_CLAIMS = (
    token_claim(
        "S2",
        "settings a draft (temperature, K) with accepted − Σ(1 − TV) outside of ± 4 standard "
        "deviations = 0",
        lambda rows: sum(abs(tokens.z) > 4.0 for tokens in drafted(rows)),
        ACCEPTANCE,
    ),
    token_claim(
        "S3",
        "greedy: sentences a draft, over all K, that differ from the target's own = 0",
        n_different,
        LOSSLESS,
    ),
    token_claim(
        "S4",
        "settings a draft with tokens per call, measured / formula with ends, outside of 0.9–1.1 "
        "= 0",
        lambda rows: sum(not 0.9 <= formula_ratio(tokens) <= 1.1 for tokens in drafted(rows)),
        ACCEPTANCE,
    ),
)


def clock_claim(results: DraftingResults, threads: int, temperature: float) -> Claim:
    """Return the claim on the aim by the clock, over the rounds, for the way that is fastest
    there."""
    way = best_way(results.clock, threads, temperature)
    draft, K, adaptive = way

    def rounds(by_seed: Sequence[Rows]) -> list[Rows]:
        times = speed_ups(DraftingResults.of_rows(by_seed[0]).clock, threads, temperature)[way]
        return [{"clock": {"times": value}} for value in times]

    return Claim(
        "S5",
        f"≥ {AIM:g} times as fast as the target alone, temperature {temperature:g}, {threads} "
        f"thread(s) ({draft}, K = {K}{', adaptive' * adaptive})",
        lambda rows: rows["clock"]["times"],
        least=AIM,
        original=FASTER,
        repetitions=rounds,
        repeated="rounds",
    )


def claims_of(by_seed: Sequence[Rows]) -> list[Claim]:
    """Return everything that the study had to show."""
    results = DraftingResults.of_rows(by_seed[0])
    return [
        *exactness_claims(by_seed),
        *TOKEN_CLAIMS,
        *(clock_claim(results, *block) for block in blocks_of(results.clock)),
    ]


def study_of(run: DraftingRun, extent: Extent) -> Study:
    """Return the study of these models. Only the target's size makes it long, so it has one seed;
    what is drawn has many."""

    def settings() -> dict:
        recipes = {name: identity(recipe) for name, recipe in run.recipes().items()}
        return {"recipes": recipes, "extent": asdict(extent)}

    def measure(seed: int, store: Store, report: Report, rows: Rows) -> Iterator[tuple[str, dict]]:
        return measure_parts(run, extent, store, report, rows)

    def tasks(seed: int) -> Sequence[Task]:
        return run.tasks()

    return Study(
        name="speculative",
        question="What is a distilled student worth as its teacher's draft?",
        file="speculative.json",
        settings=settings,
        tasks=tasks,
        measure=measure,
        tables=tables,
        claims_of=claims_of,
        n_seeds=1,
        in_words=checks_in_words,
        data=run.data,
        by_row=True,
    )


STUDY = study_of(DraftingRun(EARLIER, DRAFTING), Extent())
