"""The paper's headline in sentences that quote what was measured, and say so where it is not what
was measured."""

from __future__ import annotations

from collections.abc import Mapping

from seqkd_lab.lab.shared.lesson import Markdown
from seqkd_lab.lab.shared.score_figures import gains_by_seed
from seqkd_lab.lab.shared.scores import Score
from seqkd_lab.runs.recipes import BASELINE, SEQ_KD, TEACHER
from seqkd_lab.runs.verdicts import Rows


def headline_in_words(scores: Mapping[str, Score]) -> Markdown:
    """Say what three models' scores show: gain, what the beam adds, valid translations, p(ŷ); and
    whether that is the paper's headline."""
    baseline, seq_kd, teacher = scores[BASELINE], scores[SEQ_KD], scores[TEACHER]
    gain = seq_kd.bleu[0] - baseline.bleu[0]
    return Markdown(
        "\n\n".join(
            (
                f"**Greedy search.** Seq-KD scores {seq_kd.bleu[0]:.1f} BLEU, the baseline "
                f"{baseline.bleu[0]:.1f}: a difference of {gain:+.1f}. The teacher scores "
                f"{teacher.bleu[0]:.1f}.",
                f"**Beam search.** The beam adds {baseline.beam_gain:+.1f} BLEU to the baseline, "
                f"{seq_kd.beam_gain:+.1f} to Seq-KD and {teacher.beam_gain:+.1f} to the teacher.",
                f"**Valid translations.** By greedy search, {baseline.valid[0]:.0%} of the "
                f"baseline's translations are valid, {seq_kd.valid[0]:.0%} of Seq-KD's and "
                f"{teacher.valid[0]:.0%} of the teacher's.",
                "**p(ŷ).** On average the baseline gives its own best translation a probability "
                f"of {baseline.p_mode:.3f}. Seq-KD gives it {seq_kd.p_mode:.3f}, the teacher "
                f"{teacher.p_mode:.3f}.",
                _conclusion(gain, baseline, seq_kd),
            )
        )
    )


def _conclusion(gain: float, baseline: Score, seq_kd: Score) -> str:
    """One sentence that is true of these numbers."""
    better, needs_less = (
        gain > 0.0 and seq_kd.valid[0] > baseline.valid[0],
        seq_kd.beam_gain < baseline.beam_gain,
    )
    if better and needs_less:
        return (
            "This is the paper's headline: by greedy search the distilled student is better than "
            "the baseline, and the beam adds less to it."
        )
    missing = " and ".join(
        text
        for holds, text in (
            (
                better,
                "the distilled student is better than the baseline in BLEU and in valid "
                "translations",
            ),
            (needs_less, "the beam adds less to it"),
        )
        if not holds
    )
    return f"This is **not** the paper's headline: on these sentences it is not so that {missing}."


def seeds_in_words(by_seed: Mapping[str, Rows], committed: int) -> Markdown:
    """Say how the seeds of Table 1 scatter, and which of them the committed models are."""
    gains = gains_by_seed(list(by_seed.values()))
    (greedy, _), (to_baseline, _), (to_seq_kd, _) = gains.values()
    less = sum(student < baseline for student, baseline in zip(to_seq_kd, to_baseline, strict=True))
    return Markdown(
        f"Over {len(by_seed)} seeds, the gain in greedy search lies between {min(greedy):+.1f} and "
        f"{max(greedy):+.1f} BLEU. It is above 0 in {sum(gain > 0.0 for gain in greedy)} of them. "
        f"In {less} of them the beam adds less to Seq-KD than to the baseline. The models of these "
        f"lessons are those of seed {committed}, which has the median gain."
    )
