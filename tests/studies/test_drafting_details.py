"""The measures and verdicts of the speculative-sampling experiment against counts by hand."""

from __future__ import annotations

import inspect
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from synthetic_speculative import seeds_of, speculative_of

from seqkd_lab.corpus.batching import source_batch
from seqkd_lab.corpus.vocabulary import BOS
from seqkd_lab.decoding.distribution import SamplingDistribution
from seqkd_lab.decoding.enumeration import likely_translations
from seqkd_lab.decoding.search import Hypothesis, search
from seqkd_lab.decoding.speculative import Round, speculative_sample
from seqkd_lab.runs.recipes import SEQ_KD, WORD_KD
from seqkd_lab.runs.verdicts import HELD, NOT_HELD, UNDECIDED, Verdict, judge_claims
from seqkd_lab.studies.speculative import clock as drafting_clock
from seqkd_lab.studies.speculative.clock import (
    OWN,
    ClockTime,
    StepTime,
    best_way,
    check_cost,
    cost,
    judged_speed_up,
    measure_steps,
    round_by_round,
    speed_ups,
)
from seqkd_lab.studies.speculative.exactness import RULES, Exactness, chi_square, measure_exactness
from seqkd_lab.studies.speculative.results import DraftingResults
from seqkd_lab.studies.speculative.study import exactness_claims, token_claims
from seqkd_lab.studies.speculative.tables import (
    deep_alpha,
    medians_by_length,
    payoff_frame,
    refined_speed_ups,
)
from seqkd_lab.studies.speculative.tokens import Counter, drawn_pairs, expected_speed_up, overlaps

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
    """Two proposals with 1 − TV of 0.5 and 0.8: what comes after a rejection is not judged."""
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


def judge_exactness(by_seed: list[DraftingResults]) -> list[Verdict]:
    rows = [one.as_rows() for one in by_seed]
    return judge_claims(exactness_claims(rows), rows)


def judge_tokens(by_seed: list[DraftingResults]) -> list[Verdict]:
    return judge_claims(token_claims(), [one.as_rows() for one in by_seed])


def test_ratios_by_hand():
    one = speculative_of().tokens[0]
    one = replace(one, n_accepted=30, n_expected=20.0, variance=25.0, n_tokens=20, n_calls=10)
    assert (one.z, one.tokens_per_call) == (2.0, 2.0)
    assert replace(one, variance=0.0).z == 0.0


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
                for name in ("draft_length", "distribution", "batch_size", "seed")
            ]
        )
        return speculative_sample(*given, **named)

    ticks = iter((1.0, 7.0))
    monkeypatch.setattr(drafting_clock, "speculative_sample", noting)
    monkeypatch.setattr(drafting_clock, "time", SimpleNamespace(perf_counter=lambda: next(ticks)))
    found = drafting_clock.seconds_per_token(
        target, draft, SOURCES, SamplingDistribution(0.0), 3, 5
    )
    assert seen == [[3, SamplingDistribution(0.0), 1, 5]]
    assert found == 6.0 / sum(len(best.tokens) + 1 for [best] in search(target, SOURCES))


def test_every_round_has_sentences_and_draws_of_its_own():
    seen = []
    job = round_by_round(lambda some, seed: seen.append((list(some), seed)) or 1.0, "abcdefgh", 2)
    for _ in range(3):
        assert job() == 1.0
    assert seen == [(["a", "b"], 0), (["c", "d"], 1), (["e", "f"], 2)]
    with pytest.raises(ValueError, match="3 rounds need a sentence each"):
        round_by_round(lambda some, seed: 1.0, "ab", 2)


def test_a_step_is_timed_for_each_number_of_tokens(make_model, monkeypatch):
    monkeypatch.setattr(drafting_clock, "seconds_per_step", lambda model, source, n: float(n))
    steps = measure_steps({"m": make_model()}, SOURCES[0], {"m": (1, 3)}, 2)
    assert [(one.n_tokens, one.seconds) for one in steps] == [(1, [1.0, 1.0]), (3, [3.0, 3.0])]


def test_costs_are_medians_of_their_own_tokens_and_model():
    """One round out of five was disturbed, and one was lucky."""

    def step(name: str, n: int, seconds: float) -> StepTime:
        return StepTime(name, n, [seconds, 0.1 * seconds, 9.0 * seconds, seconds, seconds])

    steps = [
        step("target", 1, 8.0),
        step("target", 3, 10.0),
        step("draft", 1, 2.0),
        step("draft", 3, 7.0),
    ]
    assert cost(steps, "draft", "target") == 0.25
    assert check_cost(steps, "target", 2) == 1.25


def clock_of(times: dict[str, list[float]], temperature: float = 1.0) -> list[ClockTime]:
    return [
        ClockTime(name, temperature, 0 if name == OWN else 2, seconds)
        for name, seconds in times.items()
    ]


