"""Sentences of lesson 11 that are computed from what the run and the study's seeds measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean

from seqkd_lab.distillation.exposure import GOLD as GOLD_WRITER
from seqkd_lab.distillation.exposure import STUDENT, TEACHER
from seqkd_lab.lab.shared.digits import mean_in_digits, minus, percent
from seqkd_lab.lab.shared.paired import ABOVE, BELOW, by_side, side_of
from seqkd_lab.lab.shared.predictions import CANNOT_TELL
from seqkd_lab.lab.shared.showing import Markdown
from seqkd_lab.runs.verdicts import Rows
from seqkd_lab.studies.on_policy.claims import (
    GOLD_FORWARD,
    GOLD_REVERSE,
    GRADIENT,
    OWN_FORWARD,
    OWN_REVERSE,
    TEACHER_REVERSE,
)
from seqkd_lab.studies.on_policy.gradients import (
    FULL,
    WHOLE_OTHERS,
    WORD,
    WORD_EXPECTED,
    WORD_OTHERS,
)
from seqkd_lab.studies.on_policy.measures import (
    Value,
    exposed,
    gold_forward,
    greedy_bleu,
    mismatch,
    own_entropy,
    own_forward,
    own_reverse,
    percent_drawn,
    percent_greedy,
)
from seqkd_lab.studies.on_policy.recipes import (
    FORWARD,
    NLL_GOLD,
    NLL_MODE,
    REVERSE,
    START,
    WHOLE,
    WORD_BASELINE,
)
from seqkd_lab.studies.on_policy.recipes import WORD as WORD_ARM


def differences(by_seed: Sequence[Rows], name: str, other: str, value: Value) -> list[float]:
    """Return value(arm `name`) − value(arm `other`) of each seed."""
    return [value(rows[name]) - value(rows[other]) for rows in by_seed]


def which_side(values: Sequence[float], above: str, below: str) -> str:
    """Return `above` or `below` where the whole 95% interval of the mean lies on one side of 0,
    else CANNOT_TELL."""
    return by_side(values, above, below, CANNOT_TELL)


def compared(values: Sequence[float], unit: str, digits: int, above: str, below: str) -> str:
    """Return a difference with its interval, and in words on which side of 0 it lies."""
    side = by_side(values, above, below, "the interval contains 0")
    return f"{mean_in_digits(values, digits)} {unit} ({side})"


def mismatch_in_words(record: Mapping) -> str:
    """State the reverse KL along the three writers' words, and their ratio."""
    gold, teacher, own = (exposed(record, REVERSE, w) for w in (GOLD_WRITER, TEACHER, STUDENT))
    ratio = mismatch(record)
    if ratio > 1.1:
        said = "The student's own words lead to places where it is further from its teacher."
    elif ratio < 0.9:
        said = "The student's own words lead to places where it is nearer to its teacher."
    else:
        said = "The student's own words make little difference here."
    return (
        f"Mean over all tokens: {gold:.2f} nats along gold, {teacher:.2f} along the teacher's "
        f"samples and {own:.2f} along its own, {ratio:.2f} times as much as along gold. {said}"
    )


def live_in_words(own: Mapping[str, float], valid: Mapping[str, float], n: int) -> Markdown:
    """State the two tuned students' divergence and valid samples, and what `n` sentences can tell.

    `own` and `valid` map the student that read gold, then the one that read its own words, to the
    reverse KL along own words and the share of valid samples.
    """
    (first, second), (p, q) = own, valid.values()
    error = 100.0 * ((p * (1.0 - p) + q * (1.0 - q)) / n) ** 0.5
    points = 100.0 * (q - p)
    said = (
        "That is more than chance alone explains"
        if abs(points) > 2.0 * error
        else "Chance alone explains such a difference"
    )
    return Markdown(
        minus(
            f"Along its own words, *{first}* ends at {own[first]:.3f} nats a token and *{second}* "
            f"at {own[second]:.3f}. Of their samples {percent(p)} and {percent(q)} are valid: "
            f"{points:+.1f} points, with a standard error of {error:.1f} from {n} sentences. "
            f"{said}. One run of one seed decides little; the study below has more of both."
        )
    )


