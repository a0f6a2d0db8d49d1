"""Sentences of lesson 14 that are computed from what the run and the committed results measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean

from seqkd_lab.distillation.generation import GENERATE, GENERATOR, SCORE, TRAINER, WAIT
from seqkd_lab.lab.near_policy.explorer import Timelines, shares
from seqkd_lab.lab.near_policy.results import (
    OWN,
    TEACHERS,
    TO_TEACHER,
    factors,
    lags,
    mean_costs,
    paired,
    steps,
    valid_shares,
    whose,
)
from seqkd_lab.lab.shared.digits import mean_in_digits, percent
from seqkd_lab.lab.shared.paired import ABOVE, BELOW, side_of
from seqkd_lab.lab.shared.predictions import CANNOT_TELL, largest
from seqkd_lab.lab.shared.showing import Markdown
from seqkd_lab.runs.verdicts import Rows, mean_and_interval
from seqkd_lab.studies.near_policy.recipes import (
    CROSS_ENTROPY,
    EARLY,
    EVERY,
    FORWARD,
    LATE,
    RATES,
    REVERSE,
    SAMPLES,
    TEACHER_MODE,
    arm_name,
    warm_start_name,
)
from seqkd_lab.studies.near_policy.ways import LADDER, LOOP, NEAR_POLICY, NOT_SHARED

LITTLE = 0.05
"""A share of the time up to which a process counts as never waiting."""
NEARLY_ALL = 0.98
"""A share of the KL from which k words count as enough."""


def seen_in_words(seen: Mapping[int, float]) -> str:
    """State how much of the full KL one word sees, and from which k on nearly all is seen."""
    first, *_ = seen
    enough = [k for k, share in seen.items() if share >= NEARLY_ALL]
    lines = [f"With k = {first}, {percent(seen[first])} of the full KL is seen."]
    if enough:
        lines.append(f"From k = {enough[0]} on, it is at least {NEARLY_ALL:.0%}.")
    else:
        last = max(seen)
        lines.append(f"Even with k = {last} it is {percent(seen[last])}.")
    return " ".join(lines)


def timeline_in_words(recorded: Timelines, interval: int = 16) -> str:
    """State which process waits at interval 1 and at `interval`, which is the slower one, and which
    part of its work takes longest."""
    lines = []
    for updates in (1, interval):
        lanes = recorded.lanes(updates)
        _, generator, trainer = (shares(events, recorded.end) for events in lanes)
        lines.append(
            f"At interval {updates}, the generator waits {percent(generator.get(WAIT, 0.0))} of "
            f"the time and the trainer {percent(trainer.get(WAIT, 0.0))}."
        )
    return " ".join([*lines, _slower(generator, trainer)])


def _slower(generator: Mapping[str, float], trainer: Mapping[str, float]) -> str:
    """Say which process sets the pace, by the shares of its time, and what takes it longest."""
    work, waits = {GENERATOR: generator, TRAINER: trainer}, {}
    for who, its_shares in work.items():
        waits[who] = its_shares.get(WAIT, 0.0)
    slower = min(waits, key=lambda who: waits[who])
    part = max((what for what in work[slower] if what != WAIT), key=lambda what: work[slower][what])
    least = (
        f"Neither waits for long: the two are in balance. The {slower} waits a little less."
        if max(waits.values()) < LITTLE
        else f"The {slower} waits less, so it is the slower one and sets the pace."
    )
    return (
        f"{least} Most of its time goes into *{part}* ({percent(work[slower][part])}): that is the "
        "part to make faster next."
    )


def factor_in_words(rounds: Sequence[Rows]) -> Markdown:
    """State the factor against both loops, the largest step, and whether packing brings
    anything."""
    by_way, by_step = factors(rounds), steps(rounds)
    whole = by_way[NEAR_POLICY]
    without_waste = by_way[LADDER[1].name]
    careful = [both / single for both, single in zip(whole, without_waste, strict=True)]
    lines = [
        f"Two processes that synchronise every 16 updates are {mean_in_digits(whole, 2, '')} times "
        f"as fast as the faster synchronous loop, and {mean_in_digits(careful, 2, '')} times as "
        "fast as one process that draws without waste."
    ]
    first = largest(by_step)
    lines.append(
        "The rounds do not decide which step multiplies the speed most."
        if first == CANNOT_TELL
        else f"The largest step is *{first}*: {mean_in_digits(by_step[first], 2, '')} times."
    )
    packing = next(name for name in by_step if "packing" in name)
    low, high = mean_and_interval(by_step[packing])[1]
    effect = (
        "makes it faster"
        if low > 1.0
        else "makes it slower"
        if high < 1.0
        else "makes no difference that these rounds can tell"
    )
    lines.append(f"Packing {effect}: {mean_in_digits(by_step[packing], 2, '')} times.")
    return Markdown(" ".join(lines))


def sharing_in_words(rounds: Sequence[Rows]) -> Markdown:
    """State how large the teacher's scoring was among the generator's work, and what it brought to
    leave a part of it to the trainer's process."""
    costs = mean_costs(rounds, NOT_SHARED)
    scoring, writing = costs.get(f"generator {SCORE}", 0.0), costs.get(f"generator {GENERATE}", 0.0)
    ratio = [
        shared / alone
        for shared, alone in zip(
            factors(rounds)[NEAR_POLICY], factors(rounds)[NOT_SHARED], strict=True
        )
    ]
    low, high = mean_and_interval(ratio)[1]
    outcome = (
        "That is faster"
        if low > 1.0
        else "That is slower"
        if high < 1.0
        else "The rounds do not decide whether that is faster"
    )
    return Markdown(
        f"Where the generator scores alone, the teacher's scoring is "
        f"{percent(scoring / max(scoring + writing, 1e-9))} of its work, and the trainer waits "
        f"{costs.get(f'trainer {WAIT}', 0.0):.1f} ms for 1,000 tokens. So the last row but one "
        "gives the trainer's process a fifth of the sentences to score. "
        f"{outcome}: {mean_in_digits(ratio, 2, '')} times."
    )


