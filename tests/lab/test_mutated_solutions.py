"""The checks refuse what one slip makes of a solution: a sign, an axis, a sum for a mean, a term
left out. What they accept is the same function, for the reason given here."""

from __future__ import annotations

import signal

import pytest
from mutations import mutants

from seqkd_lab.lab.shared import exercises

ZIP = {"strict=True": "lists of one length", "True → False": "the same"}
SAME: dict[str, dict[str, str]] = {
    "global_threshold": {"magnitudes.sort().values[n_pruned - 1]": "a tensor for a number"},
    "accepted": {
        "r <= torch.clamp": "differs where r is the very ratio; Leviathan et al. write ≤",
        "1.0 → 2.0": "r is below 1 anyway",
    },
    "residual": {"more.mean()": "is above 0 where the sum is", "more.max()": "as the mean"},
    "advantages": {"→ log_p_student - log_p_teacher": "a tensor's numbers for a list's"},
    "kept_tokens": {"→ share * len(scores)": "rounds in floating point, as the task allows"},
    "next_word_distribution": {
        "mass.get(word, 0.0) - p": "every number's sign, which the division takes away"
    },
    "kl_from_truth": ZIP,
    "word_gradient": {
        **ZIP,
        "min(student_logits)": "softmax does not see what all logits share",
        "z + largest": "the same",
        "z - largest → z": "the same",
    },
    "beam_step": {**ZIP, "1 → -1": "the last of two"},
    "seq_inter_choice": {"1 → -1": "the last of two"},
    "clipped_precision": {"→ words[i:i + n]": "a slice of a tuple is one"},
    "history_dependence": ZIP,
    "remainder_kl": {"0 → -1": "the only axis"},
}
"""By exercise, changes that change no answer: a part of what is written, and why."""
SECONDS = 120
"""For an endless loop; a busy machine takes long for a check that ends."""


@pytest.fixture
def in_time():
    """Raise TimeoutError in a loop that a change has made endless."""

    def stop(*_):
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, stop)
    yield lambda: signal.alarm(SECONDS)
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def accepted(key: str, source: str, start_clock) -> bool:
    names: dict = {}
    start_clock()
    try:
        exec(source, names)
        return bool(exercises.check(key, names[key]))
    except TimeoutError:
        return False


@pytest.mark.slow
@pytest.mark.parametrize("key", list(exercises.all_exercises()))
def test_a_slip_is_refused_or_changes_nothing(key, in_time):
    source, same = exercises.find(key).solution_source, SAME.get(key, {})
    assert accepted(key, source, in_time)
    changes = list(mutants(source))
    assert len(changes) >= 5
    passed = [change for change, mutant in changes if accepted(key, mutant, in_time)]
    assert [change for change in passed if not any(part in change for part in same)] == []