def nearer_in_words(by_seed: Sequence[Rows]) -> str:
    """State whether own words bring the student nearer to its teacher along its own words, and
    along gold, for both losses, each by its own divergence."""
    lines = []
    for loss, own, gold, value in (
        (REVERSE, OWN_REVERSE, GOLD_REVERSE, own_reverse),
        (FORWARD, OWN_FORWARD, GOLD_FORWARD, own_forward),
    ):

        def along_gold(record: Mapping, loss: str = loss) -> float:
            return exposed(record, loss, GOLD_WRITER)

        nearer = "own words end nearer", "gold words end nearer"
        by_own, by_gold = (
            compared(differences(by_seed, own, gold, divergence), "nats a token", 3, *nearer[::-1])
            for divergence in (value, along_gold)
        )
        lines.append(
            f"{loss[0].upper()}{loss[1:]}, own words minus gold: along the student's own words "
            f"{by_own}; along gold {by_gold}."
        )
    return " ".join(lines)


def translations_in_words(by_seed: Sequence[Rows]) -> str:
    """State what own words change in valid translations, against gold and the teacher's samples."""
    lines = []
    for name, other, what in (
        (OWN_REVERSE, GOLD_REVERSE, "Reverse KL, own words minus gold"),
        (OWN_REVERSE, TEACHER_REVERSE, "Reverse KL, own words minus the teacher's samples"),
        (OWN_FORWARD, GOLD_FORWARD, "Forward KL, own words minus gold"),
    ):
        greedy, drawn = (
            compared(differences(by_seed, name, other, value), "points", 1, "more", "fewer")
            for value in (percent_greedy, percent_drawn)
        )
        lines.append(f"{what}: valid greedy translations {greedy}, valid samples {drawn}.")
    return " ".join(lines)


def controls_in_words(by_seed: Sequence[Rows]) -> str:
    """State how the reverse KL on own words compares with plain NLL on gold and on the teacher's
    mode, and with the start."""
    greedy = {
        what: compared(
            differences(by_seed, OWN_REVERSE, other, percent_greedy), "points", 1, "more", "fewer"
        )
        for what, other in (
            ("the start", START),
            ("NLL on gold", NLL_GOLD),
            ("NLL on the teacher's mode (Seq-KD)", NLL_MODE),
        )
    }
    against = "; ".join(f"against {what} {text}" for what, text in greedy.items())
    return f"Reverse KL on own words, valid greedy translations: {against}."


def losses_in_words(by_seed: Sequence[Rows]) -> Markdown:
    """State what reverse KL and forward KL do to a student along its own words: how sure it is, how
    many samples are valid, and what it lacks along gold."""
    entropy, valid, lacking = (
        differences(by_seed, OWN_REVERSE, OWN_FORWARD, value)
        for value in (own_entropy, percent_drawn, gold_forward)
    )
    lines = [
        "Reverse KL minus forward KL, both along own words: entropy "
        f"{compared(entropy, 'nats', 2, 'less sure', 'surer')}, valid samples "
        f"{compared(valid, 'points', 1, 'more', 'fewer')}, KL(p_T‖p_S) along gold "
        f"{compared(lacking, 'nats', 3, 'it covers less', 'it covers more')}."
    ]
    if [side_of(values) for values in (entropy, valid, lacking)] == [BELOW, ABOVE, ABOVE]:
        lines.append(
            "So reverse KL lets the student give up what it cannot carry. It becomes surer, more "
            "of its samples are valid, and it loses some right but rare choices: it *seeks modes*. "
            "Forward KL *covers*: it keeps the choices, and the mistakes with them."
        )
    else:
        lines.append("Not all three differences have the sign that theory lets one expect.")
    return Markdown(" ".join(lines))


def length_in_words(by_seed: Sequence[Rows]) -> str:
    """State whether any of the two losses wins valid samples by writing less: words a sample in
    multiples of the start's."""
    said = [
        f"{loss} {mean_in_digits([_longer(rows, name) for rows in by_seed], 1)}%"
        for loss, name in ((REVERSE, OWN_REVERSE), (FORWARD, OWN_FORWARD))
    ]
    return (
        f"Words a sample, against the start's, after learning along own words: {said[0]}, "
        f"{said[1]}. A student that gained valid samples by writing less would show a large "
        "negative number here."
    )


