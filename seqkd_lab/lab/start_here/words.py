"""Sentences of lesson 00, computed from its models and from what they wrote: each quotes what was
measured, and says so where that is not the paper's finding."""

from __future__ import annotations

from collections.abc import Mapping

from seqkd_lab.corpus.toy.dataset import detokenise
from seqkd_lab.lab.shared.comparison import Comparison
from seqkd_lab.lab.shared.score_figures import gains_by_seed
from seqkd_lab.lab.shared.scores import Score
from seqkd_lab.lab.shared.showing import Markdown
from seqkd_lab.lab.start_here.measures import ALIKE, THE_BASELINE, Agreement, faster_student
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.runs.recipes import BASELINE, SEQ_KD, TEACHER
from seqkd_lab.runs.verdicts import Rows

NAMES = {TEACHER: "the teacher", BASELINE: THE_BASELINE, SEQ_KD: "Seq-KD"}
SEQUENCES = ("words", "sequences of two", "of three", "of four")


def no_copy(models: Mapping[str, Seq2Seq]) -> str:
    """Answer whether the student copies the teacher's weights, by the sizes of both models."""
    teacher, student = models[TEACHER], models[SEQ_KD]
    return (
        f"No, it could not: the teacher has {teacher.n_parameters():,} parameters, the student "
        f"{student.n_parameters():,}. The teacher represents a word by {teacher.spec.width} "
        f"numbers, the student by {student.spec.width}. The student starts from random weights, as "
        "the baseline does. All that it gets from the teacher is sentences."
    )


def no_teacher_at_work(n_pairs: int) -> str:
    """Answer whether the teacher must run while the student trains."""
    return (
        f"No. The teacher has translated the {n_pairs:,} sources once, before the student's "
        "training began. Its translations lie in a file. From then on the student trains like the "
        "baseline, and the teacher is not needed again."
    )


def bleu_in_words(agreement: Agreement, fault: str | None) -> str:
    """Show BLEU's counts for one translation, and beside them the language's verdict: the
    `fault` that it names, or None for a valid translation."""
    counts = [
        f"{matched} of {total} {kind}"
        for kind, (matched, total) in zip(SEQUENCES, agreement.matches, strict=True)
    ]
    counts[0] = counts[0].replace("of", "of its", 1)
    verdict = (
        "And the sentence is a valid translation."
        if fault is None
        else f"But the sentence is not a valid translation: {fault}."
    )
    return (
        f"- Reference: *{detokenise(agreement.reference)}*\n- Translation: "
        f"*{detokenise(agreement.translation)}*\n\nThe translation shares with the reference "
        f"{', '.join(counts[:-1])} and {counts[-1]} words; the full stop counts as a word. "
        f"Together this gives {agreement.bleu:.0f} BLEU. {verdict}"
    )


def ticket_in_words(comparison: Comparison) -> str:
    """Say which models translate a sentence without a mistake in greedy search, and how sure the
    students are.

    Where the language does not have the sentence, say only that.
    """
    if comparison.trouble:
        return "There is nothing to compare: choose another sentence in the first code cell."
    rows = {row.model: row for row in comparison.rows if row.search == "greedy"}
    valid = [NAMES[name] for name, row in rows.items() if row.fault is None]
    wrong = [NAMES[name] for name, row in rows.items() if row.fault is not None]
    sentences = [
        f"{_listed(valid)} {'translates' if len(valid) == 1 else 'translate'} this sentence "
        "without a mistake."
        if valid
        else "No model translates this sentence without a mistake."
    ]
    if wrong:
        sentences.append(f"{_listed(wrong)} {'makes one' if len(wrong) == 1 else 'make one each'}.")
    surer = max((BASELINE, SEQ_KD), key=lambda name: rows[name].p_model)
    sentences.append(
        f"Of the two students, {NAMES[surer]} is more certain of its translation (p = "
        f"{rows[surer].p_model:.3f} against "
        f"{min(rows[BASELINE].p_model, rows[SEQ_KD].p_model):.3f})."
    )
    if rows[SEQ_KD].fault is not None:
        sentences.append(
            "So a student may be sure and wrong: one sentence does not show who is better."
        )
    else:
        sentences.append("One sentence does not show who is better.")
    return " ".join(sentence[0].upper() + sentence[1:] for sentence in sentences)


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def speed_in_words(seconds: Mapping[str, tuple[float, float]], n_sentences: int) -> str:
    """Answer whether distillation makes a model faster, by the measured times of teacher and
    students."""
    (baseline, _), (seq_kd, with_beam) = seconds[BASELINE], seconds[SEQ_KD]
    teacher = seconds[TEACHER][1]
    size = "Both students have the same number of parameters, so each word costs them the same."
    alike = faster_student(seconds) == ALIKE
    return " ".join(
        (
            f"No. {size}" if alike else f"{size} The times of this run differ all the same.",
            f"For {n_sentences} sentences and greedy search, the baseline needed {baseline:.2f} "
            f"seconds of computing, the Seq-KD student {seq_kd:.2f}.",
            "Two other things save time. Greedy search costs less than the beam, with which the "
            f"Seq-KD student needed {with_beam:.2f}. And a student is smaller than its teacher, "
            f"which needed {teacher:.2f} with its beam.",
            "From the teacher with its beam to the greedy student it is a factor of "
            f"{teacher / seq_kd:.1f}. Distillation itself makes nothing faster: it makes the small "
            "model with greedy search good enough.",
        )
    )


def explained(scores: Mapping[str, Score]) -> str:
    """Explain the headline by what was measured: certainty, agreement of both searches, gain of
    the beam."""
    baseline, seq_kd = scores[BASELINE], scores[SEQ_KD]
    lines = [
        "The teacher writes *one* translation of each source, and its choices follow from the "
        "source. A student that learns from these translations has less to decide. It also has "
        "less to remember: where the source decides on the noun, it decides on the pronoun, too."
    ]
    if seq_kd.p_mode > baseline.p_mode:
        lines.append(
            "So its probability is concentrated on fewer translations: its p(ŷ) is "
            f"{seq_kd.p_mode:.3f} on average, the baseline's {baseline.p_mode:.3f}."
        )
    if seq_kd.same > baseline.same and seq_kd.beam_gain < baseline.beam_gain:
        lines.append(
            "Then the most probable next word usually leads to the most probable translation. "
            f"Greedy search and the beam find the same translation of {seq_kd.same:.0%} of the "
            f"sentences with Seq-KD, of {baseline.same:.0%} with the baseline. So the beam has "
            "less to add."
        )
    else:
        lines.append(
            "In this run the beam does not help Seq-KD less than the baseline in every respect: "
            "this part of the explanation is not borne out here."
        )
    lines.append(
        "There is a price: the student finds the other valid translations improbable. Lessons 01 "
        "to 06 test this explanation piece by piece."
    )
    return " ".join(lines)


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
    """Return the sentence that is true of these numbers."""
    better = gain > 0.0 and seq_kd.valid[0] > baseline.valid[0]
    needs_less = seq_kd.beam_gain < baseline.beam_gain
    if better and needs_less:
        return (
            "This is the paper's headline: by greedy search the distilled student is better than "
            "the baseline, and the beam adds less to it."
        )
    is_better = (
        "the distilled student is better than the baseline in BLEU and in valid translations"
    )
    claims = {is_better: better, "the beam adds less to it": needs_less}
    missing = " and ".join(claim for claim, holds in claims.items() if not holds)
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
