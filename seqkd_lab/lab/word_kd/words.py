"""Lesson 04's sentences about what was measured at one position, in the loss and in its
gradient."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from seqkd_lab.lab.shared.lesson import Markdown
from seqkd_lab.lab.shared.next_words import SentenceReading
from seqkd_lab.lab.word_kd.measures import Pulls, WordGradient
from seqkd_lab.lab.word_kd.mixing import mixture_at
from seqkd_lab.runs.recipes import BASELINE, SEQ_KD, TEACHER, WORD_KD

AS_BEFORE, LESS, MORE = (
    "it is pushed down as before",
    "it is pushed down less",
    "it is pushed down more",
)
UP = "it is pushed up"
NOTICEABLE = 0.1
"""A change by less than this share counts as none."""
SAME, GROWS, SHRINKS = "it stays about as large", "it grows", "it shrinks"
ABOUT_AS_LARGE = 0.2


def losses_table(losses: Mapping[str, float]) -> Markdown:
    """Show each model's Word-KD loss, and how far it lies above the teacher's own."""
    head = "| model | Word-KD loss, nats a token | above the teacher's own |\n|---|---|---|\n"
    floor = losses[TEACHER]
    return Markdown(
        head
        + "\n".join(
            f"| {name} | {loss:.3f} | {loss - floor:.3f} |" for name, loss in losses.items()
        )
    )


def floor_answer(losses: Mapping[str, float]) -> str:
    """Say where the floor of the loss lies, and whether training on the soft target brought the
    student nearer."""
    floor = losses[TEACHER]
    above = {name: loss - floor for name, loss in losses.items()}
    nearer = above[WORD_KD] < above[BASELINE]
    said = (
        f"The floor is the teacher's own entropy, here **{floor:.3f}** nats a token. A student "
        "that equals the teacher has exactly this loss, so “the loss stays above 0” says nothing "
        "against a student. What counts is the distance from the floor, which is KL(teacher ‖ "
        f"student): {above[WORD_KD]:.3f} for Word-KD, {above[BASELINE]:.3f} for the baseline. "
    )
    said += (
        "Training on the soft target brought the student nearer to the teacher. "
        if nearer
        else "Here, training on the soft target did not bring the student nearer to the teacher. "
    )
    if above[SEQ_KD] > max(above[WORD_KD], above[BASELINE]):
        said += (
            f"Seq-KD is the farthest away ({above[SEQ_KD]:.3f}): it learned the teacher's "
            "sentences, not the teacher's distributions along gold."
        )
    return said


def what_happens(word: WordGradient) -> str:
    """Return the option that is right: what becomes of a word's gradient as α moves from 0 to 1."""
    before, after = word.at_gold_alone, word.at_teacher_alone
    if after < 0.0:
        return UP
    if abs(after - before) <= NOTICEABLE * before:
        return AS_BEFORE
    return LESS if after < before else MORE


def mixing_in_words(
    reading: SentenceReading, position: int, gold: WordGradient, other: WordGradient
) -> Markdown:
    """Say what the mixed target gives to gold and to another right word, and what their gradients
    are."""
    mixed = mixture_at(reading, position, BASELINE, 0.5, 1.0).mixed
    share = {
        word.word: float(mixed[reading.vocabulary.ids([word.word])[0]]) for word in (gold, other)
    }
    said = (
        f"The hard target gives *{gold.word}* everything. The teacher gives it {gold.teacher:.2f}, "
        f"and *{other.word}* {other.teacher:.2f}. At α = 0.5 the mixed target gives them "
        f"{share[gold.word]:.2f} and {share[other.word]:.2f}. The baseline gives *{other.word}* p "
        f"= {other.student:.2f}. So its gradient is {signed(other.at_gold_alone)} at α = 0 and "
        f"{signed(other.at_teacher_alone)} at α = 1. "
    )
    return Markdown(
        said
        + {
            UP: "NLL pushes this right word down. The teacher alone pushes it up, since q = "
            f"{other.teacher:.2f} is above "
            "p.",
            LESS: f"Both push it down, the teacher less, since q = {other.teacher:.2f} is below p. "
            "A soft target does not "
            "raise every right word: it stops pushing where p equals the target.",
            AS_BEFORE: "The soft target hardly changes it: here the teacher gives the word next to "
            "nothing.",
            MORE: "The soft target pushes it down more.",
        }[what_happens(other)]
    )