def test_speed_ups_are_beside_the_same_temperature_and_round():
    clock = [
        one
        for temperature, own in {1.0: 2.0, 0.0: 4.0}.items()
        for one in clock_of({OWN: [own, 2 * own], "d": [1.0, 1.0]}, temperature)
    ]
    for temperature, own in ((1.0, 2.0), (0.0, 4.0)):
        assert speed_ups(clock, temperature) == {("d", 2): [own, 2 * own]}


def test_the_winner_is_chosen_in_other_rounds_than_it_is_judged_in():
    """`lucky` is fast in the rounds that choose, and slow in those that judge."""
    clock = clock_of({OWN: [1.0] * 4, "lucky": [0.2, 2.0] * 2, "steady": [0.5] * 4})
    assert best_way(clock, 1.0) == ("lucky", 2)
    assert judged_speed_up(clock, 1.0) == 0.5
    assert best_way(clock, 1.0, "steady") == ("steady", 2)
    assert judged_speed_up(clock, 1.0, "steady") == 2.0


def test_the_best_way_is_best_by_its_median():
    """One disturbed round does not decide."""
    clock = clock_of({OWN: [1.0] * 6, "steady": [0.5] * 6, "fast": [0.2, 1, 2.0, 1, 0.2, 1]})
    assert best_way(clock, 1.0)[0] == "fast"


def test_the_formula_beside_a_speed_up_has_the_alpha_of_its_temperature_and_the_measured_c():
    targets = [one for one in seeds_of() if one.clock]
    for temperature in (1.0, 0.0):
        frame = payoff_frame(targets, temperature)
        chosen = list(map(int, frame.loc[WORD_KD, "K chosen, by target"].split(", ")))
        said = [
            expected_speed_up(deep_alpha(one, WORD_KD, temperature), K, 0.05)
            for one, K in zip(targets, chosen, strict=True)
        ]
        assert frame.loc[WORD_KD, "by the formula"] == f"{sum(said) / 3:.2f}"
        assert frame.loc[WORD_KD, "c"] == "0.050"


def test_ends_and_the_checks_price_make_the_formula_smaller():
    targets = [one for one in seeds_of() if one.clock]
    plain, ends, checked = refined_speed_ups(targets, SEQ_KD, 1.0).values()
    assert list(plain) == list(medians_by_length(targets, SEQ_KD, 1.0))
    assert all(plain[K] > ends[K] > checked[K] for K in plain)


def with_p_values(*p_values: float) -> list[DraftingResults]:
    """A seed a p-value, which both rules' tests have."""
    seeds = seeds_of(len(p_values), len(p_values))
    return [
        replace(
            one,
            exactness=tuple(
                Exactness("d", rule, 1.0, 2, 21 + number, 100, 5, value) for rule in RULES
            ),
        )
        for number, (one, value) in enumerate(zip(seeds, p_values, strict=True))
    ]


def test_p_values_are_judged_by_their_number():
    """0.004 rejects by itself, and not as one of three."""
    three, two = (judge_exactness(with_p_values(*[0.004] * n)) for n in (3, 2))
    assert [verdict.outcome for verdict in three] == [HELD, NOT_HELD]
    assert [verdict.outcome for verdict in two] == [NOT_HELD, HELD]


def test_one_rejected_test_of_many_is_enough_not_to_be_exact():
    exact, broken = judge_exactness(with_p_values(1e-9, *[0.5] * 9))
    assert exact.values == (1, *[0] * 9) and exact.outcome == UNDECIDED
    assert broken.values == (0, *[1] * 9) and broken.outcome == NOT_HELD


@pytest.mark.parametrize(
    ("change", "missed"),
    [
        ({}, []),
        ({"n_accepted": 0, "n_expected": 121.0, "variance": 25.0}, ["S6"]),
        ({"n_accepted": 121, "n_expected": 0.0, "variance": 25.0}, ["S6"]),
        ({"n_different": 1}, ["S7"]),
        ({"n_calls": 10**6}, ["S8"]),
        ({"n_calls": 10}, ["S8"]),
    ],
)
def test_what_was_counted_is_judged_on_both_sides(change, missed):
    changed = [
        replace(one, tokens=tuple(replace(each, **change) for each in one.tokens))
        for one in seeds_of()
    ]
    outcomes = {v.claim.name: v.outcome for v in judge_tokens(changed)}
    assert [name for name, outcome in outcomes.items() if outcome != HELD] == missed


def test_chi_square_sees_translations_that_the_target_never_gives():
    """Also where the expected ones have all the probability, so that no class of the others is
    left."""
    drawn = [Hypothesis((word,), 0, 0) for word in "a" * 350 + "b" * 350 + "c" * 300]
    assert chi_square(drawn, {("a",): 0.5, ("b",): 0.5})[0] < 1e-6
