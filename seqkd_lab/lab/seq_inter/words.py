"""Sentences of lesson 07 that are computed from what the run and the seeds of Table 1 measured."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from seqkd_lab.corpus.toy import ToyLanguage
from seqkd_lab.corpus.toy.dataset import detokenise
from seqkd_lab.lab.seq_inter.choice import (
    BLEU,
    RISES,
    Candidates,
    Means,
    other_choice,
    shape_of_fall,
)
from seqkd_lab.lab.seq_inter.tuning import BEAM, GREEDY, PAIRS, Gains, Stage, beam_gains
from seqkd_lab.lab.shared.digits import mean_in_digits, minus
from seqkd_lab.lab.shared.scores import Score
from seqkd_lab.lab.shared.showing import Markdown
from seqkd_lab.runs.recipes import BASELINE, SEQ_KD, TEACHER, TEACHER_INTER
from seqkd_lab.runs.verdicts import HELD, NOT_HELD, Rows, judge_claim, mean_and_interval
from seqkd_lab.studies.table1.findings import PAPER_SCALE
from seqkd_lab.studies.table1.table import PAPER

CALLED = {TEACHER: "teacher", BASELINE: "baseline", SEQ_KD: "Seq-KD student"}
TUNED = " + ỹ"
"""After the name of a model that was fine-tuned on ỹ."""


def change(values: Sequence[float]) -> str:
    """Return the mean of some differences with its 95% interval."""
    return mean_in_digits(values, digits=2)


def in_italics(tokens: Sequence[str]) -> str:
    """Return a translation as people write it, in emphasis."""
    return f"*{detokenise(tokens)}*"


def ticket_in_words(ticket: Candidates, language: ToyLanguage) -> str:
    """State where the triangle leaves the diamond for the ticket, and what ỹ then is."""
    mode = ticket.hypotheses[0].tokens
    last = len(ticket.hypotheses)
    K = next((K for K in range(1, last + 1) if ticket.chosen(K, BLEU) != 0), None)
    invalid = sum(
        not language.is_valid(ticket.source, hypothesis.tokens) for hypothesis in ticket.hypotheses
    )
    valid = "All" if not invalid else f"{last - invalid}"
    start = (
        f"For the ticket, ŷ is {in_italics(mode)} {valid} of its {last} candidates are valid "
        "translations. "
    )
    if K is None:
        return (
            f"{start}The triangle never leaves the diamond: no candidate is more similar to gold "
            "than ŷ."
        )
    chosen = ticket.hypotheses[ticket.chosen(K, BLEU)].tokens
    is_gold = (
        " This is gold itself, so a larger K changes nothing." if chosen == ticket.gold else ""
    )
    return (
        f"{start}The triangle leaves the diamond at K = {K}: ỹ is then "
        f"{in_italics(chosen)}{is_gold}"
    )


def other_similarity_in_words(sentences: Sequence[Candidates], K: int) -> str:
    """State how often the other similarities choose another candidate than sentence BLEU does."""
    shares = [f"“{name}” in {share:.0%}" for name, share in other_choice(sentences, K).items()]
    return (
        f"Often it does. With K = {K}, another candidate than that of sentence BLEU is chosen by "
        f"{' and by '.join(shares)} of the {len(sentences):,} sentences."
    )


def means_in_words(averages: Means) -> Markdown:
    """State how similarity and log p of ỹ change with K, and why the first cannot fall and the
    second cannot rise."""
    K = len(averages.log_prob)
    lines = [
        minus(
            f"From K = 1 to K = {K}, the mean similarity of ỹ to gold rises from "
            f"{averages.similarity[0]:.1f} to {averages.similarity[-1]:.1f}. It cannot fall: with "
            "more candidates, the largest similarity stays or grows."
        ),
        minus(
            f"The mean log p of ỹ goes from {averages.log_prob[0]:.2f} to "
            f"{averages.log_prob[-1]:.2f} nats."
        ),
    ]
    if shape_of_fall(averages.log_prob) != RISES:
        lines.append(
            "It cannot rise: the candidates come in the order of their probability, so each new "
            "one is less probable than all before it. Either ỹ stays, or a less probable "
            "candidate replaces it."
        )
    lines.append(
        f"With {K} candidates, gold itself is among them for {averages.gold[-1]:.0%} of the "
        f"sentences. For {averages.mode[-1]:.0%}, ỹ is still ŷ."
    )
    return Markdown(" ".join(lines))


def tuned_in_words(scores: Mapping[str, Score]) -> str:
    """State for each model how p(ŷ) and greedy BLEU changed by fine-tuning on ỹ, in this run."""
    lines = []
    for name in (TEACHER, BASELINE, SEQ_KD):
        before, after = scores[name], scores[name + TUNED]
        direction = "rises" if after.p_mode > before.p_mode else "falls"
        lines.append(
            minus(
                f"The p(ŷ) of the {CALLED[name]} {direction} from {before.p_mode:.2f} to "
                f"{after.p_mode:.2f}; its greedy BLEU changes by "
                f"{after.bleu[0] - before.bleu[0]:+.1f}."
            )
        )
    rising = [
        name
        for name in (TEACHER, BASELINE, SEQ_KD)
        if scores[name + TUNED].p_mode > scores[name].p_mode
    ]
    if rising == [TEACHER, BASELINE]:
        lines.append(
            "The teacher and the baseline had learned from gold, which varies much: ỹ makes them "
            "more certain. The Seq-KD student had learned from the teacher's mode, which varies "
            "little: ỹ makes it less certain."
        )
    return " ".join(lines)


def seeds_in_words(gains: Gains, scores: Mapping[str, Score]) -> Markdown:
    """State what Seq-Inter does to each model over the seeds, and where this run was different."""
    lines, different = [], []
    for name in PAIRS:
        values = gains[name][GREEDY]
        _, (low, high) = mean_and_interval(values)
        verdict = (
            "it helps"
            if low > 0.0
            else "it hurts"
            if high < 0.0
            else "the seeds do not decide whether it helps"
        )
        lines.append(
            f"- **{name}**: greedy BLEU {change(values)}, beam {change(gains[name][BEAM])}. For "
            f"greedy search, {verdict}."
        )
        live = scores[name + TUNED].bleu[0] - scores[name].bleu[0]
        if not min(values) <= live <= max(values):
            different.append(
                minus(
                    f"{name} ({live:+.1f} in this run, {min(values):+.1f} to {max(values):+.1f} "
                    "over the seeds)"
                )
            )
    n = len(next(iter(gains.values()))[GREEDY])
    head = f"Means of {n} seeds with their 95% intervals, in BLEU:"
    if different:
        end = (
            f"This run lies outside the seeds for {' and '.join(different)}. It took fewer "
            "sentences and fewer updates than Table 1, so one run like this one must not be read "
            "as the effect of Seq-Inter."
        )
    else:
        end = "This run lies within the range of the seeds for all three."
    return Markdown("\n".join([head, "", *lines, "", end]))


def teacher_in_words(by_seed: Sequence[Rows]) -> str:
    """State what the beam adds to the teacher before and after Seq-Inter, and what becomes of the
    paper's finding F6."""
    before, after = beam_gains(by_seed, TEACHER), beam_gains(by_seed, TEACHER_INTER)
    less = mean_and_interval([a - b for a, b in zip(before, after, strict=True)])[1]
    paper = [beam - greedy for greedy, beam in (PAPER[TEACHER].bleu, PAPER[TEACHER_INTER].bleu)]
    claim = next(claim for claim in PAPER_SCALE if claim.name == "F6")
    outcome = judge_claim(claim, by_seed).outcome
    lines = [
        "It can learn what its beam finds and its greedy search misses. In the paper, the beam "
        f"adds {paper[0]:.1f} BLEU to the teacher before Seq-Inter and {paper[1]:.1f} after it "
        "(finding F6).",
        f"Here it adds {mean_in_digits(before, 2, '')} before and {mean_in_digits(after, 2, '')} "
        "after it.",
        "The beam adds less after Seq-Inter."
        if less[0] > 0.0
        else "The seeds do not decide whether the beam adds less after Seq-Inter.",
        {
            HELD: "That at most 0.3 BLEU remain is held.",
            NOT_HELD: "That at most 0.3 BLEU remain is not held.",
        }.get(outcome, "Whether at most 0.3 BLEU remain, as F6 asks, the seeds do not decide."),
    ]
    if max(mean_and_interval(before)[0], mean_and_interval(after)[0]) < 1.0:
        lines.append("There was little to hand over: even before, the beam adds less than 1 BLEU.")
    return " ".join(lines)


