"""Sentences of lesson 00 that are computed from its models and from what they wrote."""

from __future__ import annotations

from collections.abc import Mapping

from seqkd_lab.corpus.toy.dataset import detokenise
from seqkd_lab.lab.shared.comparison import Comparison
from seqkd_lab.lab.shared.scores import Score
from seqkd_lab.lab.start_here.measures import ALIKE, THE_BASELINE, Agreement, faster_student
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.runs.recipes import BASELINE, SEQ_KD, TEACHER

NAMES = {TEACHER: "the teacher", BASELINE: THE_BASELINE, SEQ_KD: "Seq-KD"}
SEQUENCES = ("words", "sequences of two", "of three", "of four")


def no_copy(models: Mapping[str, Seq2Seq]) -> str:
    """Answers whether the student copies the teacher's weights, by the sizes of both models."""
    teacher, student = models[TEACHER], models[SEQ_KD]
    return (
        f"No, it could not: the teacher has {teacher.n_parameters():,} parameters, the student "
        f"{student.n_parameters():,}. The teacher represents a word by {teacher.spec.width} "
        f"numbers, the student by {student.spec.width}. The student starts from random weights, as "
        "the baseline does. All that it gets from the teacher is sentences."
    )


def no_teacher_at_work(n_pairs: int) -> str:
    """Answers whether the teacher must run while the student trains."""
    return (
        f"No. The teacher has translated the {n_pairs:,} sources once, before the student's "
        "training began. Its translations lie in a file. From then on the student trains like the "
        "baseline, and the teacher is not needed again."
    )


def bleu_in_words(agreement: Agreement, language_says: str | None) -> str:
    """Shows BLEU's counts for one translation, and beside them the language's verdict (None: it is
    valid)."""
    counts = [
        f"{matched} of its {total} {kind}" if place == 0 else f"{matched} of {total} {kind}"
        for place, (kind, (matched, total)) in enumerate(
            zip(SEQUENCES, agreement.matches, strict=True)
        )
    ]
    verdict = (
        "And the sentence is a valid translation."
        if language_says is None
        else f"But the sentence is not a valid translation: {language_says}."
    )
    return (
        f"- Reference: *{detokenise(agreement.reference)}*\n- Translation: "
        f"*{detokenise(agreement.translation)}*\n\nThe translation shares with the reference "
        f"{', '.join(counts[:-1])} and {counts[-1]} words; the full stop counts as a word. "
        f"Together this gives {agreement.bleu:.0f} BLEU. {verdict}"
    )


def ticket_in_words(comparison: Comparison) -> str:
    """Says which models translate a sentence without a mistake in greedy search, and how sure the
    students are.

    Where the language does not have the sentence, it says only that.
    """
    if comparison.trouble:
        return "There is nothing to compare: choose another sentence in the first code cell."
    rows = {row.model: row for row in comparison.rows if row.search == "greedy"}
    valid = [NAMES[name] for name, row in rows.items() if row.fault is None]
    wrong = [NAMES[name] for name, row in rows.items() if row.fault is not None]
    said = [
        f"{_listed(valid)} {'translates' if len(valid) == 1 else 'translate'} this sentence "
        "without a mistake."
        if valid
        else "No model translates this sentence without a mistake."
    ]
    if wrong:
        said.append(f"{_listed(wrong)} {'makes one' if len(wrong) == 1 else 'make one each'}.")
    surer = max((BASELINE, SEQ_KD), key=lambda name: rows[name].p_model)
    said.append(
        f"Of the two students, {NAMES[surer]} is more certain of its translation (p = "
        f"{rows[surer].p_model:.3f} against "
        f"{min(rows[BASELINE].p_model, rows[SEQ_KD].p_model):.3f})."
    )
    if rows[SEQ_KD].fault is not None:
        said.append("So a student may be sure and wrong: one sentence does not show who is better.")
    else:
        said.append("One sentence does not show who is better.")
    return " ".join(sentence[0].upper() + sentence[1:] for sentence in said)


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def speed_in_words(seconds: Mapping[str, tuple[float, float]], n_sentences: int) -> str:
    """Answers whether distillation makes a model faster, by the measured times of teacher and
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
    """Explains the headline by what was measured: certainty, agreement of both searches, gain of
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
