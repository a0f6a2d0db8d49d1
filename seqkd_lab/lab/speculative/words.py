"""Sentences of lesson 10 that are computed from what the run and the committed seeds measured."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from statistics import fmean, median

from seqkd_lab.decoding.draft_trace import DraftTrace
from seqkd_lab.lab.shared.digits import mean_in_digits, minus
from seqkd_lab.lab.shared.distribution_columns import display_word
from seqkd_lab.lab.shared.predictions import CANNOT_TELL, largest
from seqkd_lab.lab.shared.showing import Markdown
from seqkd_lab.runs.recipes import BASELINE, SEQ_KD, TEACHER, WORD_KD
from seqkd_lab.runs.verdicts import mean_and_interval
from seqkd_lab.studies.speculative.clock import StepTime, best_way, judged_speed_up, speed_ups
from seqkd_lab.studies.speculative.exactness import EXACT_RULE, Exactness
from seqkd_lab.studies.speculative.recipes import DEEP, LEARNED_FROM, ON_POLICY, SAME_ON_GOLD
from seqkd_lab.studies.speculative.results import DraftingResults
from seqkd_lab.studies.speculative.study import FALSE_ALARM
from seqkd_lab.studies.speculative.tables import (
    alphas,
    how,
    mean_cost,
    medians_by_length,
    refined_speed_ups,
    tokens_per_call,
)

LENGTH_ANSWERS = ("1 or 2", "3 to 6", "8 to 12", CANNOT_TELL)
LENGTHS_OF = {"1 or 2": (1, 2), "3 to 6": (3, 4, 5, 6), "8 to 12": (8, 9, 10, 11, 12)}
SMALL_ANSWERS = ("faster than alone", "slower than alone", CANNOT_TELL)
RULED_OUT = 0.05
"""A word that the target gives less than this, it nearly rules out."""
PLAIN = 1e-12
"""A p-value below which nobody would doubt that a rule is broken."""


def rejected_most(results: Sequence[DraftingResults], temperature: float) -> str:
    """Return which draft of LEARNED_FROM has the lowest α in the seeds, by the paired interval
    against each other one; CANNOT_TELL where that is not decided."""
    return largest(
        {name: [-a for a in alphas(results, name, temperature)] for name in LEARNED_FROM}
    )


def accepted_most(results: Sequence[DraftingResults], temperature: float) -> str:
    """Return which draft of LEARNED_FROM has the highest α, as `rejected_most` does."""
    return largest({name: alphas(results, name, temperature) for name in LEARNED_FROM})


def differences(results: Sequence[DraftingResults]) -> dict[str, list[float]]:
    """Return the paired differences of α, in points, that the study judges: one value a seed."""
    compared = (
        (1.0, WORD_KD, SEQ_KD),
        (0.0, SEQ_KD, WORD_KD),
        (1.0, WORD_KD, BASELINE),
        (1.0, ON_POLICY, SAME_ON_GOLD),
    )
    return {
        f"{how(temperature)}: {draft} − {other}": [
            100.0 * (a - b)
            for a, b in zip(
                alphas(results, draft, temperature),
                alphas(results, other, temperature),
                strict=True,
            )
        ]
        for temperature, draft, other in compared
    }


def acceptance_in_words(results: Sequence[DraftingResults]) -> Markdown:
    """State the mean α of the three drafts, whether the search turns the order of Word-KD and
    Seq-KD round, and what on-policy training adds."""
    n, shown = len(results), differences(results)
    sampled, greedy, _, own = shown.values()
    lines = [
        f"{how(temperature).capitalize()}, mean α of {n} seeds: "
        + ", ".join(
            f"{name} {fmean(alphas(results, name, temperature)):.3f}" for name in LEARNED_FROM
        )
        + "."
        for temperature in (1.0, 0.0)
    ]
    (low, _), (greedy_low, greedy_high) = (
        mean_and_interval(values)[1] for values in (sampled, greedy)
    )
    if low > 0.0 and greedy_low > 0.0:
        lines.append(
            "The search turns the order round. A target that samples is guessed best by a draft "
            "that learned its *distribution*; a target that searches greedily, by a draft that "
            "learned its *mode*. What the student should learn depends on what the teacher will do."
        )
    elif low > 0.0:
        rest = (
            "With greedy search Word-KD stays ahead."
            if greedy_high < 0.0
            else "With greedy search the seeds do not decide which of the two is accepted more "
            "often."
        )
        lines.append(
            "At temperature 1 the draft that learned the *distribution* is accepted more often "
            f"than the one that learned the *mode*. {rest}"
        )
    else:
        lines.append("At temperature 1 the seeds do not put Word-KD's draft above Seq-KD's.")
    lines.append(
        f"The on-policy draft is compared with one that had the same loss along gold's words: "
        f"{mean_in_digits(own, 2)} points. {_own_in_words(own)}"
    )
    return Markdown(minus("\n\n".join(lines)))


def _own_in_words(values: Sequence[float]) -> str:
    """Return what own words do to α, by the side of 0 on which the interval lies."""
    low, high = mean_and_interval(values)[1]
    if low > 0.0:
        return "Its own words made it a better draft."
    if high < 0.0:
        return "Its own words made it a worse draft."
    return "The seeds do not decide whether its own words help."


def alpha_range(
    results: Sequence[DraftingResults], draft: str, temperature: float, error: float
) -> tuple[float, float]:
    """Return the lowest and highest α of the seeds, two standard errors wider on both sides."""
    values = alphas(results, draft, temperature)
    return min(values) - 2 * error, min(1.0, max(values) + 2 * error)


def rejected_in_words(trace: DraftTrace, number: int) -> str:
    """State of round `number` (from 1) which word was rejected, what the target preferred, and
    whether the target nearly ruled it out."""
    traced = trace.rounds[number - 1]
    word = traced.rejected
    if word is None:
        return "In this round no word is rejected: all proposals are accepted."
    best = int(traced.q.argmax())
    preferred = f"“{display_word(trace.tokens[best])}” ({float(traced.q[best]):.2f})"
    head = (
        f"The draft gave “{display_word(word.token)}” {word.p:.2f}, the target gives it "
        f"{word.q:.2f}. The target's most probable word here is {preferred}."
    )
    if word.q < RULED_OUT:
        return (
            f"{head} The target nearly rules the proposal out. Something in the source, or in the "
            "words before it, decides this place, and the narrow draft did not keep it."
        )
    return (
        f"{head} So the target finds the proposal possible, too, but less probable than the draft "
        "does. Nothing was forgotten; the two models disagree about how often it is written."
    )


def steps_in_words(steps: Sequence[StepTime]) -> Markdown:
    """State what reading the most tokens at once costs the teacher and the Transformer, in their
    own steps of one token."""
    most = max(step.n_tokens for step in steps)

    def price(name: str) -> float:
        seconds = {step.n_tokens: median(step.seconds) for step in steps if step.model == name}
        return seconds[most] / seconds[1]

    lstm, transformer = price(TEACHER), price(DEEP)
    lines = [
        f"To read {most} tokens costs the LSTM teacher {lstm:.1f} of its steps of one token, and "
        f"the Transformer {transformer:.1f} of its own."
    ]
    if lstm > 2.0 * transformer:
        lines.append(
            "An LSTM must read one token after another, so every drafted word makes its check "
            "longer. A Transformer reads them side by side."
        )
    else:
        lines.append("In this run the machine was too busy, or too fast, to show a difference.")
    return Markdown(" ".join(lines))


def growth(targets: Sequence[DraftingResults], few: int = 4, many: int = 12) -> float:
    """Return tokens per call of Word-KD's draft with `many` words a round, in those with `few`:
    the mean over the targets, temperature 1."""
    by_length = tokens_per_call(targets, WORD_KD, 1.0)
    return fmean(b / a for a, b in zip(by_length[few], by_length[many], strict=True))


def level_lengths(targets: Sequence[DraftingResults], draft: str, temperature: float) -> list[int]:
    """Return the K that no other K beats: the paired difference to the fastest one (in the mean of
    all rounds of all targets) has an interval that contains 0, or it is that one."""
    rounds: dict[int, list[float]] = {}
    for of_target in targets:
        for (name, K), values in speed_ups(of_target.clock, temperature).items():
            if name == draft:
                rounds.setdefault(K, []).extend(values)
    best = max(rounds, key=lambda K: fmean(rounds[K]))
    behind = {
        K: [b - a for a, b in zip(values, rounds[best], strict=True)]
        for K, values in rounds.items()
    }
    return [K for K in rounds if K == best or mean_and_interval(behind[K])[1][0] <= 0.0]


def best_length_answer(targets: Sequence[DraftingResults], draft: str, temperature: float) -> str:
    """Return which of LENGTH_ANSWERS holds all K that are level with the fastest; the last where
    they lie in several."""
    level = level_lengths(targets, draft, temperature)
    holding = [answer for answer, lengths in LENGTHS_OF.items() if any(K in lengths for K in level)]
    return holding[0] if len(holding) == 1 else CANNOT_TELL


def listed(numbers: Sequence[object]) -> str:
    """Return "1, 2 and 3" of the values."""
    *first, last = map(str, numbers)
    return f"{', '.join(first)} and {last}" if first else last


def clock_in_words(targets: Sequence[DraftingResults]) -> Markdown:
    """State for each temperature which draft and K were chosen, how fast they were in the other
    rounds, and which K are level."""
    lines = []
    for temperature in (1.0, 0.0):
        ways = Counter(best_way(each.clock, temperature) for each in targets)
        chosen = listed(
            [f"{draft} with K = {K} ({n} of {len(targets)})" for (draft, K), n in ways.items()]
        )
        judged = [judged_speed_up(each.clock, temperature) for each in targets]
        level = level_lengths(targets, WORD_KD, temperature)
        verb = "K is" if len(level) == 1 else "K are"
        lines.append(
            f"**{how(temperature).capitalize()}.** Chosen in half of the rounds: {chosen}. In the "
            f"other rounds that is {mean_in_digits(judged, 2, sign='')} times as fast as the "
            f"target alone. With Word-KD's draft the fastest {verb} {listed(level)}"
            + (": the rounds do not tell them apart." if len(level) > 1 else ".")
        )
    c = mean_cost(targets, WORD_KD)
    lines.append(f"A step of a draft costs c = {c:.3f} steps of the target.")
    return Markdown("\n\n".join(lines))


def gap_in_words(targets: Sequence[DraftingResults], draft: str, temperature: float) -> str:
    """State what the paper's formula says at the K that it favours, what our two additions change,
    and what the clock gives."""
    formula, ends, checked = refined_speed_ups(targets, draft, temperature).values()
    K = max(formula, key=lambda K: formula[K])
    clock = medians_by_length(targets, draft, temperature)[K]
    rest = checked[K] - fmean(clock)
    return (
        f"The formula favours K = {K} and says {formula[K]:.2f} times as fast. For sentences that "
        f"end it says {ends[K]:.2f}, and with the measured time of the check, too, "
        f"{checked[K]:.2f}. The clock gives {mean_in_digits(clock, 2, sign='')}. "
        + _rest_in_words(rest)
    )


def _rest_in_words(rest: float) -> str:
    """Return what the difference of the last formula and the clock comes from, in times."""
    if rest > 0.05:
        return (
            "What remains is counted by neither: both encoders read the source, and a round does "
            "some bookkeeping."
        )
    if rest < -0.05:
        return (
            "That is faster than the last formula: α is not the same at every place, and places "
            "that are easy for the draft come in a row."
        )
    return "So these two explain nearly all of the difference."


def exactness_in_words(tests: Sequence[Exactness]) -> Markdown:
    """State how many tests of either rule reject it, p times the number of tests of the rule, and
    with which draft the broken rule is the hardest to see."""
    exact = [test for test in tests if test.rule == EXACT_RULE]
    broken = [test for test in tests if test.rule != EXACT_RULE]
    n_exact, n_broken = (
        sum(test.p_value * len(group) < FALSE_ALARM for test in group) for group in (exact, broken)
    )
    hardest = max(broken, key=lambda test: test.p_value)
    lines = [
        f"Rejected: {n_exact} of {len(exact)} tests of the right rule, and {n_broken} of "
        f"{len(broken)} of the broken one."
    ]
    if hardest.p_value > PLAIN:
        lines.append(
            f"The broken rule is the hardest to see with the draft {hardest.draft} (p = "
            f"{hardest.p_value:.1g})."
        )
        if hardest.draft == WORD_KD:
            lines.append(
                "That is the draft nearest to the target: the fewer words are rejected, the less "
                "it matters what replaces them."
            )
    return Markdown(" ".join(lines))


def small_answer(times: Mapping[int, Sequence[float]]) -> str:
    """Return which of SMALL_ANSWERS is right for the K that was the fastest: by the interval of its
    rounds."""
    best = max(times, key=lambda K: median(times[K]))
    low, high = mean_and_interval(times[best])[1]
    faster, slower, unknown = SMALL_ANSWERS
    return faster if low > 1.0 else slower if high < 1.0 else unknown


def limits_in_words(
    times: Mapping[int, Sequence[float]],
    batches: Mapping[int, float],
    heat: Mapping[str, Mapping[float, float]],
) -> Markdown:
    """State how fast the small target was with each K, how many calls a batch saves, and at which
    temperature a draft of its distribution is rejected most often."""
    by_length = ", ".join(f"{median(values):.2f} (K = {K})" for K, values in times.items())
    (one, alone), (most, together) = min(batches.items()), max(batches.items())
    alphas_of = heat[WORD_KD]
    worst, hottest = min(alphas_of, key=lambda tau: alphas_of[tau]), max(alphas_of)
    change = "fewer" if together < alone else "not fewer"
    lines = [
        f"- **A small target.** Times as fast as the teacher alone: {by_length}.",
        f"- **A batch.** With {one} sentence the calls are divided by {alone:.2f}, with {most} "
        f"sentences by {together:.2f}: {change} are saved, since a round lasts until the slowest "
        "sentence is done.",
        f"- **The temperature.** The α of {WORD_KD} is lowest at temperature {worst:g} "
        f"({alphas_of[worst]:.2f}); at {hottest:g} it is {alphas_of[hottest]:.2f}.",
    ]
    return Markdown("\n".join(lines))
