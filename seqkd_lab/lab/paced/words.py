"""Sentences of lesson 12 that are computed from what its study measured, in every branch."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import fmean

from seqkd_lab.lab.paced.explorer import paced_bins
from seqkd_lab.lab.shared.digits import mean_in_digits, percent, shown_number
from seqkd_lab.lab.shared.paired import by_side
from seqkd_lab.runs.verdicts import HELD, Claim, Rows, judge_claim
from seqkd_lab.studies.paced.claims import (
    NOISE,
    POOL,
    START,
    Quantity,
    arm_lead,
    collapse,
    dose,
    forgets,
    gains,
    inner_maximum,
    lead,
    ratios,
)
from seqkd_lab.studies.paced.design import IDLE_SHARES, PACED, SHUFFLED, UNIFORM, arm_name
from seqkd_lab.studies.paced.measures import N_BINS


def passes(by_seed: Sequence[Rows], check: Claim) -> bool:
    """Return whether a manipulation check is held, so that the weights can be compared."""
    return judge_claim(check, by_seed).outcome == HELD


def _over(by_seed: Sequence[Rows], difference: Quantity) -> list[float]:
    return [difference(rows) for rows in by_seed]


def failures_in_words(by_seed: Sequence[Rows]) -> str:
    """State what the failed draws of sources that never passed look like, beside those of sources
    that sometimes pass."""
    never, sometimes = (
        {
            of: fmean(rows[POOL]["failures"][kind][of] for rows in by_seed)
            for of in ("one_edit", "many_edits", "words_wrong")
        }
        for kind in ("never", "sometimes")
    )
    n = sum(rows[POOL]["failures"]["never"]["n"] for rows in by_seed)
    slip = (
        "So a failed draw of such a source is most often a single slip."
        if never["one_edit"] > 0.5
        else "So a failed draw of such a source is usually more than a single slip."
    )
    wrong = (
        "Still, most of its words are right, and right-or-wrong does not show that."
        if never["words_wrong"] < 0.5
        else "Most of its words are wrong."
    )
    return (
        f"The study counted {n:,} failed draws of sources that never passed, in {len(by_seed)} "
        f"students. Of these draws, {percent(never['one_edit'])} are one word away from the "
        f"nearest valid translation, and {percent(never['many_edits'])} are six words away or "
        f"more. On average, {percent(never['words_wrong'])} of the words would have to change. "
        f"{slip} {wrong} Where a source sometimes passes, "
        f"{percent(sometimes['one_edit'])} of its failed draws are one word away, and "
        f"{percent(sometimes['words_wrong'])} of the words would have to change."
    )


def idle_share(counts: Sequence[int]) -> float:
    """Return the share of sources that never or always passed, in a histogram of pass rates."""
    return (counts[0] + counts[-1]) / sum(counts)


def fewest_weighed_in_words(moments: Mapping[str, Sequence[int]]) -> str:
    """State which histogram leaves the smallest share of sources with a weight above 0."""
    most = max(moments, key=lambda name: idle_share(moments[name]))
    share = 1.0 - idle_share(moments[most])
    return (
        f"“{most}”: {percent(share)} of its sources have a weight above 0. They share the whole "
        "weight, so each of them counts for several."
    )


def steep_powers_in_words(counts: Sequence[int], a: float = 4.0) -> str:
    """State what a larger power of p̂ does to the number of sources that count."""
    plain, steep = paced_bins(counts, 1.0, 1.0), paced_bins(counts, a, 1.0)
    moved = (
        "fewer sources carry nearly all of the weight"
        if steep.effective < plain.effective
        else "no fewer sources carry the weight"
    )
    return (
        f"With a = b = 1 the weights are as noisy as equal weights on {percent(plain.effective)} "
        f"of the sources. With a = {a:g} and b = 1 it is {percent(steep.effective)}: {moved}. "
        "Uneven weights have this price even where they choose the right sources."
    )


def bell_in_words(by_seed: Sequence[Rows]) -> str:
    """State whether the ratio is a bell over the pass rate and whether it collapses at the ends,
    and how large it is."""
    bell, low, high = (
        _over(by_seed, difference) for difference in (inner_maximum, collapse(0), collapse(-1))
    )
    means = [fmean(column) for column in zip(*map(ratios, by_seed), strict=True)]
    said = by_side(
        bell,
        "The middle is above both ends, as a bell would be.",
        "The middle is below the higher end: this is no bell.",
        "The seeds do not decide whether the middle is above the higher end.",
    )
    ends = " ".join(
        f"At p̂ = {rate} "
        + by_side(
            values,
            "the ratio collapses: it is less than half of the middle's.",
            "it does not collapse: it is more than half of the middle's.",
            "the seeds do not decide whether it is less than half of the middle's.",
        )
        for rate, values in ((0, low), (1, high))
    )
    return (
        f"{said} (Middle − higher end: {mean_in_digits(bell)} thousandths.) {ends} The largest "
        f"mean is {shown_number(1_000.0 * max(means), 1)} thousandths. This is a ratio of squares: "
        f"the common part is {percent(math.sqrt(max(0.0, *means)))} as long as the random part of "
        "one source's gradient."
    )


def lengths_in_words(by_seed: Sequence[Rows]) -> str:
    """State how signal and noise at p̂ = 1 compare with those in the middle, each for itself."""
    signal, noise = (_end_over_middle(by_seed, of) for of in ("signal", "noise"))
    both = (
        "Both become small there, and the ratio does not show it."
        if signal < 0.5 and noise < 0.5
        else "So they do not both become small there."
    )
    return (
        f"At p̂ = 1 the signal is {shown_number(signal, 2)} times that of the middle, and the noise "
        f"is {shown_number(noise, 2)} times that of the middle. {both}"
    )


def _end_over_middle(by_seed: Sequence[Rows], of: str) -> float:
    """Return a mean at 8/8 divided by the mean at 3/8, 4/8 and 5/8."""
    means = [fmean(column) for column in zip(*(rows[NOISE][of] for rows in by_seed), strict=True)]
    return means[-1] / fmean(means[N_BINS // 2 - 1 : N_BINS // 2 + 2])


def learned_in_words(by_seed: Sequence[Rows]) -> str:
    """State at which shares of idle sources uniform weights gained over the start."""
    lines = []
    for idle in IDLE_SHARES:
        values = _over(by_seed, lead(arm_name(idle, UNIFORM), START))
        said = by_side(
            values,
            "it learned, so the weights can be compared",
            "it lost, so this share says nothing about the weights",
            "a gain is not shown, so this share says nothing about the weights",
        )
        lines.append(f"- {idle:.0%} idle: {mean_in_digits(values)} points of valid draws: {said}.")
    return "The uniform arm against the start:\n\n" + "\n".join(lines)


OUTCOMES = {
    (PACED, UNIFORM): (
        "PACED's weights are better than uniform ones",
        "PACED's weights are worse than uniform ones",
        "it is open which is better",
    ),
    (PACED, SHUFFLED): (
        "the pass rates say which sources to take",
        "sources at random are better than those that the pass rates choose",
        "it is open whether the choice of sources matters",
    ),
    (SHUFFLED, UNIFORM): (
        "uneven weights at random are better than uniform ones",
        "uneven weights at random cost something",
        "it is open whether uneven weights at random cost anything",
    ),
}


NOT_ASKED = "it cannot be asked here, since uniform weights show no gain"


def weights_in_words(by_seed: Sequence[Rows]) -> str:
    """State the three paired differences at each share of idle sources, and how PACED's lead
    changes with that share."""
    lines = []
    for idle in IDLE_SHARES:
        learned = passes(by_seed, gains(idle))
        for pair, outcomes in OUTCOMES.items():
            values = _over(by_seed, arm_lead(idle, *pair))
            said = by_side(values, *outcomes) if learned else NOT_ASKED
            name = f"{idle:.0%} idle, {' − '.join(pair)}"
            lines.append(f"- {name}: {mean_in_digits(values)} points: {said}.")
    return "Valid draws:\n\n" + "\n".join([*lines, _dose_in_words(by_seed)])


def _dose_in_words(by_seed: Sequence[Rows]) -> str:
    change = _over(by_seed, dose)
    more = by_side(
        change,
        "PACED's lead is larger where more sources are idle",
        "PACED's lead is smaller where more sources are idle",
        "the seeds do not decide whether PACED's lead depends on the share of idle sources",
    )
    if not passes(by_seed, gains(IDLE_SHARES[-1])):
        more = NOT_ASKED
    few, most = f"{IDLE_SHARES[0]:.0%}", f"{IDLE_SHARES[-1]:.0%}"
    return (
        f"- PACED − uniform at {most} idle, less the same at {few}: {mean_in_digits(change)} "
        f"points: {more}."
    )


def greedy_in_words(by_seed: Sequence[Rows]) -> str:
    """State PACED − uniform by greedy translations at each share of idle sources."""
    parts = [
        f"{mean_in_digits(values)} points at {idle:.0%} idle "
        f"({by_side(values, 'better', 'worse', 'open') if learned else 'not asked'})"
        for idle in IDLE_SHARES
        for values in [_over(by_seed, arm_lead(idle, PACED, UNIFORM, "greedy"))]
        for learned in [passes(by_seed, gains(idle))]
    ]
    return f"By greedy translations, PACED − uniform is {', '.join(parts)}."


def never_in_words(by_seed: Sequence[Rows]) -> str:
    """State what became of the training sources that never passed at the start, in the arms that
    learned from them and in PACED's, which did not."""
    lines = []
    for idle in IDLE_SHARES:
        before = [100.0 * rows[START]["never_at"][f"{idle:.0%}"] for rows in by_seed]
        after = {
            kind: [100.0 * rows[arm_name(idle, kind)]["never"] for rows in by_seed]
            for kind in (UNIFORM, PACED)
        }
        risen = [b - a for a, b in zip(before, after[PACED], strict=True)]
        said = by_side(
            risen, "they rise without being learned from", "they fall", "a change is not shown"
        )
        lines.append(
            f"- {idle:.0%} idle: {fmean(before):.1f}% of new draws are valid at the start, "
            f"{fmean(after[UNIFORM]):.1f}% after uniform weights, {fmean(after[PACED]):.1f}% after "
            f"PACED's. PACED − start: {mean_in_digits(risen)} points: {said}."
        )
    return (
        "Training sources that never passed have the weight 0 in PACED. They were drawn again "
        "before and after:\n\n" + "\n".join(lines)
    )


def forgetting_in_words(by_seed: Sequence[Rows]) -> str:
    """State what uniform weights forget of the left-out skill, and whether PACED's forget less, at
    each share of idle sources."""
    lines = []
    for idle in IDLE_SHARES:
        lost = _over(by_seed, lead(START, arm_name(idle, UNIFORM), "skill"))
        spared = _over(by_seed, arm_lead(idle, PACED, UNIFORM, "skill"))
        forgot = by_side(
            lost,
            "uniform weights forget",
            "uniform weights do not forget, they gain",
            "whether uniform weights forget is open",
        )
        beside = by_side(
            spared, "PACED's keep more", "PACED's keep less", "which of the two keeps more is open"
        )
        if not passes(by_seed, forgets(idle)):
            beside += (
                " (whether that is *less forgetting* cannot be asked: these seeds do not show "
            )
            beside += "that uniform weights forget)"
        lines.append(
            f"- {idle:.0%} idle: start − uniform {mean_in_digits(lost)} points, {forgot}; PACED − "
            f"uniform {mean_in_digits(spared)} points, {beside}."
        )
    return "Greedy translations of sources with the left-out skill:\n\n" + "\n".join(lines)
