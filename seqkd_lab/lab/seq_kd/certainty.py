"""How sure models are of their translations, how often greedy search finds the beam's best, and
what the beam adds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import nan
from statistics import fmean
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from seqkd_lab.lab.shared.bars import BarRows, room_for_names
from seqkd_lab.lab.shared.digits import mean_in_digits, minus
from seqkd_lab.lab.shared.showing import Markdown
from seqkd_lab.lab.shared.style import GREY, LIGHT_GREY, panels, role_of, styled
from seqkd_lab.lab.shared.translated import Translated
from seqkd_lab.runs.recipes import BASELINE, SEQ_KD
from seqkd_lab.runs.verdicts import HELD, NOT_HELD, Rows, judge_claim
from seqkd_lab.studies.table1.findings import PAPER_SCALE, gap
from seqkd_lab.studies.table1.table import PAPER

LINES = ("-", "--", "-.", ":", "-", "--")
CERTAINTY_BINS = (0.0, 0.01, 0.03, 0.1, 0.3, 1.0)
FEWEST = 8
"""Sentences in a bin: a share of fewer is not drawn."""
UNCERTAIN = 0.03
"""Below this p(ŷ), a model is uncertain of a sentence."""
RATHER_CERTAIN = 0.1
HALF = 0.5
"""Above this p(ŷ), greedy search is proved to find ŷ."""


@styled
def certainty_figure(translated: Mapping[str, Translated]) -> Figure:
    """Draw at the left p(ŷ) and the share of sentences with greedy = beam, at the right that share
    over p(ŷ) of the sentence.

    Raise ValueError without a model, or with more than can be told apart.
    """
    if not 1 <= len(translated) <= len(LINES):
        raise ValueError(f"one to {len(LINES)} models can be told apart; got {len(translated)}")
    figure, (left, right) = panels(13, 5, columns=2)
    certain = [model.p_mode for model in translated.values()]
    same = [model.same_share()[0] for model in translated.values()]
    series = ("p(ŷ), mean", "share with greedy = beam")
    bars = BarRows(left, series, (GREY, LIGHT_GREY), len(translated))
    bars.show(list(translated), [certain, same], decimals=2)
    left.set_xlim(0.0, 1.0)
    left.set_xlabel("probability, and share of the sentences")
    left.legend(loc="upper center", bbox_to_anchor=(0.5, 1.16), ncols=2)
    room_for_names(left, max(map(len, translated)))
    _draw_agreement(right, translated)
    return figure


def _draw_agreement(axes: Axes, translated: Mapping[str, Translated]) -> None:
    """Draw the share of sentences with greedy = beam over the bins of p(ŷ), a line a model."""
    bins = list(pairwise(CERTAINTY_BINS))
    for (name, model), line in zip(translated.items(), LINES, strict=False):
        role = role_of(name)
        shares = [_share_between(model, low, high) for low, high in bins]
        look: dict[str, Any] = {"color": role.colour, "markersize": 9, "clip_on": False}
        axes.plot(range(len(bins)), shares, role.marker + line, label=name, **look)
    axes.set_xticks(range(len(bins)), [f"{100 * low:g}–{100 * high:g}" for low, high in bins])
    axes.set_ylim(0.0, 1.0)
    axes.set_xlabel("p(ŷ) of the sentence, %")
    axes.set_ylabel("share with greedy = beam")
    axes.legend(loc="lower right")


def _share_between(model: Translated, low: float, high: float) -> float:
    same = [same for same, p in zip(model.same, model.p, strict=True) if low < p <= high]
    return fmean(same) if len(same) >= FEWEST else nan


def beam_share(by_seed: Sequence[Rows]) -> float:
    """Return the beam's gain for Seq-KD in percent of its gain for the baseline, of the means over
    the seeds."""
    baseline, seq_kd = (fmean(gap(rows, name) for rows in by_seed) for name in (BASELINE, SEQ_KD))
    return 100.0 * seq_kd / baseline


def beam_in_words(by_seed: Sequence[Rows]) -> Markdown:
    """State what the beam adds to baseline and Seq-KD, in the paper and here, and which claims are
    not held."""
    baseline, seq_kd = ([gap(rows, name) for rows in by_seed] for name in (BASELINE, SEQ_KD))
    claim = next(claim for claim in PAPER_SCALE if claim.name == "F2" and claim.most < 1.0)
    outcome = judge_claim(claim, by_seed).outcome
    paper = [beam - greedy for greedy, beam in (PAPER[BASELINE].bleu, PAPER[SEQ_KD].bleu)]
    share = beam_share(by_seed)
    lines = [
        f"In the paper, the beam adds {paper[0]:.1f} BLEU to the baseline and {paper[1]:.1f} to "
        f"Seq-KD. Here it adds {mean_in_digits(baseline, 2, '')} and "
        f"{mean_in_digits(seq_kd, 2, '')} (means of {len(by_seed)} seeds, 95% intervals): for "
        f"Seq-KD, {share:.0f}% of what it adds to the baseline.",
        {
            HELD: "So greedy search is enough: that the beam adds at most 0.3 BLEU to Seq-KD is "
            "held.",
            NOT_HELD: "That it adds at most 0.3 BLEU to Seq-KD is **not** held: the beam still "
            "helps this student, though "
            "much less than the baseline.",
        }.get(outcome, "Whether it adds at most 0.3 BLEU to Seq-KD, these seeds do not decide."),
    ]
    return Markdown(minus(" ".join(lines)))


def tendency_in_words(translated: Mapping[str, Translated]) -> Markdown:
    """State whether greedy and beam search agree more often where a model is more certain, below ½,
    over all models."""
    pairs = [
        pair for model in translated.values() for pair in zip(model.p, model.same, strict=True)
    ]
    low = [same for p, same in pairs if p < UNCERTAIN]
    high = [same for p, same in pairs if RATHER_CERTAIN < p <= HALF]
    if not low or not high:
        return Markdown("Too few sentences of this run are at either end to compare them.")
    shares = (
        f"Of all sentences with p(ŷ) below {UNCERTAIN:.0%}, greedy and beam search agree in "
        f"{fmean(low):.0%}; of those from {RATHER_CERTAIN:.0%} to {HALF:.0%}, in {fmean(high):.0%}."
    )
    if fmean(high) > fmean(low):
        return Markdown(
            f"{shares} So there is a tendency below ½, too: the more certain a model is of a "
            "sentence, the less often a beam finds something else. Seq-KD makes a student more "
            "certain."
        )
    return Markdown(f"{shares} So in this run there is no such tendency below ½.")