def here_in_words(seconds: Mapping[str, float]) -> Markdown:
    """State the factor on this machine, and compare nothing else: one run on a busy machine is one
    run."""
    loop, near = seconds[LOOP], seconds[NEAR_POLICY]
    rows = ["| way | s for 1,000 tokens | times as fast as the loop |", "|---|---|---|"]
    rows += [f"| {name} | {value:.3f} | {loop / value:.2f} |" for name, value in seconds.items()]
    if near >= loop:
        rows += ["", "Here two processes were not faster. Are there two free cores?"]
    return Markdown("\n".join(rows))


def lag_in_words(by_seed: Sequence[Rows]) -> Markdown:
    """State how old the sentences were, in updates and in nats, beside the distance to the
    teacher."""
    found = lags(by_seed)
    sixteen, never = f"{EVERY[16]}, {REVERSE} KL", f"{EVERY[None]}, {FORWARD} KL"
    distance = fmean(found[TO_TEACHER])
    stale = fmean(rows[arm_name(LATE, EVERY[16], REVERSE)]["staleness"] for rows in by_seed)
    return Markdown(
        f"At every 16, a sentence is {stale:.0f} updates old when it is learned from. In this time "
        f"a student of reverse KL has moved by {fmean(found[sixteen]):.4f} nats a token, "
        f"{percent(fmean(found[sixteen]) / distance)} of its distance to the teacher at the start "
        f"({distance:.3f}). With forward KL and its own learning rate "
        f"({RATES[LATE][FORWARD]:g} instead of {RATES[LATE][REVERSE]:g}), it moves by "
        f"{percent(fmean(found[never]) / distance)} even where it never synchronises."
    )


def staleness_in_words(by_seed: Sequence[Rows]) -> Markdown:
    """State for each KL whether on-policy training brings valid translations, and what every 16
    costs of it."""
    lines = []
    for loss in (REVERSE, FORWARD):
        on_policy = arm_name(LATE, EVERY[1], loss)
        gain = paired(by_seed, on_policy, warm_start_name(LATE), "validity")
        cost = paired(by_seed, arm_name(LATE, EVERY[16], loss), on_policy, "validity")
        what = {ABOVE: "brings valid translations", BELOW: "costs valid translations"}.get(
            side_of(gain), "changes the valid translations by no more than chance"
        )
        line = f"**With {loss} KL**, training on-policy {what}: {mean_in_digits(gain)} points."
        if side_of(gain) == ABOVE:
            line += f" Every 16 changes that by {mean_in_digits(cost)} points. "
            line += {
                ABOVE: "So stale sentences teach better here.",
                BELOW: "That is the price of stale sentences.",
            }.get(side_of(cost), "The seeds do not tell this from 0.")
        else:
            line += " No gain is shown that stale sentences could spoil, so the question of their "
            line += "price cannot be asked of this loss."
        lines.append(line)
    return Markdown("\n\n".join(lines))


