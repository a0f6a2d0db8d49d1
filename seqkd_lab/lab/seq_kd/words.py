"""Sentences of lesson 06 that are computed from what the run and the committed seeds measured."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from statistics import fmean

from seqkd_lab.corpus.toy.dataset import detokenise
from seqkd_lab.lab.seq_kd.lens import ChoiceShares, Pair
from seqkd_lab.lab.shared.comparison import Comparison
from seqkd_lab.lab.shared.lesson import Markdown
from seqkd_lab.lab.shared.scores import Score
from seqkd_lab.lab.shared.translated import Translated
from seqkd_lab.runs.recipes import BASELINE, SEQ_KD
from seqkd_lab.runs.verdicts import HELD, NOT_HELD, Rows, judge_claim, mean_and_interval
from seqkd_lab.studies.budget import (
    BEHIND,
    FACTORS,
    GREEDY_BLEU,
    GREEDY_VALID,
    HELPS,
    TABLE,
    gain,
    standing,
    updates_at,
)
from seqkd_lab.studies.live import GOLD, MODE, SAMPLES, beam_gain
from seqkd_lab.studies.table1.findings import PAPER_SCALE, gap
from seqkd_lab.studies.table1.table import PAPER

STANDINGS = {HELPS: "Seq-KD is ahead", BEHIND: "Seq-KD is behind"}


def minus(text: str) -> str:
    """Writes true minus signs before numbers."""
    return re.sub(r"(?<!\w)-(?=\d)", "−", text)


def interval_of(values: Sequence[float], digits: int = 1, sign: str = "+") -> str:
    """Writes the mean of some values with its 95% interval."""
    mean, (low, high) = mean_and_interval(values)
    return minus(f"{mean:{sign}.{digits}f} [{low:{sign}.{digits}f}, {high:{sign}.{digits}f}]")


def ticket_target_in_words(pair: Pair) -> Markdown:
    """Says what the teacher makes of the ticket's target, and whether noun and pronoun agree in
    both."""
    if pair.gold == pair.distilled:
        return Markdown(
            "For the ticket, the teacher writes what gold has. There is nothing to compare."
        )
    judged = (
        "also a valid translation" if pair.distilled_fault is None else "not a valid translation"
    )
    lines = [
        f"The ticket's gold target is *{detokenise(pair.gold)}* The teacher's ŷ is "
        f"*{detokenise(pair.distilled)}* It is {judged}."
    ]
    if pair.distilled_fault is None and pair.gold_fault is None:
        lines.append(
            "Noun and pronoun are different words in the two targets, but they agree within each "
            "of them."
        )
    return Markdown(" ".join(lines))


def tense_in_words(shares: ChoiceShares, choice: str = "tense") -> str:
    """Says which option of a choice gains in the distilled corpus, and by how much."""
    options = shares.by_choice[choice]
    name, gold, mode = max(options, key=lambda option: option[2] - option[1])
    if mode <= gold:
        return f"No option of {choice} has a larger share in the distilled corpus than in gold."
    more = (
        "It was the most frequent one already."
        if gold == max(option[1] for option in options)
        else ("It was not the most frequent one in gold.")
    )
    return (
        f"{name}: its share is {gold:.0%} in gold and {mode:.0%} in the distilled corpus. {more} "
        "Where one option is slightly more probable for a source, gold takes it a little more "
        "often. The mode always takes it."
    )


def three_in_words(scores: Mapping[str, Score]) -> Markdown:
    """Says how many valid translations the three students write, and whether samples do what the
    mode does."""
    gold, samples, mode = (scores[name] for name in (GOLD, SAMPLES, MODE))
    lines = [
        f"Valid greedy translations: {gold.valid[0]:.0%} of the student of gold, "
        f"{samples.valid[0]:.0%} of the student of samples, {mode.valid[0]:.0%} of the student of "
        f"the mode. In BLEU: {gold.bleu[0]:.1f}, {samples.bleu[0]:.1f} and {mode.bleu[0]:.1f}."
    ]
    by_mode, by_samples = (100 * (other.valid[0] - gold.valid[0]) for other in (mode, samples))
    changes = minus(
        f"The samples change the share of valid translations by {by_samples:+.0f} points, the mode "
        f"by {by_mode:+.0f}."
    )
    if by_mode > 10 and abs(by_samples) < by_mode / 2:
        lines.append(
            f"The teacher wrote both of its corpora. {changes} So the gain does not come from the "
            "teacher as a writer. It comes from the mode."
        )
    else:
        lines.append(
            f"{changes} That is not the result of the seeds below; one run alone decides nothing."
        )
    return Markdown("\n\n".join(lines))


def seeds_in_words(by_seed: Sequence[Rows]) -> Markdown:
    """Says in how many seeds the mode's student is above both others, by how much, and what the
    beam adds to it."""
    above = [
        100.0 * (rows[MODE]["valid"] - max(rows[GOLD]["valid"], rows[SAMPLES]["valid"]))
        for rows in by_seed
    ]
    first = sum(points > 0.0 for points in above)
    less = mean_and_interval([beam_gain(rows, GOLD) - beam_gain(rows, MODE) for rows in by_seed])[1]
    lines = [
        f"In {first} of {len(by_seed)} seeds the student of the mode has more valid translations "
        f"than both others. On average it is {fmean(above):.0f} points above the better of the "
        f"two; in single seeds, between {min(above):.0f} and {max(above):.0f}.",
        f"The beam adds {interval_of([beam_gain(rows, GOLD) for rows in by_seed])} BLEU to the "
        f"student of gold and {interval_of([beam_gain(rows, MODE) for rows in by_seed])} to the "
        "student of the mode.",
        "So it adds less to the student of the mode."
        if less[0] > 0.0
        else "So it adds more to the student of the mode."
        if less[1] < 0.0
        else "The seeds do not decide to which it adds more.",
    ]
    return Markdown(minus(" ".join(lines)))


def ticket_students_in_words(comparison: Comparison) -> Markdown:
    """Says which students translate the ticket without a mistake, and that one sentence is one
    sentence."""
    greedy = [row for row in comparison.rows if row.search == "greedy"]
    valid = [f"the {row.model}" for row in greedy if row.fault is None]
    if len(valid) == len(greedy):
        said = "With greedy search, all three students translate the ticket without a mistake."
    elif valid:
        verb = "translate" if len(valid) > 1 else "translates"
        said = f"With greedy search, {' and '.join(valid)} {verb} the ticket without a mistake."
    else:
        said = (
            "With greedy search, none of the three students translates the ticket without a "
            "mistake."
        )
    wrong = [f"The {row.model} writes *{row.text}*" for row in greedy if row.fault]
    return Markdown(" ".join([said, *wrong, "This is only one sentence; the shares above count."]))


def budget_table(by_seed: Sequence[Rows]) -> Markdown:
    """Shows Seq-KD's gain over the baseline at each budget, with its interval and what it
    decides."""
    lines = [
        "| updates | BLEU, Seq-KD − baseline | valid translations, in points | by the interval |",
        "|---:|---:|---:|---|",
    ]
    for factor in FACTORS:
        bleu, valid = (_gains(by_seed, factor, measure) for measure in (GREEDY_BLEU, GREEDY_VALID))
        verdicts = [STANDINGS.get(standing(values), "not decided") for values in (bleu, valid)]
        said = (
            verdicts[0]
            if verdicts[0] == verdicts[1]
            else f"BLEU: {verdicts[0]}; valid: {verdicts[1]}"
        )
        lines.append(
            f"| {updates_at(by_seed[0], factor):,} | {interval_of(bleu)} | {interval_of(valid)} | "
            f"{said} |"
        )
    lines += ["", f"Means of {len(by_seed)} seeds with 95% intervals, greedy search."]
    return Markdown("\n".join(lines))


def budget_in_words(by_seed: Sequence[Rows], table: Sequence[Rows]) -> str:
    """Says at which budgets Seq-KD is ahead, what `table`, which has more seeds, says at its
    budget, and whether the baseline catches up."""
    ahead = [
        f"{updates_at(by_seed[0], factor):,}"
        for factor in FACTORS
        if standing(_gains(by_seed, factor, GREEDY_BLEU)) == HELPS
    ]
    first = (
        f"In greedy BLEU, Seq-KD is ahead at {' and at '.join(ahead)} updates."
        if ahead
        else "In greedy BLEU, the seeds decide at none of these budgets that Seq-KD is ahead."
    )
    return f"{first} {_at_the_table(by_seed, table)} {_at_the_end(by_seed)}"


def _gains(by_seed: Sequence[Rows], factor: float, measure: str) -> list[float]:
    return [gain(rows, factor, measure) for rows in by_seed]


def _at_the_table(by_seed: Sequence[Rows], table: Sequence[Rows]) -> str:
    """What the more numerous seeds of Table 1 say at its budget."""
    valid = [
        100.0 * (rows[SEQ_KD]["greedy"]["validity"] - rows[BASELINE]["greedy"]["validity"])
        for rows in table
    ]
    bleu = [rows[SEQ_KD]["greedy"]["bleu"] - rows[BASELINE]["greedy"]["bleu"] for rows in table]
    return (
        f"Few seeds give wide intervals. Table 1 has {len(table)} seeds, at "
        f"{updates_at(by_seed[0], TABLE):,} updates: Seq-KD gains {interval_of(bleu)} BLEU and "
        f"{interval_of(valid)} points of valid translations."
    )


def _at_the_end(by_seed: Sequence[Rows]) -> str:
    """Whether the baseline has caught up at the largest budget."""
    table, last = (fmean(_gains(by_seed, factor, GREEDY_BLEU)) for factor in (TABLE, FACTORS[-1]))
    nearer = minus(
        f"In the {len(by_seed)} seeds of the picture, the mean difference goes from {table:+.1f} "
        f"BLEU there to {last:+.1f} at {updates_at(by_seed[0], FACTORS[-1]):,} updates."
    )
    if all(
        standing(_gains(by_seed, FACTORS[-1], measure)) == HELPS
        for measure in (GREEDY_BLEU, GREEDY_VALID)
    ):
        return f"{nearer} Seq-KD is still ahead at the largest budget."
    return f"{nearer} Whether the baseline has caught up, these seeds do not decide."


def beam_in_words(by_seed: Sequence[Rows]) -> Markdown:
    """Says what the beam adds to baseline and Seq-KD, in the paper and here, and which claims are
    not held."""
    baseline, seq_kd = ([gap(rows, name) for rows in by_seed] for name in (BASELINE, SEQ_KD))
    claim = next(claim for claim in PAPER_SCALE if claim.name == "F2" and claim.most < 1.0)
    outcome = judge_claim(claim, by_seed).outcome
    paper = [PAPER[name].beam - PAPER[name].greedy for name in (BASELINE, SEQ_KD)]
    share = 100.0 * fmean(seq_kd) / fmean(baseline)
    lines = [
        f"In the paper, the beam adds {paper[0]:.1f} BLEU to the baseline and {paper[1]:.1f} to "
        f"Seq-KD. Here it adds {interval_of(baseline, 2, '')} and {interval_of(seq_kd, 2, '')} "
        f"(means of {len(by_seed)} seeds, 95% intervals): for Seq-KD, {share:.0f}% of what it adds "
        "to the baseline.",
        {
            HELD: "So greedy search is enough: that the beam adds at most 0.3 BLEU to Seq-KD is "
            "held.",
            NOT_HELD: "That it adds at most 0.3 BLEU to Seq-KD is **not** held: the beam still "
            "helps this student, though "
            "much less than the baseline.",
        }.get(outcome, "Whether it adds at most 0.3 BLEU to Seq-KD, these seeds do not decide."),
    ]
    return Markdown(minus(" ".join(lines)))


UNCERTAIN, RATHER_CERTAIN, HALF = 0.03, 0.1, 0.5
"""Bounds of p(ŷ): below the first a model is uncertain of a sentence; above the last the proof
holds."""


def tendency_in_words(translated: Mapping[str, Translated]) -> Markdown:
    """Says whether greedy and beam search agree more often where a model is more certain, below ½,
    over all models."""
    pairs = [
        pair for found in translated.values() for pair in zip(found.p, found.same, strict=True)
    ]
    low = [same for p, same in pairs if p < UNCERTAIN]
    high = [same for p, same in pairs if RATHER_CERTAIN < p <= HALF]
    if not low or not high:
        return Markdown("Too few sentences of this run are at either end to compare them.")
    said = (
        f"Of all sentences with p(ŷ) below {UNCERTAIN:.0%}, greedy and beam search agree in "
        f"{fmean(low):.0%}; of those from {RATHER_CERTAIN:.0%} to {HALF:.0%}, in {fmean(high):.0%}."
    )
    if fmean(high) > fmean(low):
        return Markdown(
            f"{said} So there is a tendency below ½, too: the more certain a model is of a "
            "sentence, the less often a beam finds something else. Seq-KD makes a student more "
            "certain."
        )
    return Markdown(f"{said} So in this run there is no such tendency below ½.")
