"""The measures and verdicts of the speculative-sampling experiment against counts by hand."""

from __future__ import annotations

import inspect
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch

from seqkd_lab.corpus.batching import source_batch
from seqkd_lab.corpus.vocabulary import BOS
from seqkd_lab.decoding.distribution import SamplingDistribution
from seqkd_lab.decoding.enumeration import likely_translations
from seqkd_lab.decoding.search import Hypothesis, search
from seqkd_lab.decoding.speculative import Round, speculative_sample
from seqkd_lab.runs.recipes import TEACHER
from seqkd_lab.runs.verdicts import HELD, NOT_HELD, UNDECIDED, Rows, Verdict, judge_claims
from seqkd_lab.studies.speculative import clock as drafting_clock
from seqkd_lab.studies.speculative.clock import (
    OWN,
    ClockTime,
    StepTime,
    check_cost,
    cost,
    measure_steps,
)
from seqkd_lab.studies.speculative.exactness import Exactness, chi_square, measure_exactness
from seqkd_lab.studies.speculative.results import DraftingResults
from seqkd_lab.studies.speculative.study import TOKEN_CLAIMS, exactness_claims
from seqkd_lab.studies.speculative.tables import best_way, speed_frame, speed_ups
from seqkd_lab.studies.speculative.tokens import (
    Counter,
    DraftedTokens,
    drawn_pairs,
    expected_speed_up,
    measure_tokens,
    overlaps,
)

SOURCES = [("ant", "bee", "cat"), ("fox",), ("dog", "eel")] * 4


def test_each_word_of_the_draft_costs():
    """3.36 tokens by the time of 1 + 4 · 0.05 steps."""
    assert expected_speed_up(0.8, 4, 0.05) == pytest.approx(3.3616 / 1.2)


def test_overlap_by_hand(make_model):
    """1 − ½ Σ |p − q| of each place after its gold prefix, and of the end."""
    target, draft, distribution = (
        make_model(1, sharpness=2.0),
        make_model(2, sharpness=2.0),
        SamplingDistribution(0.7, top_k=3),
    )
    pairs = drawn_pairs(target, SOURCES[:1], SamplingDistribution(), 1)
    read = torch.tensor([[BOS, *target.target_vocabulary.ids(pairs.target[0])]])
    source = source_batch(SOURCES[:1], target.source_vocabulary)
    with torch.no_grad():
        p, q = (distribution(of.step(read, of.start(*source))[0])[0] for of in (draft, target))
    assert overlaps(target, draft, pairs, distribution) == pytest.approx(
        (1 - 0.5 * (p - q).abs().sum(1)).tolist(), abs=1e-5
    )


@pytest.mark.parametrize(
    ("n_accepted", "n_judged", "expected", "variance"),
    [(0, 1, 0.5, 0.25), (1, 2, 1.3, 0.41), (2, 2, 1.3, 0.41)],
)
def test_the_counter_counts_by_hand(n_accepted, n_judged, expected, variance):
    """Two proposals with 1 − TV of 0.5 and 0.8: what stands behind a refusal is not judged."""
    p = torch.tensor([[[0.5, 0.5, 0.0], [1.0, 0.0, 0.0]]])
    q = torch.tensor([[[0.0, 0.5, 0.5], [0.8, 0.1, 0.1], [0.2, 0.3, 0.5]]])
    count, words = Counter(), torch.zeros(1, 2, dtype=torch.long)
    for _ in range(3):
        count(
            Round(
                1, words, words.bool(), p, q, torch.tensor([n_accepted]), torch.tensor([0]), q[:, 0]
            )
        )
    assert vars(count) == {
        "n_calls": 3,
        "n_judged": 3 * n_judged,
        "n_accepted": 3 * n_accepted,
        "n_expected": pytest.approx(3 * expected),
        "variance": pytest.approx(3 * variance),
    }


def drafted(**change) -> DraftedTokens:
    """Counts that the formula gives where no word stands."""
    one = DraftedTokens(
        "d",
        1.0,
        2,
        overlap=0.0,
        overlap_error=0.0,
        n_judged=40,
        n_accepted=0,
        n_expected=0.0,
        variance=25.0,
        n_calls=20,
        lengths=[5, 15],
        n_different=None,
    )
    return replace(one, **change)


def rows_of(
    tests: list[Exactness] | None = None, tokens: list[DraftedTokens] | None = None
) -> Rows:
    return DraftingResults({}, tuple(tests or ()), tuple(tokens or ()), (), ()).as_rows()


def judge_exactness(tests: list[Exactness]) -> list[Verdict]:
    by_seed = [rows_of(tests)]
    return judge_claims(exactness_claims(by_seed), by_seed)


