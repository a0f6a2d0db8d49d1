"""What the on-policy study's results hold of one seed: the estimators' gradients and the arms."""

from __future__ import annotations

from seqkd_lab.distillation import exposure
from seqkd_lab.runs.measured import Amount, Count, Number, Percent, Positive, Row, Share, by_name
from seqkd_lab.studies.on_policy.claims import GRADIENT
from seqkd_lab.studies.on_policy.gradients import ESTIMATORS
from seqkd_lab.studies.on_policy.measures import ENTROPY
from seqkd_lab.studies.on_policy.recipes import ARMS, FORWARD, REVERSE, START

Gradients = by_name(
    "Gradients",
    {
        "cosine": by_name("Cosine", dict.fromkeys(ESTIMATORS, Number)),
        "variance": by_name("Variance", dict.fromkeys(ESTIMATORS, Positive)),
        "norm": by_name("Norm", dict.fromkeys(ESTIMATORS, Number)),
    },
)
"""Of each estimator: cosine with the full sum; variance and length in multiples of its."""


def _along(writer: str) -> type:
    """Nats a token along a writer's words. The mismatch is in multiples of the reverse KL along
    gold."""
    kinds = {FORWARD: Amount, REVERSE: Amount, ENTROPY: Amount}
    if writer == exposure.GOLD:
        kinds[REVERSE] = Positive
    return by_name("Along", {"per_token": by_name("PerToken", kinds)})


WRITERS = (exposure.GOLD, exposure.TEACHER, exposure.STUDENT)
Exposure = by_name("Exposure", {writer: _along(writer) for writer in WRITERS})


class Arm(Row):
    """The start, or an arm: shares of valid translations and words for each source word, greedy and
    drawn; greedy BLEU; distances from the teacher; the tokens that it learned from."""

    greedy_validity: Share
    greedy_words: Amount
    drawn_validity: Share
    drawn_words: Amount
    bleu: Percent
    length_ratio: Amount
    exposure: Exposure  # type: ignore[valid-type]
    tokens: Count


ROWS = by_name("OnPolicy", {GRADIENT: Gradients, **dict.fromkeys((START, *ARMS), Arm)})