def path_in_words(before: Score, stages: Sequence[Stage]) -> Markdown:
    """State what each corpus from ŷ to gold does to the dependence and to the student."""
    first, last = stages[0], stages[-1]
    lines = [
        minus(
            f"From {first.name} to {last.name}, the dependence on own choices goes from "
            f"{first.dependence:.2f} to {last.dependence:.2f} nats a sentence. The student's "
            f"greedy BLEU goes from {first.score.bleu[0]:.1f} to {last.score.bleu[0]:.1f} (before "
            f"fine-tuning it was {before.bleu[0]:.1f}), its valid translations from "
            f"{first.score.valid[0]:.0%} to {last.score.valid[0]:.0%}, and its p(ŷ) from "
            f"{first.score.p_mode:.2f} to {last.score.p_mode:.2f}."
        )
    ]
    if last.dependence > first.dependence and last.score.bleu[0] < first.score.bleu[0]:
        lines.append(
            "The closer a corpus is to gold, the more the student must remember of what it wrote, "
            "and the worse its greedy translations become."
        )
    else:
        lines.append(
            "So in this run the two do not move against each other; one run of one student "
            "decides nothing."
        )
    if first.score.bleu[0] < before.bleu[0]:
        lines.append(
            "Note that fine-tuning on ŷ itself changed the BLEU, too, by "
            f"{minus(f'{first.score.bleu[0] - before.bleu[0]:+.1f}')}: some of each loss is due to "
            "the short second training, not to the corpus."
        )
    return Markdown(" ".join(lines))