def judge_tokens(tokens: list[DraftedTokens]) -> list[Verdict]:
    return judge_claims(TOKEN_CLAIMS, [rows_of(tokens=tokens)])


def test_ratios_by_hand():
    one = drafted(n_accepted=30, n_expected=20.0)
    assert (one.z, one.tokens_per_call) == (2.0, 1.0)
    assert drafted(n_calls=10).tokens_per_call == 2.0


def test_the_error_of_the_overlap_is_that_of_its_mean(make_model):
    target, draft = make_model(1, sharpness=2.0), make_model(2, sharpness=2.0)
    [found] = measure_tokens(target, {"d": draft}, SOURCES, (1.0,), (1,), seed=5)
    values = torch.tensor(
        overlaps(
            target,
            draft,
            drawn_pairs(target, SOURCES, SamplingDistribution(), 5),
            SamplingDistribution(),
        )
    )
    assert found.overlap == pytest.approx(float(values.mean()))
    assert found.overlap_error == pytest.approx(float(values.std()) / len(values) ** 0.5)


def test_each_seed_is_a_test_of_its_own_and_classes_reach_down_to_the_least(make_model):
    target, drafts = (
        make_model(1, n_target=2, sharpness=2.0),
        {"d": make_model(3, n_target=2, sharpness=2.0)},
    )
    found = measure_exactness(
        target, drafts, SOURCES[0], SamplingDistribution(), 2, (1, 2), n=1_000
    )
    assert len({one.p_value for one in found}) == 4
    common = likely_translations(target, SOURCES[0], SamplingDistribution(), least=0.01)
    assert {one.n_classes for one in found} <= {len(common), len(common) + 1}


def test_classes_of_just_the_least_expected_are_classes_of_their_own():
    drawn = [Hypothesis((word,), 0, 0) for word in "a" * 80 + "b" * 10 + "c" * 10]
    assert chi_square(drawn, {("a",): 0.8, ("b",): 0.1, ("c",): 0.1})[1] == 3


def test_a_timed_way_is_the_one_asked_for_and_seconds_are_shared_by_its_tokens(
    make_model, monkeypatch
):
    target, draft, seen = make_model(1), make_model(2), []

    def noting(*given, **named):
        asked = inspect.signature(speculative_sample).bind(*given, **named)
        asked.apply_defaults()
        seen.append(
            [
                asked.arguments[name]
                for name in ("draft_length", "distribution", "batch_size", "adaptive")
            ]
        )
        return speculative_sample(*given, **named)

    ticks = iter((1.0, 7.0))
    monkeypatch.setattr(drafting_clock, "speculative_sample", noting)
    monkeypatch.setattr(drafting_clock, "time", SimpleNamespace(perf_counter=lambda: next(ticks)))
    found = drafting_clock.seconds_per_token(
        target, draft, SOURCES, SamplingDistribution(0.0), 3, True
    )
    assert seen == [[3, SamplingDistribution(0.0), 1, True]]
    assert found == 6.0 / sum(len(best.tokens) + 1 for [best] in search(target, SOURCES))


def test_a_step_is_timed_for_each_number_of_tokens(make_model, monkeypatch):
    monkeypatch.setattr(drafting_clock, "seconds_per_step", lambda model, source, n: float(n))
    steps = measure_steps({"m": make_model()}, SOURCES[0], (1, 3), (1,), 2)
    assert [(one.n_tokens, one.seconds) for one in steps] == [(1, [1.0, 1.0]), (3, [3.0, 3.0])]


def test_costs_are_medians_of_their_own_threads_tokens_and_model():
    """One round out of five was disturbed, and one was lucky."""

    def step(name: str, n: int, threads: int, seconds: float) -> StepTime:
        return StepTime(name, n, threads, [seconds, 0.1 * seconds, 9.0 * seconds, seconds, seconds])

    steps = [
        step("target", 1, 1, 8.0),
        step("target", 3, 1, 10.0),
        step("draft", 1, 1, 2.0),
        step("draft", 3, 1, 7.0),
        step("target", 1, 2, 4.0),
        step("target", 3, 2, 6.0),
        step("draft", 1, 2, 3.0),
        step("draft", 3, 2, 5.0),
    ]
    steps[0].seconds[1] = 0.001  # another share than the draft's
    assert [cost(steps, "draft", "target", threads) for threads in (1, 2)] == [0.25, 0.75]
    assert [check_cost(steps, "target", 2, threads) for threads in (1, 2)] == [1.25, 1.5]


def clock_of(times: dict[str, list[float]], temperature: float, threads: int) -> list[ClockTime]:
    return [
        ClockTime(name, temperature, 0 if name == OWN else 2, False, threads, seconds)
        for name, seconds in times.items()
    ]