def whose_in_words(by_seed: Sequence[Rows]) -> Markdown:
    """State whose sentences teach more: with the same loss, with reverse KL, and against the
    teacher's mode; and the same early."""
    own, samples = arm_name(LATE, EVERY[16], FORWARD), arm_name(LATE, SAMPLES, FORWARD)
    reverse, mode = arm_name(LATE, EVERY[16], REVERSE), arm_name(LATE, TEACHER_MODE, CROSS_ENTROPY)
    same = {
        OWN: "the student's own sentences teach more valid translations than the teacher's",
        TEACHERS: "the teacher's sentences teach more valid translations than the student's own",
    }.get(whose(by_seed), "the seeds do not decide whose sentences teach more")
    lines = [
        f"**The same loss, forward KL:** {same}. Taking own sentences instead of the teacher's "
        f"samples "
        f"{_changes(by_seed, own, samples)}.",
        f"**Another loss along the student's own sentences:** reverse KL instead of forward "
        f"{_changes(by_seed, reverse, own)}.",
        f"**Reverse KL against the teacher's samples** {_changes(by_seed, reverse, samples)}; "
        f"against the teacher's mode, which is Seq-KD, this {_changes(by_seed, reverse, mode)}.",
        f"**From the early start** ({EARLY} epochs), taking own sentences instead of the teacher's "
        "samples, with forward KL, "
        + _changes(by_seed, arm_name(EARLY, EVERY[16], FORWARD), arm_name(EARLY, SAMPLES, FORWARD))
        + ".",
        _loss_or_writer(by_seed, reverse, own, samples),
    ]
    return Markdown("\n\n".join(lines))


def _loss_or_writer(by_seed: Sequence[Rows], reverse: str, own: str, samples: str) -> str:
    """State whether from the late start the loss or the writer makes the larger difference in
    valid samples."""
    loss = paired(by_seed, reverse, own, "samples")
    writer = paired(by_seed, own, samples, "samples")
    more = [abs(a) - abs(b) for a, b in zip(loss, writer, strict=True)]
    return {
        ABOVE: "So from the late start the loss matters more than whose sentences are learned from "
        "(by valid samples).",
        BELOW: "So from the late start it matters more whose sentences are learned from than which "
        "loss (by valid samples).",
    }.get(side_of(more), "The seeds do not decide whether the loss or the writer matters more.")


def _changes(by_seed: Sequence[Rows], arm: str, other: str) -> str:
    """Return in words what one arm changes against another, greedily and by samples."""
    greedy, samples = (paired(by_seed, arm, other, measure) for measure in ("validity", "samples"))
    return (
        f"changes valid greedy translations by {mean_in_digits(greedy)} points{_open(greedy)} and "
        f"valid samples by {mean_in_digits(samples)}{_open(samples)}"
    )


def _open(values: Sequence[float]) -> str:
    return "" if side_of(values) in (ABOVE, BELOW) else " (not told from 0)"


def delta_in_words(by_seed: Sequence[Rows]) -> Markdown:
    """State the share of valid samples at either end and in the middle, and what the filter does
    with it."""
    found = {fate: fmean(values) for fate, values in valid_shares(by_seed).items()}
    listed = "; ".join(f"{fate}: {share:.0%} valid" for fate, share in found.items())
    first = largest(valid_shares(by_seed))
    if first == "kept":
        said = "So the filter keeps the best part: it drops samples that are wrong more often."
    elif first == CANNOT_TELL:
        said = "The seeds do not decide which part has the largest share of valid samples."
    else:
        said = (
            f"So the largest share of valid samples is among those *{first}*. With our formula, "
            "this end of the filter drops what you would like to keep."
        )
    return Markdown(f"{listed}. {said}")
