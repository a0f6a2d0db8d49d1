"""Sentences of lesson 06 that are computed from what the run and the committed seeds measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean

from seqkd_lab.corpus.toy.dataset import detokenise
from seqkd_lab.lab.seq_kd.lens import ChoiceShares, Pair
from seqkd_lab.lab.shared.comparison import Comparison
from seqkd_lab.lab.shared.digits import mean_in_digits, minus
from seqkd_lab.lab.shared.scores import Score
from seqkd_lab.lab.shared.showing import Markdown
from seqkd_lab.runs.verdicts import Rows, mean_and_interval
from seqkd_lab.studies.live import GOLD, MODE, SAMPLES, beam_gain


def ticket_target_in_words(pair: Pair) -> Markdown:
    """State what the teacher makes of the ticket's target, and whether noun and pronoun agree in
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
    """State which option of a choice gains in the distilled corpus, and by how much."""
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
    """State how many valid translations the three students write, and whether samples do what the
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
    """State in how many seeds the mode's student is above both others, by how much, and what the
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
        f"The beam adds {mean_in_digits([beam_gain(rows, GOLD) for rows in by_seed])} BLEU to the "
        f"student of gold and {mean_in_digits([beam_gain(rows, MODE) for rows in by_seed])} to the "
        "student of the mode.",
        "So it adds less to the student of the mode."
        if less[0] > 0.0
        else "So it adds more to the student of the mode."
        if less[1] < 0.0
        else "The seeds do not decide to which it adds more.",
    ]
    return Markdown(minus(" ".join(lines)))


def ticket_students_in_words(comparison: Comparison) -> Markdown:
    """State which students translate the ticket without a mistake, and that one sentence is one
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