def test_speed_ups_are_beside_the_same_temperature_and_threads():
    clock = [
        one
        for (temperature, threads), own in {(1.0, 1): 2.0, (0.0, 1): 4.0, (1.0, 2): 6.0}.items()
        for one in clock_of({OWN: [own, 2 * own], "d": [1.0, 1.0]}, temperature, threads)
    ]
    for place, own in (((1, 1.0), 2.0), ((1, 0.0), 4.0), ((2, 1.0), 6.0)):
        assert speed_ups(clock, *place) == {("d", 2, False): [own, 2 * own]}


def test_the_best_way_is_best_by_its_median():
    """One disturbed round does not decide."""
    clock = clock_of({OWN: [1.0] * 3, "steady": [0.5] * 3, "fast": [0.2, 2.0, 0.2]}, 1.0, 1)
    assert best_way(clock, 1, 1.0)[0] == "fast"


def test_the_formula_beside_a_speed_up_has_the_alpha_of_its_temperature_and_the_c_of_its_threads():
    alphas, costs = {1.0: 0.5, 0.0: 0.9}, {1: 0.1, 2: 0.25}
    results = DraftingResults(
        {},
        (),
        tuple(
            drafted(temperature=temperature, overlap=alpha) for temperature, alpha in alphas.items()
        ),
        tuple(
            StepTime(name, 1, threads, [seconds] * 3)
            for threads, c in costs.items()
            for name, seconds in ((TEACHER, 1.0), ("d", c))
        ),
        tuple(
            one
            for temperature in alphas
            for threads in costs
            for one in clock_of({OWN: [3.0] * 3, "d": [1.0] * 3}, temperature, threads)
        ),
    )
    for temperature, alpha in alphas.items():
        for threads, c in costs.items():
            shown = speed_frame(results, threads, temperature).loc["d", "K=2"]
            assert shown == f"3.00 [{expected_speed_up(alpha, 2, c):.2f}]"


def test_p_values_are_judged_by_their_number():
    """0.004 rejects by itself, and not as one of three."""
    tests = [
        Exactness("d", rule, 1.0, 2, seed, 100, 5, 0.004)
        for rule in ("exact", "redrawn from q")
        for seed in (1, 2, 3)
    ]
    assert [verdict.outcome for verdict in judge_exactness(tests)] == [HELD, NOT_HELD]
    two = [tests[place] for place in (0, 1, 3, 4)]
    assert [verdict.outcome for verdict in judge_exactness(two)] == [NOT_HELD, HELD]


def test_one_rejected_test_of_many_is_enough_not_to_be_exact():
    tests = [
        Exactness("d", rule, 1.0, 2, seed, 100, 5, 1e-9 if seed == 1 else 0.5)
        for rule in ("exact", "redrawn from q")
        for seed in range(1, 11)
    ]
    exact, broken = judge_exactness(tests)
    assert exact.values == (1, *[0] * 9) and exact.outcome == UNDECIDED
    assert broken.values == (0, *[1] * 9) and broken.outcome == NOT_HELD


@pytest.mark.parametrize(
    ("change", "held"),
    [
        ({}, (True, True)),
        ({"n_accepted": 0, "n_expected": 21.0}, (False, True)),
        ({"n_accepted": 21, "n_expected": 0.0}, (False, True)),
        ({"n_calls": 17}, (True, False)),
        ({"n_calls": 23}, (True, False)),
    ],
)
def test_what_was_counted_is_judged_on_both_sides(change, held):
    """20 tokens in 20 calls: off by more than four standard deviations or a tenth, up or down, each
    by itself."""
    tokens = [
        drafted(draft=draft, **more) for draft in "de" for more in (*[{}] * 15, {"n_different": 0})
    ]
    s2, s3, s4 = judge_tokens([drafted(**change), *tokens])
    assert (s2.outcome == HELD, s4.outcome == HELD) == held and s3.outcome == HELD


def test_what_differs_is_counted_by_draft_and_asked_only_of_greedy_search():
    tokens = [
        drafted(draft=draft, n_different=n)
        for draft, n in (("d", 0), ("d", 2), ("e", None), ("e", 1))
    ]
    assert judge_tokens(tokens)[1].values == (2, 1)
    names = [verdict.claim.name for verdict in judge_tokens([drafted(), drafted(draft="e")])]
    assert names == ["S2", "S4"]


def test_chi_square_sees_translations_that_the_law_never_gives():
    """Also where the expected ones have all of the law, so that nothing is left for a class of the
    others."""
    drawn = [Hypothesis((word,), 0, 0) for word in "a" * 350 + "b" * 350 + "c" * 300]
    assert chi_square(drawn, {("a",): 0.5, ("b",): 0.5})[0] < 1e-6
