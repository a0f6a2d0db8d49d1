"""Sentences of lesson 05 that are computed from what the run measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from seqkd_lab.corpus.toy import ToyLanguage
from seqkd_lab.corpus.toy.dataset import detokenise
from seqkd_lab.lab.beam.figures import BEAM, GREEDY, YOU, Path
from seqkd_lab.lab.beam.measures import Difference, SentenceStudy
from seqkd_lab.lab.beam.search_measures import (
    BOTH_RIGHT,
    BOTH_WRONG,
    REPAIRED,
    SPOILED,
    Faults,
    Outputs,
)
from seqkd_lab.lab.beam.tree import Loss
from seqkd_lab.lab.shared.digits import deciding_digits, shown_log_prob
from seqkd_lab.runs.verdicts import mean_and_interval

SAME = 1e-4
"""Nats: log-probabilities of one translation differ by less when they were found in batches of
other shapes."""
END = "</s>"


def end_of_game(
    paths: Mapping[str, Path], beam_size: int, source: Sequence[str], language: ToyLanguage
) -> list[str]:
    """Says who found the more probable translation, and which of the three the language accepts;
    plain text."""
    digits = deciding_digits([path.log_prob for path in paths.values()])
    numbers = {name: shown_log_prob(path.log_prob, digits) for name, path in paths.items()}
    names = {
        YOU: "Your translation",
        GREEDY: "greedy search's",
        BEAM: f"that of the beam of {beam_size}",
    }
    sentences = [
        f"{names[YOU]} has log p {numbers[YOU]}, {names[GREEDY]} {numbers[GREEDY]}, {names[BEAM]} "
        f"{numbers[BEAM]}."
    ]
    for name, rival in ((GREEDY, "greedy search"), (BEAM, f"the beam of {beam_size}")):
        sentences.append(_compared(paths[YOU], paths[name], rival))
    fault = language.explain(tuple(source), paths[YOU].words[:-1])
    sentences.append(
        "The language accepts your translation."
        if fault is None
        else f"The language does not accept your translation: {fault}."
    )
    for name in (GREEDY, BEAM):
        if paths[name].words != paths[YOU].words:
            valid = language.is_valid(tuple(source), paths[name].words[:-1])
            sentences.append(
                f"It {'accepts' if valid else 'does not accept'} {names[name]}: "
                f"“{detokenise(paths[name].words[:-1])}”"
            )
    return sentences


def _compared(own: Path, other: Path, rival: str) -> str:
    if own.words == other.words:
        return f"You and {rival} wrote the same translation."
    if own.log_prob > other.log_prob + SAME:
        return f"You found a more probable translation than {rival}."
    return f"The model finds the translation of {rival} more probable than yours."


def thrown_away(what: str, loss: Loss | None, beam_size: int) -> str:
    """Says where a beam of `beam_size` lost the translation called `what`, and by how much; plain
    text."""
    if loss is None:
        return f"A beam of {beam_size} keeps {what} to the end."
    digits = deciding_digits([loss.log_prob, loss.last_kept])
    words = " ".join(loss.words).replace(END, "(end)")
    return (
        f"A beam of {beam_size} throws {what} away at step {loss.step}: the prefix “{words}” has "
        f"rank {loss.rank} with log p {shown_log_prob(loss.log_prob, digits)}, and the last one "
        f"that is kept has {shown_log_prob(loss.last_kept, digits)}."
    )


def ticket_in_words(study: SentenceStudy, model: str) -> str:
    """Answers what the searches write for one sentence, whether it is valid, and what is at fault
    if it is not."""
    first = study.found[1]
    texts = dict.fromkeys(detokenise(hypothesis.tokens) for hypothesis in study.found.values())
    widest = study.found[study.widest]
    digits = deciding_digits([first.log_prob, widest.log_prob, study.best_valid_log_prob])
    if len(texts) == 1:
        said = (
            f"Greedy search with the {model} writes “{detokenise(first.tokens)}”, log p "
            f"{shown_log_prob(first.log_prob, digits)}. Every beam up to K = {study.widest} writes "
            "the same."
        )
    else:
        said = (
            f"Greedy search with the {model} writes “{detokenise(first.tokens)}”, log p "
            f"{shown_log_prob(first.log_prob, digits)}; a beam of {study.widest} writes "
            f"“{detokenise(widest.tokens)}”, log p {shown_log_prob(widest.log_prob, digits)}."
        )
    if study.valid[study.widest]:
        return f"{said} The language accepts the translation of the widest beam."
    best = (
        f"“{detokenise(study.best_valid)}” has {shown_log_prob(study.best_valid_log_prob, digits)}"
    )
    if study.best_valid_log_prob > widest.log_prob + SAME:
        return (
            f"{said} The translation is wrong, although the model finds a valid one more probable: "
            f"{best}. The search missed it: a search error."
        )
    return (
        f"{said} The translation is wrong. You can write a valid one, but not one with a higher "
        f"log p: the most probable valid translation, {best}. So no search helps here. This is a "
        "model error."
    )


def changes_in_words(
    changes: Mapping[str, Mapping[str, Sequence[int]]], n: int, beam_size: int
) -> str:
    """Says for each model how many translations the beam changes, and what becomes of them; a
    markdown list."""
    lines = []
    for name, kinds in changes.items():
        total, repaired, spoiled = (
            sum(map(len, kinds.values())),
            len(kinds[REPAIRED]),
            len(kinds[SPOILED]),
        )
        lines.append(
            f"- **{name}**: a beam of {beam_size} changes {total} of {n} translations. It repairs "
            f"{repaired} and spoils {spoiled}: {_net(repaired - spoiled)}. Of the others, "
            f"{len(kinds[BOTH_RIGHT])} are valid before and after, {len(kinds[BOTH_WRONG])} are "
            "wrong before and after."
        )
    return "\n".join(lines)


def _net(difference: int) -> str:
    if difference == 0:
        return "as many valid ones as before"
    return (
        f"{abs(difference)} {'more' if difference > 0 else 'fewer'} valid "
        f"{_plural('translation', abs(difference))}"
    )


def _plural(noun: str, count: int) -> str:
    return noun if count == 1 else f"{noun}s"


def fate_in_words(what: str, lost: Mapping[int, Loss], beam_size: int) -> str:
    """Says where a beam of `beam_size` lost a translation, and from which K on a beam keeps it;
    plain text."""
    said = thrown_away(what, lost.get(beam_size), beam_size)
    if beam_size not in lost:
        return said
    smallest = smallest_beam(lost)
    if smallest is None:
        return f"{said} Even a beam of {max(lost)} prunes it."
    return f"{said} The smallest beam that keeps it has K = {smallest}."


def pruned_in_words(lost: Mapping[int, Loss], smallest: int) -> str:
    """Says for each K below `smallest` where the translation was thrown away; a markdown list."""
    lines = [f"- {thrown_away('it', lost.get(K), K)}" for K in range(1, smallest)]
    return "\n".join([*lines, f"- A beam of {smallest} keeps it to the end."])


def smallest_beam(lost: Mapping[int, Loss], most: int = 20) -> int | None:
    """The smallest K up to `most` whose search holds the translation to the end; None if there is
    none."""
    return next((K for K in range(1, most + 1) if K not in lost), None)


def gains_in_words(
    gains: Mapping[str, Difference], by_seed: Mapping[str, Sequence[float]], beam_size: int
) -> str:
    """Says what the beam adds to each model in BLEU, here and over the seeds, and to which of the
    first two more."""
    here = ", ".join(f"{name} {gain.value:+.1f}" for name, gain in gains.items())
    (one, values), (other, others) = list(by_seed.items())[:2]
    mean, (low, high) = mean_and_interval([a - b for a, b in zip(values, others, strict=True)])
    interval = f"{mean:+.1f} BLEU, 95% interval {low:+.1f} to {high:+.1f}"
    judged = (
        f"So it adds more to the {one}"
        if low > 0.0
        else f"So it adds more to {other}"
        if high < 0.0
        else "So these seeds do not tell to which of the two it adds more"
    )
    return (
        f"**What a beam of {beam_size} adds to greedy search, in BLEU.** On these sentences: "
        f"{here}. Over {len(values)} seeds, the difference between what it adds to the {one} and "
        f"to {other} is {interval}. {judged}."
    )


def bigger_in_words(
    by_size: Mapping[int, Outputs], change: Difference, narrow: int, wide: int
) -> str:
    """Says what a wider beam changes: log p, validity, BLEU, and how much of BLEU the length
    explains."""
    one, other = by_size[narrow], by_size[wide]
    gained = other.log_prob - one.log_prob
    verdict = {1: "rises", -1: "falls", 0: "does not change by more than chance"}[change.direction]
    said = (
        f"**From K = {narrow} to K = {wide}.** For the baseline, log p changes by {gained:+.3f} "
        f"nats on average. BLEU {verdict} ({change.value:+.2f}, p = {change.p_value:.2f} where the "
        "sentences are drawn again and again), and the share of valid translations goes from "
        f"{one.score.validity:.1%} to {other.score.validity:.1%}."
    )
    return f"{said} {_length_in_words(one, other, change)}"


def _length_in_words(one: Outputs, other: Outputs, change: Difference) -> str:
    """How much of a change in BLEU the brevity penalty explains, since log p prefers what is
    short."""
    ratios = (
        f"The length ratio goes from {one.score.length_ratio:.4f} to {other.score.length_ratio:.4f}"
    )
    by_length = one.score.bleu * (other.score.brevity_penalty / one.score.brevity_penalty - 1.0)
    if by_length > -0.005:
        return f"{ratios}, which costs no BLEU."
    words = (
        f"{ratios}: the translations become shorter. The brevity penalty, which is a part of BLEU, "
        f"changes it by {by_length:+.2f}"
    )
    if change.value >= 0.0:
        return f"{words}; the words more than make up for it."
    return f"{words}, of {change.value:+.2f} in all."


def less_likely_in_words(pairs: Sequence[tuple[int, int, int]], n: int) -> str:
    """Says how often a wider beam gave a LESS probable translation; pairs of (K, larger K, number
    of sentences)."""
    counts = ", ".join(f"{count} (K = {one} to {other})" for one, other, count in pairs)
    said = f"**Less probable with a larger K.** Of {n} sentences: {counts}."
    if not any(count for *_, count in pairs):
        return said
    return (
        f"{said} A hypothesis that would have won can be pruned by others which only a larger beam "
        "holds. They are more probable at that step and end worse."
    )


def faults_in_words(blame: Mapping[str, Mapping[int | None, Faults]]) -> str:
    """Says from which K on a model makes no search errors, how many model errors remain, and what
    luck was lost."""
    lines = []
    for name, by_size in blame.items():
        sizes = [K for K in by_size if K is not None]
        free = [K for K in sizes if all(not by_size[other].search for other in sizes if other >= K)]
        left = by_size[sizes[-1]].search
        since = (
            f"from K = {free[0]} on there is no search error"
            if free
            else (f"K = {sizes[-1]} still makes {left} search {_plural('error', left)}")
        )
        exact, greedy = by_size[None], by_size[sizes[0]]
        lines.append(
            f"- **{name}**: {since}. In {exact.model} of {exact.n} sentences the mode itself is "
            f"wrong: a model error, whatever the search. In {greedy.lucky} greedy search is right "
            "only because it misses a wrong mode."
        )
    return "\n".join(lines)


def hurt_in_words(
    hurt: Sequence[int], repaired: Sequence[int], narrow: int, wide: int, n: int
) -> str:
    """Weighs what a wider beam spoils, although it finds something more probable, against what it
    repairs."""
    spoiled, better = len(hurt), len(repaired)
    weight = "more than" if spoiled > better else "fewer than" if spoiled < better else "as many as"
    balance = (
        "So the better search hurts here."
        if spoiled > better
        else "So the better search can hurt a sentence where the model is wrong, but on balance it "
        "does not."
    )
    return (
        f"From K = {narrow} to K = {wide}, the baseline's translation of {spoiled} of {n} "
        f"sentences becomes wrong although it becomes more probable. That is {weight} the {better} "
        f"that are repaired. {balance}"
    )


def penalties_in_words(
    swept: Mapping[str, Mapping[int, Mapping[float, Outputs]]], wide: int
) -> str:
    """Says for each model what a wide beam does to length and BLEU without a penalty, and what the
    penalty changes."""
    lines = []
    for name, by_size in swept.items():
        plain, greedy = by_size[wide][0.0].score, by_size[1][0.0].score
        penalty, best = max(by_size[wide].items(), key=lambda item: item[1].score.bleu)
        lines.append(
            f"- **{name}**: without a penalty, K = {wide} has a length ratio of "
            f"{plain.length_ratio:.3f} and {plain.bleu:.1f} BLEU; greedy search has "
            f"{greedy.length_ratio:.3f} and {greedy.bleu:.1f}. "
            f"{_best(penalty, best.score.bleu - plain.bleu)}"
        )
    return "\n".join(lines)


def _best(penalty: float, gain: float) -> str:
    if penalty == 0.0:
        return "None of the penalties does better."
    return f"The best of the penalties, {penalty:g}, changes BLEU by {gain:+.1f}."