def paper_in_words(gains: Gains) -> Markdown:
    """State what Seq-Inter does on top of Seq-KD in the paper and here, and what a reader may
    conclude."""
    name, tuned = PAIRS[SEQ_KD]
    greedy, beam = (
        after - before for before, after in zip(PAPER[name].bleu, PAPER[tuned].bleu, strict=True)
    )
    here = [mean_and_interval(gains[SEQ_KD][search])[1] for search in (GREEDY, BEAM)]
    lines = [
        minus(
            f"In the paper, Seq-Inter on top of Seq-KD changes greedy BLEU by {greedy:+.1f} and "
            f"the beam's by {beam:+.1f}. Here it changes them by {change(gains[SEQ_KD][GREEDY])} "
            f"and {change(gains[SEQ_KD][BEAM])}."
        )
    ]
    if all(high < 0.0 for _, high in here):
        lines.append(
            "So this result of the paper is not reproduced. In the toy language every source has "
            "many right translations, and gold is one of them at random. The candidate nearest to "
            "gold follows gold's random choices, so the choices are no longer a function of the "
            "source."
        )
    elif all(math.isfinite(low) for low, _ in here) and any(low > 0.0 for low, _ in here):
        lines.append("So here, too, it helps at least one of the two searches.")
    else:
        lines.append("The seeds do not decide whether it helps here.")
    return Markdown(" ".join(lines))
