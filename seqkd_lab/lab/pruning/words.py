"""Sentences of lesson 09 that are computed from what the run and the committed seeds measured, and
the answers to its predictions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean

from seqkd_lab.compression.pruning import CLASS_BLIND
from seqkd_lab.compression.storage import DENSE, DENSE_INT8, SPARSE, SPARSE_INT8, ZIPPED_INT8
from seqkd_lab.corpus.toy.dataset import detokenise
from seqkd_lab.lab.pruning.live import LivePruning
from seqkd_lab.lab.shared.digits import mean_in_digits, minus
from seqkd_lab.lab.shared.paired import ABOVE, BELOW, side_of
from seqkd_lab.lab.shared.predictions import CANNOT_TELL
from seqkd_lab.lab.shared.showing import Markdown
from seqkd_lab.runs.recipes import BASELINE, SEQ_KD
from seqkd_lab.runs.verdicts import Rows, mean_and_interval
from seqkd_lab.studies.pruning.recipes import (
    INT8,
    PRUNED,
    RETRAINED,
    SMALL,
    SMALL_LONGER,
    Place,
    unpruned,
)
from seqkd_lab.studies.pruning.study import PAPER_SHARE, RETRAINED_80, STUDENT, beam_gain, lost

PRUNED_ONE, DENSE_ONE = "the pruned one", "the dense one"
WHICH = (DENSE_ONE, PRUNED_ONE, CANNOT_TELL)
OFTEN, SELDOM = "of the frequent words", "of the rare words"
KEPT = (OFTEN, SELDOM, CANNOT_TELL)
"""Of which words the translations keep more."""
FAST, FASTER, SLOWER = "at least twice as fast", "faster, but less than twice", "slower"
SPEEDS = (FAST, FASTER, SLOWER, CANNOT_TELL)


def which_is_better(by_seed: Sequence[Rows]) -> str:
    """Return one of WHICH: does the pruned student translate better than the small dense one that
    was trained longer (BLEU by beam)?"""
    longer = unpruned(SMALL_LONGER)
    side = side_of([lost(rows, RETRAINED_80, longer) for rows in by_seed])
    return {ABOVE: PRUNED_ONE, BELOW: DENSE_ONE}.get(side, CANNOT_TELL)


def kept_of(by_seed: Sequence[Rows], share: float) -> dict[str, list[float]]:
    """Return by seed which share of the rarest and of the most frequent words pruning by `share`
    keeps, as "rare" and "frequent"."""
    kept = [rows[Place(SEQ_KD, share, PRUNED).row]["words_kept"] for rows in by_seed]
    known = [[share for share in shares if share is not None] for shares in kept]
    return {"rare": [row[0] for row in known], "frequent": [row[-1] for row in known]}


def which_words_stay(by_seed: Sequence[Rows], share: float) -> str:
    """Return one of KEPT."""
    kept = kept_of(by_seed, share)
    pairs = zip(kept["frequent"], kept["rare"], strict=True)
    side = side_of([frequent - rare for frequent, rare in pairs])
    return {ABOVE: OFTEN, BELOW: SELDOM}.get(side, CANNOT_TELL)


def how_fast(ratios: Sequence[float]) -> str:
    """Return one of SPEEDS, by the interval of the mean of how many times as fast it was in each
    round."""
    _, (low, high) = mean_and_interval(ratios)
    if low >= 2.0:
        return FAST
    if low > 1.0:
        return FASTER if high < 2.0 else CANNOT_TELL
    return SLOWER if high < 1.0 else CANNOT_TELL


def breaks_in_words(live: LivePruning, source: tuple[str, ...]) -> str:
    """State at which level a sentence breaks, and what retraining makes of it."""
    level, repaired = live.breaks_at(source), live.written_retrained(source)
    if level is None:
        said = "At none of the levels that were tried does its translation become invalid."
    elif level == 0.0:
        unpruned_fault = live.written(0.0, CLASS_BLIND, source).fault
        said = f"Its translation is not valid even before pruning: {unpruned_fault}."
    else:
        written = live.written(level, CLASS_BLIND, source)
        said = (
            f"Class-blind, its translation first breaks at {level:.0%}: *{written.text}* "
            f"({written.fault})."
        )
    after = "valid" if repaired.fault is None else f"not valid ({repaired.fault})"
    return (
        f"*{detokenise(source)}* {said} The student that was pruned by {PAPER_SHARE:.0%} and "
        f"retrained writes *{repaired.text}* This is {after}."
    )


def classes_in_words(live: LivePruning, share: float) -> str:
    """State which part loses the largest share of its weights at a level, and which the
    smallest."""
    classes = live.at(share, CLASS_BLIND).classes
    most, least = (choose(classes, key=lambda name: classes[name].pruned) for choose in (max, min))
    return (
        f"At {share:.0%}, class-blind, {_part(most)} loses {classes[most].pruned:.0%} of its "
        f"weights and {_part(least)} {classes[least].pruned:.0%}."
    )


def _part(name: str) -> str:
    return f"the {name.replace('_', ' ')}"


def scales_in_words(
    zeros: Mapping[str, Mapping[str, float]], valid: Mapping[str, float], share: float
) -> Markdown:
    """State what the methods leave of a model whose classes are of unequal size."""
    blind = zeros[CLASS_BLIND]
    least = min(blind, key=lambda name: blind[name])
    best = max(valid, key=lambda method: valid[method])
    scores = ", ".join(f"{method} {part:.0%}" for method, part in valid.items())
    said = (
        "Class-blind leaves the fewest: it spares the weights that began large and takes the "
        "others."
        if valid[CLASS_BLIND] == min(valid.values()) < max(valid.values())
        else f"Here {best} leaves the most."
    )
    return Markdown(
        f"Of all parameters {share:.0%} go. Class-blind takes {blind[least]:.0%} of "
        f"{_part(least)}. Valid translations: {scores}. {said}"
    )


def retrained_in_words(valid: Mapping[str, float], n_left: Mapping[str, int]) -> Markdown:
    """State what the short retraining brings, with the zeros held and free. The keys of both are
    "unpruned", "pruned", "zeros held" and "zeros free"."""
    gain = 100 * (valid["zeros held"] - valid["pruned"])
    verdict = "brings back" if gain > 0 else "brings back none:"
    amount = f"{gain:.0f} points of valid translations" if gain > 0 else f"{gain:+.0f} points"
    grown = n_left["zeros free"] - n_left["zeros held"]
    free = (
        f"With free zeros, {grown:,} weights have grown again: that model is no longer pruned."
        if grown > 0
        else "With free zeros, no weight has grown again."
    )
    return Markdown(
        minus(
            f"A few seconds of training on the student's own translations {verdict} {amount} (from "
            f"{valid['pruned']:.0%} to {valid['zeros held']:.0%}; before pruning "
            f"{valid['unpruned']:.0%}). {free}"
        )
    )


def pruned_or_dense_in_words(by_seed: Sequence[Rows]) -> Markdown:
    """State how the pruned student compares with small dense ones of as many weights."""
    first = by_seed[0]
    lines = [
        f"Pruning leaves {first[RETRAINED_80.row]['n_nonzero']:,} weights; the small dense student "
        f"has {first[unpruned(SMALL).row]['n_nonzero']:,}. Both learned from the same teacher's ŷ."
    ]
    for model, what in (
        (SMALL, "as Table 1 trains it"),
        (SMALL_LONGER, "with twice as many updates"),
    ):
        values = [lost(rows, RETRAINED_80, unpruned(model)) for rows in by_seed]
        lines.append(
            f"Against the dense one {what}, the pruned student has {mean_in_digits(values)} BLEU "
            f"by beam ({_side(values)})."
        )
    if which_is_better(by_seed) == PRUNED_ONE:
        lines.append(
            "So the weights that pruning leaves translate better than as many that were there from "
            "the start: a large student can learn first and become small afterwards."
        )
    return Markdown(" ".join(lines))


def _side(values: Sequence[float]) -> str:
    return {ABOVE: "better", BELOW: "worse"}.get(side_of(values), "the seeds cannot tell")


def beam_in_words(by_seed: Sequence[Rows]) -> Markdown:
    """State what the beam adds to the wide students: finding F2."""
    gold, distilled = (
        [beam_gain(rows, unpruned(model)) for rows in by_seed] for model in (BASELINE, SEQ_KD)
    )
    less = [of_gold - own for of_gold, own in zip(gold, distilled, strict=True)]
    decided = {
        ABOVE: "Distillation lowers what the beam is worth.",
        BELOW: "Here distillation raises what the beam is worth.",
    }.get(side_of(less), "The seeds do not decide to which it adds more.")
    _, (low, high) = mean_and_interval(distilled)
    needed = (
        "The interval of the distilled student contains 0: no need of a beam can be seen (F2)."
        if low <= 0.0 <= high
        else "The interval of the distilled student does not contain 0."
    )
    return Markdown(
        f"Before pruning, the beam adds {mean_in_digits(distilled)} BLEU to the distilled student "
        f"and {mean_in_digits(gold)} to a student of gold of the same size. {decided} {needed}"
    )


def words_in_words(by_seed: Sequence[Rows], share: float) -> Markdown:
    """State of which words the pruned, not retrained student keeps more."""
    kept = kept_of(by_seed, share)
    rare, frequent = fmean(kept["rare"]), fmean(kept["frequent"])
    said = {
        OFTEN: "Rare words go first.",
        SELDOM: "Frequent words go first.",
        CANNOT_TELL: "The seeds do not decide which go first.",
    }[which_words_stay(by_seed, share)]
    return Markdown(
        f"With {share:.0%} pruned and no retraining, the translations keep {rare:.0%} of the "
        f"rarest words and {frequent:.0%} of the most frequent ones. {said}"
    )


def int8_in_words(by_seed: Sequence[Rows]) -> Markdown:
    """State what rounding to 8 bits costs the student, pruned and not."""
    costs = {
        share: [
            lost(rows, Place(SEQ_KD, share, RETRAINED), Place(SEQ_KD, share, INT8))
            for rows in by_seed
        ]
        for share in (0.0, PAPER_SHARE)
    }
    said = "; ".join(
        f"{'not pruned' if share == 0.0 else f'pruned by {share:.0%}'}: {mean_in_digits(values, 2)}"
        for share, values in costs.items()
    )
    largest = max(abs(end) for values in costs.values() for end in mean_and_interval(values)[1])
    verdict = (
        f"Whatever it costs is below {largest:.2f} BLEU."
        if largest < 0.5
        else "The intervals reach beyond half a BLEU."
    )
    return Markdown(f"BLEU lost by rounding to 8 bits: {said}. {verdict}")


def sizes_in_words(sizes: Mapping[float, Mapping[str, int]], share: float = PAPER_SHARE) -> str:
    """State what each form saves at a level, in times of the dense file."""
    dense = sizes[0.0][DENSE]
    times = {form: dense / n_bytes for form, n_bytes in sizes[share].items()}
    smallest = min(sizes[share], key=lambda form: sizes[share][form])
    return (
        f"With {share:.0%} zeros: {times[SPARSE]:.1f} times smaller without the zeros (not "
        f"{1 / (1 - share):.0f} times, since the file must say where the others stand); "
        f"{times[DENSE_INT8]:.1f} times by 8 bits alone; {times[SPARSE_INT8]:.1f} times by 8 bits "
        f"without the zeros; {times[ZIPPED_INT8]:.1f} times by 8 bits and plain compression. The "
        f"smallest is *{smallest}*."
    )


def ratios_in_words(compared: Mapping[str, Sequence[float]]) -> Markdown:
    """State how many times as fast each product is over the rounds of a clock."""
    said = {
        FAST: "at least twice as fast",
        FASTER: "faster, but less than twice as fast",
        SLOWER: "slower",
        CANNOT_TELL: "the rounds do not decide more",
    }
    lines = [
        f"- {name}: {mean_in_digits(ratios, 2, '')} times as fast; {said[how_fast(ratios)]}."
        for name, ratios in compared.items()
    ]
    return Markdown("\n".join(lines))


def products_in_words(times: Mapping[str, Mapping[float, float]]) -> Markdown:
    """State from which share of zeros on the sparse product was the faster one, for each size."""
    lines = []
    for name, by_share in times.items():
        wins = [share for share, ratio in sorted(by_share.items()) if ratio > 1.0]
        always = [
            share
            for share in wins
            if all(by_share[other] > 1.0 for other in by_share if other >= share)
        ]
        said = (
            f"faster in this run from {always[0]:.0%} zeros on"
            if always
            else "not faster in this run at the largest share of zeros"
        )
        lines.append(f"{name}: {said}.")
    return Markdown(" ".join(lines))


def student_lost(by_seed: Sequence[Rows], share: float, stage: str = PRUNED) -> list[float]:
    """Return the BLEU by beam that the distilled student loses, against what it was before pruning,
    by seed."""
    return [lost(rows, STUDENT, Place(SEQ_KD, share, stage)) for rows in by_seed]
