"""Lesson 02's sentences about losses: above the floor, below it, over padding, over batches, and as
a perplexity."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from seqkd_lab.lab.shared.learning_curve import Curve
from seqkd_lab.lab.shared.showing import Markdown
from seqkd_lab.lab.teacher.loss_measures import Floor, Gap
from seqkd_lab.lab.teacher.masks import HALF_MASKED, MASKED, NO_MASK, READINGS

ABOVE = "above the floor"
BELOW = "below the floor"
RISES = "it rises"
FALLS = "it falls"
STAYS = "it stays the same"
NOTICEABLE = 0.01
"""Nats a token: a smaller change counts as none."""


def share_of_way(loss: float, floor: float, n_words: int) -> float:
    """Return how much of the way from ln n_words, a guess, to the floor a loss has covered, in
    percent."""
    return 100.0 * (math.log(n_words) - loss) / (math.log(n_words) - floor)


def curve_in_words(
    here: Curve, committed: Mapping[str, Sequence[float]], n_train: int, floor: Floor
) -> Markdown:
    """Say where both trainings end, and why their curves must not be compared before.

    `committed` is the committed teacher's history of n_train pairs an epoch.
    """
    (n_here, loss), least = here.validations[-1], floor.surprise.mean
    losses, rates = committed["valid_loss"], committed["learning_rate"]
    n_committed = n_train * len(losses)
    text = (
        f"The small teacher ends after {n_here:,.0f} pairs, **{loss - least:.3f}** nats above the "
        f"floor; the committed teacher ends after {n_committed:,}, **{losses[-1] - least:.3f}** "
        "nats above it. "
    )
    epoch = min(range(len(losses)), key=lambda epoch: abs(n_train * (epoch + 1) - n_here))
    if n_train * (epoch + 1) == n_here and epoch + 1 < len(losses):
        text += (
            f"Do not compare the curves in between. After {n_here:,.0f} pairs the small teacher's "
            "learning rate has fallen to 0, while the committed teacher's is still "
            f"{rates[epoch]:.4f}. Its loss there, {losses[epoch] - least:.3f} above the floor, is "
            "not what it could reach with so many pairs."
        )
    return Markdown(text)


def gaps_table(gaps: Mapping[str, Gap]) -> Markdown:
    """Show each model's loss, its distance from the floor and its KL divergence from the truth."""
    head = "| | loss | loss − floor | KL(truth ‖ model) | sentences below the truth's own loss |\n"
    rows = [
        f"| {name} | {gap.loss.mean:.3f} | {gap.above.mean:.3f} ± {2.0 * gap.chance:.3f} | "
        f"{gap.kl:.3f} | {gap.below:.0%} |"
        for name, gap in gaps.items()
    ]
    below = "± two standard errors of the difference from the KL divergence"
    return Markdown("\n".join((head + "|---|---|---|---|---|", *rows)) + f"\n\n{below}")


def below_floor(memory: Curve, floor: float) -> str:
    """Return on which side of the floor the training loss ends."""
    return BELOW if memory.smoothed()[-1][1] < floor else ABOVE


def memory_in_words(memory: Curve, floor: float) -> Markdown:
    """Say what repeated reading did to the training loss and to the validation loss."""
    training, validations = memory.smoothed()[-1][1], [loss for _, loss in memory.validations]
    best, last = min(validations), validations[-1]
    text = f"The training loss ends at {training:.2f}, {below_floor(memory, floor)} ({floor:.2f}). "
    if last > best + NOTICEABLE:
        text += (
            f"The validation loss is least after {validations.index(best) + 1} epochs ({best:.2f}) "
            f"and then rises to {last:.2f}. "
        )
    else:
        text += f"The validation loss ends at {last:.2f}; it has not risen yet. "
    return Markdown(text)


def change(losses: Sequence[float]) -> str:
    """Return what a loss does from its first to its last value."""
    difference = losses[-1] - losses[0]
    return RISES if difference > NOTICEABLE else FALLS if difference < -NOTICEABLE else STAYS


