"""The lesson's ticket: its two interesting positions, drawn and in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure

from seqkd_lab.lab.next_word.estimates import listed, name_of
from seqkd_lab.lab.shared.bars import BarRows
from seqkd_lab.lab.shared.lesson import TICKET_GOLD, Markdown
from seqkd_lab.lab.shared.next_words import TEACHER, SentenceReading, soften
from seqkd_lab.lab.shared.score_figures import TRUTH, colour_of
from seqkd_lab.lab.shared.style import SIZE

CHOICE, AGREEMENT = 0, TICKET_GOLD.index("es")
"""The positions in the ticket's gold at which its noun is chosen (by the form of *mein*) and its
pronoun must agree."""

N_WORDS = 4

CERTAIN, SMALL = 0.9, 0.02


def places_figure(reading: SentenceReading, positions: Mapping[str, int]) -> Figure:
    """Draw a panel for each of `positions`, by title: the next word by the truth and by every
    model, at τ = 1."""
    figure = Figure(figsize=(13, 6.4), layout="constrained")
    panels = figure.subplots(1, len(positions), squeeze=False)[0]
    series = (TRUTH, *reading.log_prob)
    for axes, (title, position) in zip(panels, positions.items(), strict=True):
        bars = BarRows(axes, series, [colour_of(name) for name in series], N_WORDS)
        order = reading.order(position, list(reading.log_prob), N_WORDS)
        bars.show(
            [reading.vocabulary.tokens[k] for k in order],
            [_column(reading, name, position, order) for name in series],
        )
        prefix = " ".join(reading.target[:position]) or "(the beginning)"
        axes.set_title(f"{title}\n{prefix} …", fontsize=SIZE, parse_math=False)
        axes.set_xlabel("probability of the next word", fontsize=SIZE)
        axes.set_ylabel(" \n \n \n \n", fontsize=SIZE)  # room for the words, which are no ticks
    figure.legend(
        *panels[0].get_legend_handles_labels(),
        fontsize=SIZE,
        loc="outside lower center",
        ncols=len(series),
    )
    return figure


def _column(
    reading: SentenceReading, name: str, position: int, order: Sequence[int]
) -> list[float] | None:
    p = reading.truth(position) if name == TRUTH else reading.log_prob[name][position].exp()
    return None if p is None else p[list(order)].tolist()


def word_p(
    reading: SentenceReading, name: str, position: int, word: str, temperature: float = 1.0
) -> float:
    """Look up what the truth or a model (softened) gives to `word` at a position."""
    number = reading.vocabulary.ids([word])[0]
    p = (
        reading.truth(position)
        if name == TRUTH
        else soften(reading.log_prob[name][position], temperature)
    )
    return float(p[number])


def ticket_in_words(reading: SentenceReading, choice: int, agreement: int) -> Markdown:
    """Say what truth, teacher and students give where the ticket's noun is chosen, and where its
    pronoun must agree."""
    truth = reading.truth(choice)
    options = [reading.vocabulary.tokens[k] for k in truth.argsort(descending=True)[:2].tolist()]
    shares = {
        name: [word_p(reading, name, choice, word) for word in options] for name in (TRUTH, TEACHER)
    }
    first, last = reading.target[choice], reading.target[agreement]
    given = {name: word_p(reading, name, agreement, last) for name in reading.log_prob}
    said = (
        f"**The choice.** *{options[0]}* and *{options[1]}* are both right. The truth gives them "
        f"{shares[TRUTH][0]:.2f} and {shares[TRUTH][1]:.2f}, the teacher {shares[TEACHER][0]:.2f} "
        f"and {shares[TEACHER][1]:.2f}.\n\n**The agreement.** After *{first} "
        f"{reading.target[choice + 1]}* only *{last}* is right. It gets "
        f"{listed([f'{p:.2f} from the {name_of(name)}' for name, p in given.items()])}. "
    )
    guessing = [name for name, p in given.items() if p < CERTAIN]
    if not guessing:
        return Markdown(said + "So in each model the noun still decides about the pronoun.")
    rivals = {name: _likeliest_other(reading, name, agreement, last) for name in guessing}
    others = [f"*{word}* {p:.2f} from the {name_of(name)}" for name, (word, p) in rivals.items()]
    return Markdown(
        said
        + f"The most probable wrong word: {listed(others)}. A model that gives so much to another "
        "pronoun guesses: what it has kept of the words so far does not tell the noun."
    )


def _likeliest_other(
    reading: SentenceReading, name: str, position: int, word: str
) -> tuple[str, float]:
    """The word to which a model gives most, apart from `word`, and what it gives."""
    p = reading.log_prob[name][position].exp()
    p[reading.vocabulary.ids([word])[0]] = 0.0
    return reading.vocabulary.tokens[int(p.argmax())], float(p.max())


def temperature_answer(
    reading: SentenceReading, position: int, temperatures: Sequence[float]
) -> str:
    """Say what τ does to the teacher's distribution at one position: to its likeliest word, to the
    wrong ones."""
    truth = reading.truth(position)
    wrong = [
        float(soften(reading.log_prob[TEACHER][position], tau)[truth == 0.0].sum())
        for tau in temperatures
    ]
    best = int(reading.log_prob[TEACHER][position].argmax())
    first = [float(soften(reading.log_prob[TEACHER][position], tau)[best]) for tau in temperatures]
    word = reading.vocabulary.tokens[best]
    taus = listed([f"{tau:g}" for tau in temperatures])
    said = (
        f"At τ = {taus} the teacher's likeliest word, *{word}*, gets "
        f"{listed([f'{p:.2f}' for p in first])}. All wrong words together get "
        f"{listed([f'{p:.3f}' for p in wrong])}. "
    )
    said += "A low τ gives the likeliest word more. " if first[0] > first[-1] else ""
    if wrong[-1] > wrong[0]:
        said += "A high τ gives more to all words that had little, and nearly all of the vocabulary is wrong here. "  # noqa: E501
    return (
        said + "The order of the words never changes, so τ cannot make another word the likeliest."
    )


def certain_answer(reading: SentenceReading, position: int) -> str:
    """Say whether the teacher is as certain as the truth where only one word is right."""
    word = reading.target[position]
    p, truth = word_p(reading, TEACHER, position, word), word_p(reading, TRUTH, position, word)
    if truth < 1.0:
        return (
            f"At this position *{word}* is not the only right word: the truth gives it {truth:.2f}."
        )
    how = "nearly as certain" if p >= CERTAIN else "not certain"
    return (
        f"Before *{word}* the truth gives this one word everything. The teacher gives it {p:.3f}: "
        f"it is {how}."
    )


def end_label(words: Sequence[str]) -> list[str]:
    """Return the words of a translation and a label for its end."""
    return [*words, "(end)"]