def turning_answer(turning: Sequence[tuple[int, WordGradient]], prefix: Sequence[str]) -> str:
    """Say which words turn from pushed down to pushed up, after which words of `prefix`, and at
    which α."""
    if not turning:
        return (
            "Here no word turns: at every position of this sentence the baseline gives each "
            "likely word, except gold, at least as much as the teacher does."
        )
    places = "; ".join(
        f"*{word.word}* "
        f"{'at the beginning' if position == 0 else f'after *{prefix[position - 1]}*'}, at α = "
        f"{word.turns_at:.2f} (p = {word.student:.2f}, q = {word.teacher:.2f})"
        for position, word in turning
    )
    return (
        f"The words that turn: {places}. A word other than gold turns at α = p/q, so only where "
        "the teacher gives it more than the student does."
    )


def rest_answer(
    reading: SentenceReading, position: int, shown: Sequence[int], taus: Sequence[float]
) -> str:
    """Say what a high τ gives to all the words that the view does not show."""
    rest = []
    for tau in taus:
        soft = mixture_at(reading, position, BASELINE, 1.0, tau).soft
        rest.append(1.0 - float(soft[list(shown)].sum()))
    (low, high), (before, after) = taus, rest
    n_rest = len(reading.vocabulary) - len(shown)
    return (
        f"At τ = {low:g} the {n_rest} words that are not shown have {percent(before)} of the soft "
        f"target together, at τ = {high:g} they have {percent(after)}. "
        + (
            "A high τ takes the probability from the words that can stand here, and spreads it "
            "over those that cannot."
            if after > before
            else "Here the high τ does not move probability to them."
        )
    )


def pull_change(pulls: Pulls, tau: float = 4.0) -> str:
    """Return the option that is right: what becomes of the pull from τ = 1 to `tau`, with the
    factor τ²."""
    ratio = pulls.ratio(tau)
    if abs(ratio - 1.0) <= ABOUT_AS_LARGE:
        return SAME
    return GROWS if ratio > 1.0 else SHRINKS


def pulls_in_words(pulls: Pulls, tau: float = 4.0) -> Markdown:
    """Say what τ² does to the size of the gradient between τ = 1 and `tau`, and how far the limit
    is."""
    without = (
        pulls.without[pulls.temperatures.index(tau)] / pulls.without[pulls.temperatures.index(1.0)]
    )
    last, highest = pulls.temperatures[-1], pulls.with_factor[-1] / pulls.limit
    said = (
        f"**With τ²**, the gradient at τ = {tau:g} is {pulls.ratio(tau):.1f} times as large as at "
        f"τ = 1 ({pulls.at(1.0):.2f} → {pulls.at(tau):.2f}). **Without it**, it is {without:.1f} "
        "times as large. "
    )
    said += {
        SAME: "So τ² keeps the size of the gradient here. ",
        GROWS: "So τ² does not keep the size of the gradient: these temperatures are not yet far "
        "above the logits. ",
        SHRINKS: "So τ² does not even make up for the softening here. ",
    }[pull_change(pulls, tau)]
    said += (
        f"At τ = {last:g} the curve has reached {percent(highest)} of its limit (the dashed line). "
    )
    balanced = max(pulls.balanced) / max(min(pulls.balanced), 1e-12)
    return Markdown(
        said
        + (
            "The **balanced** curve is flat: its factor c(τ) is made so."
            if balanced < 1.01
            else f"The **balanced** curve should be flat; here its largest value is {balanced:.2f} "
            "times its smallest."
        )
    )


def tau_squared_answer(pulls: Pulls) -> str:
    """Say what τ² would do to the meaning of α."""
    rise = pulls.ratio(4.0)
    direct = {SAME: "Yes, up to τ = 4. ", GROWS: "No. ", SHRINKS: "No. "}[pull_change(pulls)]
    said = (
        f"{direct}With τ², the teacher's part pulls {rise:.1f} times as strongly at τ = 4 as at τ "
        "= 1. " + "The same α then gives the teacher another weight at each τ: "
    )
    return said + (
        f"at τ = 4, α = 0.5 weighs the teacher about {rise:.0f} times as heavily as it does at τ = "
        "1. A map over α and τ would mix up its two axes."
        if rise > 1.0
        else "at τ = 4, α = 0.5 gives the teacher less weight than at τ = 1."
    )


def signed(value: float, digits: int = 2) -> str:
    """Return the number with its sign, a true minus."""
    return f"{value:+.{digits}f}".replace("-", "−")


def percent(share: float) -> str:
    """Return a share in percent: whole, or with a digit where it is small."""
    value = 100.0 * share
    return f"{value:.1f}%" if value < 9.95 else f"{value:.0f}%"
