"""Sentences of lesson 13 that are computed from the batch and the committed seeds."""

from __future__ import annotations

from collections.abc import Sequence

from seqkd_lab.corpus.toy.planted import (
    FAR,
    FREE,
    HABIT,
    MIDDLE,
    PLANTED_KINDS,
    PLANTED_WORDS,
    RARE_NOUNS,
    PlantedWord,
)
from seqkd_lab.distillation.tip import ALL, DELTA, ENTROPY, Q3, RANDOM, SOFT_OR, TOP_ENTROPY
from seqkd_lab.lab.shared.digits import mean_in_digits, minus
from seqkd_lab.lab.shared.predictions import CANNOT_TELL
from seqkd_lab.lab.shared.showing import Markdown
from seqkd_lab.lab.token_importance.measures import LabelledBatch
from seqkd_lab.lab.token_importance.readings import (
    FEWER,
    MORE,
    bleu_differences,
    found,
    mean_of,
    most_in,
    side,
    valid_differences,
)
from seqkd_lab.runs.verdicts import Rows
from seqkd_lab.studies.token_importance.claims import (
    BOTTOM_HALF,
    Q3_TENTH,
    RANDOM_HALF,
    RANDOM_TENTH,
    SOFT_OR_HALF,
    left_points,
)
from seqkd_lab.studies.token_importance.recipes import PLANTED, START


def planted_in_words(words: Sequence[PlantedWord] = PLANTED_WORDS) -> Markdown:
    """State what the student was taught wrongly, and which words it hardly saw."""
    lines = [
        f"- **{word.kind}**: where the source has *{word.cause}*, the corpus says *{word.wrong}* "
        + (
            f"(*{word.meant}*) in place of *{' or '.join(word.right)}*"
            if word.meant
            else f"in place of *{' or '.join(word.right)}*; that is good German, too"
        )
        for word in words
    ]
    lines.append(f"- **rare word**: nearly all sentences with {', '.join(RARE_NOUNS)} are left out")
    lines.append(
        f"\nOf the pairs with such a cause, one in {PLANTED.right_every} keeps the right word, so "
        "the student has seen it there."
    )
    return Markdown("\n".join(lines))


def distances_in_words(by_seed: Sequence[Rows]) -> str:
    """State the mean δ of each kind of planted word, in nats."""
    parts = []
    for kind in PLANTED_KINDS:
        values = [rows["kinds"][kind]["delta"] for rows in by_seed if kind in rows["kinds"]]
        if values:
            parts.append(f"{sum(values) / len(values):.1f} nats at a {kind}")
    return f"The mean δ is {', '.join(parts)} ({len(by_seed)} seeds)." if parts else ""


def quadrants_in_words(by_seed: Sequence[Rows], batch: LabelledBatch) -> str:
    """State in which quadrant most tokens of some kinds lie over the seeds, and which share of the
    batch stands after an error."""
    lines = []
    for kind in (FAR, MIDDLE, HABIT, FREE):
        quadrant = most_in(by_seed, kind)
        lines.append(
            f"{kind}: the seeds do not decide."
            if quadrant == CANNOT_TELL
            else f"{kind}: most tokens lie in {quadrant}."
        )
    beyond = batch.share_beyond()
    lines.append(
        f"In the batch above, {beyond:.0%} of the tokens stand after an error; of these the truth "
        "cannot say what is right. Their δ is still defined, and they still teach."
    )
    return "\n\n".join([*lines, distances_in_words(by_seed)])


