"""What the nearest temperatures say of a training: sentences that are true for the values given."""

from __future__ import annotations

from collections.abc import Mapping

from seqkd_lab.lab.next_word.estimates import Estimate, interval, joined, name_of
from seqkd_lab.lab.shared.lesson import Markdown

ABOVE, BELOW, AT_ONE = "above 1", "below 1", "at 1"


def nearest_in_words(
    new: Mapping[str, Estimate],
    training: Mapping[str, Estimate],
    least_loss: Mapping[str, Estimate],
) -> Markdown:
    """Show each model's τ with its 95% interval: nearest to the truth on new and training
    sentences; of least loss."""
    head = (
        "| model | nearest to the truth, new sentences | nearest to the truth, training sentences "
        "| least loss of gold, training sentences |\n|---|---|---|---|\n"
    )
    return Markdown(
        head
        + "\n".join(
            f"| {name} | {interval(new[name])} | {interval(training[name])} | "
            f"{interval(least_loss[name]) if name in least_loss else 'not trained on gold'} |"
            for name in new
        )
    )


def side(measured: Estimate) -> str:
    """Tell on which side of 1 the whole interval lies; AT_ONE where it contains 1."""
    low, high = measured.interval
    return ABOVE if low > 1.0 else BELOW if high < 1.0 else AT_ONE


CONVERGED = {
    BELOW: "This last interval lies below 1. Dividing all logits by such a τ would lower even "
    "the training loss, and a model of any size can learn to do that: its output layer "
    "only needs larger weights. So the training has **not converged**. It was stopped "
    "before its optimum; the model is not too small.",
    ABOVE: "This last interval lies above 1: softer distributions would lower even the training "
    "loss. So the training has **not converged**: its last updates made the model too "
    "confident.",
    AT_ONE: "This last interval contains 1, so in this respect the training has **converged**.",
}
"""What the τ of the least training loss says, by its side of 1."""
CONFIDENT = {
    BELOW: "On new sentences the baseline is **underconfident**: sharper distributions are "
    "nearer to the truth.",
    ABOVE: "On new sentences the baseline is **overconfident**: it has overfitted its "
    "training sentences.",
    AT_ONE: "On new sentences the best τ may be 1.",
}
"""What the nearest τ on new sentences says, by its side of 1."""


def baseline_answer(new: Estimate, training: Estimate, least_loss: Estimate) -> str:
    """Say what the baseline's three temperatures tell of its training."""
    return (
        f"The baseline is nearest to the truth at τ = {interval(new)} on new sentences, and at "
        f"{interval(training)} on training sentences. Its *training* loss is least at τ = "
        f"{interval(least_loss)}. {CONVERGED[side(least_loss)]} {CONFIDENT[side(new)]}"
    )


def teacher_answer(new: Estimate, training: Estimate, least_loss: Estimate) -> str:
    """Say whether the teacher is nearest to the truth at τ = 1, and why its training loss may
    prefer another τ."""
    memorised = (
        "A lower τ would thus raise the probability of the gold words that it was trained on, "
        "and move the teacher away from the truth: it has memorised some of gold's choices. "
        if side(training) == AT_ONE and side(least_loss) == BELOW
        else ""
    )
    return (
        f"The teacher is nearest to the truth at τ = {interval(new)} on new sentences and at "
        f"{interval(training)} on training sentences. Its training loss is least at "
        f"{interval(least_loss)}. {memorised}"
        "(The teacher is trained with dropout, which sets some values in the network to 0 at "
        "random. So its training did not minimise exactly this loss. The baseline is trained "
        "without dropout.)"
    )


def student_answer(tau: Estimate, at_one: float, least: float, others: Mapping[str, float]) -> str:
    """Say how far a temperature helps the Seq-KD student: its best τ, and the KL that remains
    there."""
    confidence = {
        ABOVE: "too confident",
        BELOW: "not confident enough",
        AT_ONE: "neither too confident nor too vague",
    }[side(tau)]
    compared = joined([f"{kl:.2f} for the {name_of(name)}" for name, kl in others.items()])
    remains = (
        "So most of the gap remains, since no temperature can change the order of the words. "
        "A likely reason: this student was trained on one translation of each source. Gold's "
        "words lead it to prefixes that it has not seen."
        if least > max(others.values())
        else "So at its best τ this student is not the farthest from the truth."
    )
    return (
        f"The Seq-KD student is nearest at τ = {interval(tau)}, so along gold it is {confidence}. "
        f"Its best τ lowers its KL from {at_one:.2f} to {least:.2f} nats a word. "
        f"Compare the others at their best τ: {compared}. {remains}"
    )