def _longer(rows: Rows, name: str) -> float:
    return 100.0 * (rows[name]["drawn_words"] / rows[START]["drawn_words"] - 1.0)


def gradients_in_words(by_seed: Sequence[Rows]) -> Markdown:
    """State the variances of the estimators of one mean, what each baseline takes away, and where
    the gradient of the KL between translations points."""

    def of(kind: str, name: str) -> list[float]:
        return [rows[GRADIENT][kind][name] for rows in by_seed]

    plain, others, expected = (of("variance", name) for name in (WORD, WORD_OTHERS, WORD_EXPECTED))
    saved = [100.0 * (1.0 - b / a) for a, b in zip(plain, others, strict=True)]
    by_full = [100.0 * (1.0 - b / a) for a, b in zip(plain, expected, strict=True)]
    baseline = by_side(
        saved,
        "takes away {} percent of it",
        "makes it larger ({} percent are taken away)",
        "may leave it as it was ({} percent are taken away)",
    )
    return Markdown(
        minus(
            f"The sampled word's gradient has {fmean(plain):.1f} times the variance of the full "
            f"sum's. The mean of the other sentences as a baseline "
            f"{baseline.format(mean_in_digits(saved, 0, ''))}; the expected cost at the prefix, "
            f"{mean_in_digits(by_full, 0, '')} percent. With the better of the two, "
            f"{min(fmean(others), fmean(expected)):.1f} times the full sum's variance is left: a "
            f"mean over about {max(2, round(min(fmean(others), fmean(expected))))} batches is as "
            "quiet as the full sum on one. The gradient of the KL between translations has a "
            f"cosine of {mean_in_digits(of('cosine', WHOLE_OTHERS), 2, '')} with the full sum's "
            f"and is {mean_in_digits(of('norm', WHOLE_OTHERS), 1, '')} times as long; its estimate "
            f"has {fmean(of('variance', WHOLE_OTHERS)):.0f} times the variance, with a baseline "
            f"(full sum: {fmean(of('variance', FULL)):.0f})."
        )
    )


def word_arms_in_words(by_seed: Sequence[Rows]) -> str:
    """State what the full sum, the baseline, and the KL between translations are worth in valid
    greedy translations, and the last also in BLEU."""
    pairs = (
        ("full sum minus sampled word with a baseline", OWN_REVERSE, WORD_BASELINE),
        ("sampled word with a baseline minus without", WORD_BASELINE, WORD_ARM),
        ("full sum minus the gradient of the KL between translations", OWN_REVERSE, WHOLE),
    )
    return (
        "Valid greedy translations: "
        + "; ".join(
            f"{what} "
            + compared(
                differences(by_seed, name, other, percent_greedy), "points", 1, "more", "fewer"
            )
            for what, name, other in pairs
        )
        + ". Greedy BLEU, full sum minus the gradient of the KL between translations: "
        + compared(
            differences(by_seed, OWN_REVERSE, WHOLE, greedy_bleu), "points", 1, "higher", "lower"
        )
        + "."
    )


def exposure_after_in_words(by_seed: Sequence[Rows]) -> str:
    """State how much of the mismatch is left after learning along gold and along own words."""
    ratios = {
        name: mean_in_digits([mismatch(rows[arm_]) for rows in by_seed], 2, "")
        for name, arm_ in (
            ("at the start", START),
            ("after gold", GOLD_REVERSE),
            ("after own words", OWN_REVERSE),
        )
    }
    return (
        "Reverse KL along own words in multiples of that along gold: "
        + ", ".join(f"{name} {ratio}" for name, ratio in ratios.items())
        + "."
    )


def gradient_answers(by_seed: Sequence[Rows]) -> tuple[list[float], list[float], list[float]]:
    """Return by seed what lesson 11's three questions of the gradients ask for: the variance of the
    sampled word without a baseline in multiples of the full sum's; the percent of it that the mean
    of the others takes away; and the cosine of the full sum's gradient with that of the KL between
    translations."""
    variances = [rows[GRADIENT]["variance"] for rows in by_seed]
    return (
        [variance[WORD] for variance in variances],
        [100.0 * (1.0 - variance[WORD_OTHERS] / variance[WORD]) for variance in variances],
        [rows[GRADIENT]["cosine"][WHOLE_OTHERS] for rows in by_seed],
    )