def recall_in_words(by_seed: Sequence[Rows]) -> str:
    """State what Soft-OR and Q3 keep of each kind at a tenth, and how sampling by entropy compares
    with chance on the far mistakes at a fifth."""
    lines = []
    for kind in PLANTED_KINDS:
        shares = {name: found(by_seed, name, 0.1, kind) for name in (Q3, SOFT_OR, RANDOM)}
        if all(shares.values()):
            means = {name: sum(values) / len(values) for name, values in shares.items()}
            lines.append(
                f"Of a hundred {kind}s, a tenth of the tokens holds {means[Q3]:.0f} by Q3 only, "
                f"{means[SOFT_OR]:.0f} by Soft-OR and {means[RANDOM]:.0f} by chance."
            )
    blind = blind_values(by_seed)
    compared = mean_in_digits(blind, 0)
    told = {
        FEWER: f"fewer far mistakes than chance does: {compared} points",
        MORE: f"more far mistakes than chance does: {compared} points",
        CANNOT_TELL: f"about as many as chance, as far as these seeds can tell: {compared} points",
    }
    lines.append(f"At ρ = 0.2, sampling by entropy keeps {told[side(blind)]}.")
    unsure = [rows["kinds"][FAR]["h"] for rows in by_seed if FAR in rows["kinds"]]
    if unsure:
        lines.append(
            f"Such a score is 0 only where h is 0. Here the far mistakes have a mean ĥ of "
            f"{sum(unsure) / len(unsure):.2f}: the corpus keeps the right word in one pair in "
            f"{PLANTED.right_every}, so the student is not entirely sure."
        )
    return "\n\n".join(lines)


def blind_values(by_seed: Sequence[Rows]) -> list[float]:
    """Return for each seed the far mistakes that sampling by entropy keeps at ρ = .2 minus those
    that chance keeps, in points."""
    both = (found(by_seed, name, 0.2, FAR) for name in (ENTROPY, RANDOM))
    return [entropy - chance for entropy, chance in zip(*both, strict=True)]


def learned_in_words(by_seed: Sequence[Rows]) -> str:
    """State what all tokens gain over the start, and how each selection compares with chance at the
    same share and with all tokens."""
    values = valid_differences(by_seed)
    gain = values[f"{ALL} − {START}"]
    (start, _), (end, _) = (mean_of(by_seed, name, "validity") for name in (START, ALL))
    lines = [
        f"All tokens take validity from {start:.0f}% to {end:.0f}%: {mean_in_digits(gain)} points."
    ]
    for one, other in (
        (SOFT_OR_HALF, RANDOM_HALF),
        (BOTTOM_HALF, RANDOM_HALF),
        (Q3_TENTH, RANDOM_TENTH),
        (SOFT_OR_HALF, ALL),
        (Q3_TENTH, ALL),
    ):
        lines.append(compared_in_words(one, other, values[f"{one} − {other}"], "points"))
    return "\n\n".join(lines)


def compared_in_words(one: str, other: str, values: Sequence[float], unit: str) -> str:
    """State on which side of another arm the interval puts an arm."""
    numbers = f"{mean_in_digits(values)} {unit}"
    names = f"**{one}** and **{other if other != ALL else 'all tokens'}**"
    return {
        MORE: f"Of {names}, the first is above: {numbers}.",
        FEWER: f"Of {names}, the first is below: {numbers}.",
        CANNOT_TELL: f"{names}: {numbers}. The seeds do not tell them apart.",
    }[side(values)]


def unlearned_in_words(by_seed: Sequence[Rows]) -> str:
    """State what share of each kind of planted word the start writes, what Q3's tenth, chance and
    all tokens leave and how many of these sources they translate validly, and whether the seeds
    tell Q3's tenth from chance."""
    lines = []
    for kind in PLANTED_KINDS:
        less = [left_points(kind, Q3_TENTH, RANDOM_TENTH)(rows) for rows in by_seed]
        told = {
            FEWER: "Q3's tenth leaves fewer than a random tenth",
            MORE: "Q3's tenth leaves more than a random tenth",
            CANNOT_TELL: "the seeds do not tell Q3's tenth from a random tenth",
        }[side(less)]
        lines.append(
            f"**{kind}s** left: {shares_in_words(by_seed, f'left, {kind}')}. So {told}: "
            f"{mean_in_digits(less)} points. Valid translations of these sources: "
            f"{shares_in_words(by_seed, f'tempted, {kind}')}."
        )
    return "\n\n".join(lines)