def _course(losses: Sequence[float]) -> str:
    first, last = f"{losses[0]:.2f}", f"{losses[-1]:.2f}"
    return {
        RISES: f"rises from {first} to {last}",
        FALLS: f"falls from {first} to {last}",
        STAYS: f"stays the same ({last})",
    }[change(losses)]


def left_answer(losses: Mapping[str, Sequence[float]]) -> str:
    """Answer what happens to a model trained with a mask when its loss is computed without one."""
    why = (
        ", because this model never learned to predict padding"
        if change(losses[NO_MASK]) == RISES
        else ""
    )
    return (
        f"The loss without a mask {_course(losses[NO_MASK])}{why}. The half-masked loss "
        f"{_course(losses[HALF_MASKED])}: it divides the same sum by more positions. The masked "
        f"loss {_course(losses[MASKED])}, as it must: the sentences are the same."
    )


def middle_answer(
    with_mask: Mapping[str, Sequence[float]], without: Mapping[str, Sequence[float]]
) -> str:
    """Answer what a model trained without a mask has learned."""
    text = (
        f"It has learned to write padding. Its loss without a mask {_course(without[NO_MASK])}: "
        "padding is easy to predict, so a batch with more of it has a smaller loss. What it knows "
        f"of German is in the masked loss: {without[MASKED][0]:.2f}, against "
        f"{with_mask[MASKED][0]:.2f} for the model trained with a mask. "
    )
    if without[MASKED][0] > with_mask[MASKED][0] + NOTICEABLE:
        return (
            text
            + "So in this one training of each it knows less, although its own loss looks better."
        )
    return (
        text
        + "So in this one training of each it does not know less; but its own loss does not show "
        "what it knows."
    )


def right_answer(readings: Mapping[str, Sequence[float]], added: Sequence[int]) -> str:
    """Answer what happens when attention or the encoder does not leave padding out."""
    right, attention, both = (readings[name] for name in READINGS)
    text = (
        f"With its masks, the teacher's loss {_course(right)}. Where attention may look at "
        f"padding, it {_course(attention)}. Where the encoder reads padding as well, it "
        f"{_course(both)}. "
    )
    small = [losses[1] - losses[0] for losses in (attention, both)]
    if max(map(abs, small)) < 0.1 * right[0]:
        text += (
            f"With {added[1]} positions of padding the change is only {small[0]:+.3f} and "
            f"{small[1]:+.3f}: in a batch of similar lengths the mistake would not be noticed. "
        )
    return text + "A sentence must not become less probable because a longer one is in its batch."


def means_answer(
    sizes: Sequence[int], right: Sequence[float], of_means: Sequence[float], n_sentences: int
) -> str:
    """Answer which of the two averages depends on the batches, and by how much."""
    order = sorted(range(len(sizes)), key=of_means.__getitem__)
    low, high = order[0], order[-1]
    text = (
        f"The sum over all tokens, divided by their number, is {right[0]:.4f} for every batch size "
        f"(the largest difference is {max(right) - min(right):.0e}). The mean of the batches' "
        f"means lies between {of_means[low]:.4f} (batches of {sizes[low]}) and "
        f"{of_means[high]:.4f} (batches of {sizes[high]}). "
    )
    left_over = n_sentences % sizes[-1]
    if left_over and len(sizes) > 1:
        text += (
            f"With batches of {sizes[-1]}, the last batch holds {left_over} of the {n_sentences} "
            "sentences, and weighs as much as a full one."
        )
    return text


def perplexity_in_words(model: float, truth: float, n_words: int) -> Markdown:
    """Say what a model's perplexity means beside that of the truth and of a guess."""
    return Markdown(
        f"The committed teacher's perplexity is **{model:.3f}**: on average it is as uncertain as "
        f"between {model:.3f} equally probable words. The truth's own perplexity is {truth:.3f}. A "
        f"guess among all words has {n_words}."
    )
