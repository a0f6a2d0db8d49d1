"""Exercises of lesson 14, near-policy distillation: whose weights wrote a sentence, and what a
position of a packed row may see."""

from __future__ import annotations

import math

import torch

from seqkd_lab.lab.near_policy.remainder_exercise import REMAINDER_KL
from seqkd_lab.lab.shared.exercises.exercise import Case, Exercise, mistake


def written_after(update, interval):
    """How many updates the student had seen as it wrote what update `update` (from 0) learns
    from."""
    return max(0, update // interval - 1) * interval


def written_after_cases() -> list[Case]:
    """Expected: the weights that were sent when the window before began, found by walking through
    the windows."""
    cases = []
    for interval in (1, 4, 7, 16):
        for update in (
            0,
            interval - 1,
            interval,
            2 * interval - 1,
            2 * interval,
            5 * interval + interval // 2,
        ):
            starts = [start for start in range(update + 1) if start % interval == 0]
            expected = float(starts[-2] if len(starts) > 1 else 0)
            cases.append(Case(f"update {update}, every {interval}", (update, interval), expected))
    return cases


@mistake(
    "these are the weights sent at the beginning of the update's *own* window. With them the "
    "trainer would have to wait while the generator writes; here it is one ahead."
)
def _own_window(update, interval):
    return update // interval * interval


@mistake(
    "this is always one interval old. Weights are sent at the beginning of a window only, so "
    "sentences grow staler within it."
)
def _always_one_interval(update, interval):
    return max(0, update - interval)


@mistake("this counts windows. The task asks for a number of updates.")
def _number_of_window(update, interval):
    return max(0, update // interval - 1)


@mistake("before the first window nothing was sent: no number of updates is below 0.")
def _below_nought(update, interval):
    return (update // interval - 1) * interval


@mistake(
    "this is always two intervals old. Weights are sent at the beginning of a window, so the age "
    "grows within it, from one interval to nearly two."
)
def _always_two_intervals(update, interval):
    return max(0, update - 2 * interval)


@mistake(
    "this is the number of the window. The task asks for a number of updates, and of the window "
    "before."
)
def _own_number(update, interval):
    return update // interval


@mistake("these weights were sent two windows before. The window before is enough.")
def _two_windows_before(update, interval):
    return max(0, update // interval - 2) * interval


@mistake(
    "this is the age of the sentences in updates. The task asks how many updates the student had "
    "seen when it wrote them."
)
def _age(update, interval):
    return update - written_after(update, interval)


@mistake(
    "`round` goes to the nearest window. An update in the second half of a window still belongs "
    "to it: `//`."
)
def _nearest(update, interval):
    return max(0, round(update / interval) - 1) * interval


@mistake(
    "this rounds up. An update within a window belongs to the window that began before it: `//`."
)
def _rounded_up(update, interval):
    return max(0, math.ceil(update / interval) - 1) * interval


@mistake(
    "the windows begin one update too early: the first one holds the updates 0 to interval − 1."
)
def _early_window(update, interval):
    return written_after(update + 1, interval)


WRITTEN_AFTER = Exercise(
    lesson=14,
    title="Whose weights wrote it?",
    difficulty=1,
    minutes=4,
    task="The updates 0, 1, 2, … are cut into windows of `interval` updates. At the beginning of "
    "each window the "
    "student's weights are sent to the generator, which writes the sentences of the **next** "
    "window with them; "
    "those of the first two windows are written with the weights of update 0. Write "
    "`written_after(update, interval)`: how many updates the student had seen when it wrote the "
    "sentences that "
    "update `update` learns from.",
    hints=(
        "Which window does the update belong to? `update // interval`, counted from 0.",
        "The weights are those of the beginning of the window before; before the first window "
        "there is none.",
    ),
    solution=written_after,
    wrong_answers=(
        _own_window,
        _always_one_interval,
        _number_of_window,
        _below_nought,
        _always_two_intervals,
        _own_number,
        _two_windows_before,
        _age,
        _nearest,
        _rounded_up,
        _early_window,
    ),
    cases=written_after_cases,
    insight="So staleness is between one interval and two. It follows from the schedule, not from "
    "which process was "
    "faster. Therefore two processes learn the same as one.",
)


def packed_mask(sentence):
    """(T, T) truth values: where each place of a packed row may look, from the sentence each place
    belongs to (T,)."""
    T = len(sentence)
    own = sentence[:, None] == sentence[None, :]
    return own & torch.ones(T, T, dtype=torch.bool).tril()


def packed_mask_cases() -> list[Case]:
    """Rows of one, some and many sentences, padded at either end or not; expected position by
    position."""
    rows = {
        "one sentence": [0, 0, 0, 0],
        "two sentences": [0, 0, 0, 1, 1],
        "words alone": [2, 0, 1],
        "three sentences and padding": [5, 5, 1, 1, 1, 3, -1, -1],
        "one word": [4],
        "padding in front": [-1, -1, 0, 0, 0, 7, 7],
        "many sentences": [3, 3, 9, 9, 9, 9, 0, 6, 6, 6, 1, 1, -1],
    }
    return [
        Case(
            name,
            (torch.tensor(row),),
            [[row[t] == row[u] and u <= t for u in range(len(row))] for t in range(len(row))],
        )
        for name, row in rows.items()
    ]


@mistake(
    "this lets a sentence look at those before it in the row: the student would learn to use the "
    "words of another sentence."
)
def _only_causal(sentence):
    return torch.ones(len(sentence), len(sentence), dtype=torch.bool).tril()


@mistake(
    "within its sentence a place sees what comes after it, even the word that it should predict."
)
def _only_blocks(sentence):
    return sentence[:, None] == sentence[None, :]


@mistake(
    "a place does not see itself. The word there has been read (it is the word before), and the "
    "first place of a sentence would see nothing at all: NaN."
)
def _not_itself(sentence):
    T = len(sentence)
    return (sentence[:, None] == sentence[None, :]) & torch.ones(T, T, dtype=torch.bool).tril(-1)


@mistake(
    "this looks ahead instead of back. The row t is the place that looks, the column u the place "
    "that it looks at."
)
def _ahead(sentence):
    T = len(sentence)
    return (sentence[:, None] == sentence[None, :]) & torch.ones(T, T, dtype=torch.bool).triu()


@mistake("True is where a place may look; this is the opposite.")
def _forbidden(sentence):
    return ~packed_mask(sentence)


@mistake(
    "each place also sees the next place of its sentence: on the diagonal above the main one the "
    "mask should be False."
)
def _one_ahead(sentence):
    return _only_blocks(sentence) & torch.ones(len(sentence), len(sentence), dtype=torch.bool).tril(
        1
    )


@mistake(
    "one of the two conditions is enough here (`|`). Both must hold: its own sentence, and not "
    "ahead (`&`)."
)
def _one_of_both(sentence):
    return _only_blocks(sentence) | _only_causal(sentence)


@mistake(
    "padding sees nothing here. It counts as one more sentence: a row of the mask without any "
    "True gives NaN."
)
def _padding_not_seen(sentence):
    return packed_mask(sentence) & (sentence >= 0)[None, :]


@mistake("each place sees itself alone. It may look at the earlier places of its sentence, too.")
def _itself_alone(sentence):
    return torch.eye(len(sentence), dtype=torch.bool)


PACKED_MASK = Exercise(
    lesson=14,
    title="What a position may see in a packed row",
    difficulty=2,
    minutes=6,
    task="A row of the decoder holds several sentences one after the other. `sentence` is a torch "
    "tensor (T,) that "
    "says of each place which sentence it belongs to (−1 at padding, which counts as one more "
    "sentence). Write "
    "`packed_mask(sentence)`: a tensor (T, T) of truth values, True at [t, u] where place t may "
    "look at place u: "
    "at its own sentence only, at itself, and never ahead.",
    hints=(
        "`sentence[:, None] == sentence[None, :]` compares every place with every other.",
        "`torch.ones(T, T, dtype=torch.bool).tril()` is True on the diagonal and below it: at [t, "
        "u] with u ≤ t.",
    ),
    imports="import torch",
    solution=packed_mask,
    wrong_answers=(
        _only_causal,
        _only_blocks,
        _not_itself,
        _ahead,
        _forbidden,
        _one_ahead,
        _one_of_both,
        _padding_not_seen,
        _itself_alone,
    ),
    cases=packed_mask_cases,
    insight="Packing needs this mask, the same for the source, and positions that restart. Then "
    "the packed loss is the "
    "padded one.",
)


EXERCISES = (WRITTEN_AFTER, PACKED_MASK, REMAINDER_KL)