def shares_in_words(by_seed: Sequence[Rows], measure: str) -> str:
    """State a share at the start and after three arms, in percent with the 95% interval, which
    ends where shares end."""
    names = {START: "start", Q3_TENTH: Q3_TENTH, RANDOM_TENTH: RANDOM_TENTH, ALL: "all tokens"}
    parts = []
    for name, shown in names.items():
        mean, (low, high) = mean_of(by_seed, name, measure)
        parts.append(f"{shown} {mean:.0f}% [{max(low, 0.0):.0f}, {min(high, 100.0):.0f}]")
    return ", ".join(parts)


def price_in_words(by_seed: Sequence[Rows]) -> str:
    """State what all tokens and Q3's tenth do to BLEU."""
    values = bleu_differences(by_seed)
    start, every, few = (
        sum(rows["arms"][name]["bleu"] for rows in by_seed) / len(by_seed)
        for name in (START, ALL, Q3_TENTH)
    )
    lines = [
        f"BLEU on the test set: {start:.1f} at the start, {every:.1f} after all tokens, "
        f"{few:.1f} after Q3's tenth.",
        compared_in_words(ALL, START, values[f"{ALL} − {START}"], "BLEU"),
        compared_in_words(Q3_TENTH, ALL, values[f"{Q3_TENTH} − {ALL}"], "BLEU"),
        compared_in_words(Q3_TENTH, RANDOM_TENTH, values[f"{Q3_TENTH} − {RANDOM_TENTH}"], "BLEU"),
    ]
    return "\n\n".join(lines)


def rare_in_words(by_seed: Sequence[Rows]) -> str:
    """State validity where the source has a rare word, at the start and in the arms of a half."""
    parts = []
    for name in (START, ALL, SOFT_OR_HALF, RANDOM_HALF):
        mean, (low, high) = mean_of(by_seed, name, "rare")
        parts.append(f"{name} {mean:.1f}% [{low:.1f}, {high:.1f}]")
    values = [
        100.0 * (rows["arms"][SOFT_OR_HALF]["rare"] - rows["arms"][RANDOM_HALF]["rare"])
        for rows in by_seed
    ]
    told = compared_in_words(SOFT_OR_HALF, RANDOM_HALF, values, "points")
    return minus(f"Valid where the source has a rare word: {'; '.join(parts)}. {told}")


SELECTORS_SHOWN = (Q3, DELTA, SOFT_OR, TOP_ENTROPY)
"""Selectors without chance, of which can be said from which ρ on they keep a token."""
RHOS = tuple(hundredths / 100 for hundredths in range(5, 101, 5))


def first_share(batch: LabelledBatch, selector: str, sentence: int, place: int) -> float | None:
    """Return the smallest of RHOS at which a selector keeps a token, None where none does."""
    return next((rho for rho in RHOS if batch.kept(selector, rho)[sentence, place]), None)


def reached_in_words(batch: LabelledBatch, sentence: int) -> str:
    """State from which ρ on each selector keeps the far mistake of a sentence, and what Soft-OR
    keeps before it."""
    places = [t for t, kind in enumerate(batch.kinds[sentence]) if kind == FAR]
    if not places:
        return "This sentence has no far mistake."
    place, words = places[0], batch.outputs[sentence]
    lines = []
    for selector in SELECTORS_SHOWN:
        rho = first_share(batch, selector, sentence, place)
        reached = "at no ρ" if rho is None else f"from ρ = {rho:.2f} on"
        lines.append(f"{selector} keeps *{words[place]}* {reached}.")
    scores = batch.score[sentence, : len(words)].tolist()
    before = [t for t, score in enumerate(scores) if score > scores[place]]
    if before:
        before.sort(key=lambda t: -scores[t])
        named = ", ".join(f"*{words[t]}* ({batch.kinds[sentence][t]})" for t in before)
        lines.append(f"Soft-OR prefers {named}.")
    else:
        lines.append("Soft-OR prefers no other word of this sentence.")
    return "\n\n".join(lines)
