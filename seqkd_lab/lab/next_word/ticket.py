"""The lessons' ticket at its two interesting positions: the distributions there, and in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure
from torch import Tensor

from seqkd_lab.lab.next_word.estimates import joined, name_of
from seqkd_lab.lab.shared.bars import BarRows
from seqkd_lab.lab.shared.lesson import TICKET_GOLD, Markdown
from seqkd_lab.lab.shared.next_words import SentenceReading, soften
from seqkd_lab.lab.shared.style import TRUTH, panels, role_of, styled
from seqkd_lab.runs.recipes import TEACHER

CHOICE = 0
"""The position in the ticket's gold at which its noun is chosen, by the form of *mein*."""
AGREEMENT = TICKET_GOLD.index("es")
"""The position at which its pronoun must agree with the noun."""
N_WORDS = 4
CERTAIN = 0.9


def _truth(reading: SentenceReading, position: int) -> Tensor:
    """Return the true distribution (V,). Raise ValueError for a reading without a language."""
    truth = reading.truth(position)
    if truth is None:
        raise ValueError("the reading of the ticket needs the toy language, which gives the truth")
    return truth


def _p(reading: SentenceReading, name: str, position: int, temperature: float = 1.0) -> Tensor:
    """Return the distribution (V,) of the truth, or of a model at a temperature."""
    if name == TRUTH:
        return _truth(reading, position)
    return soften(reading.log_prob[name][position], temperature)


def _p_of(reading: SentenceReading, name: str, position: int, word: str) -> float:
    """Return what the truth or a model gives to `word` at a position."""
    return float(_p(reading, name, position)[reading.vocabulary.ids([word])[0]])


@styled
def positions_figure(reading: SentenceReading, positions: Mapping[str, int]) -> Figure:
    """Draw a panel for each of `positions`, by title: the next word by the truth and by every
    model, at τ = 1."""
    figure, row = panels(13, 6.4, 1, len(positions), squeeze=False)
    series = (TRUTH, *reading.log_prob)
    for axes, (title, position) in zip(row[0], positions.items(), strict=True):
        axes.grid(False)
        bars = BarRows(axes, series, [role_of(name).colour for name in series], N_WORDS)
        order = reading.order(position, list(reading.log_prob), N_WORDS)
        bars.show(
            [reading.vocabulary.tokens[k] for k in order],
            [_p(reading, name, position)[order].tolist() for name in series],
        )
        prefix = " ".join(reading.target[:position]) or "(the beginning)"
        axes.set_title(f"{title}\n{prefix} …")
        axes.set_xlabel("probability of the next word")
        axes.set_ylabel(" \n \n \n \n")  # room for the words, which are no ticks
    handles = row[0, 0].get_legend_handles_labels()
    figure.legend(*handles, loc="outside lower center", ncols=len(series))
    return figure


def ticket_in_words(reading: SentenceReading, choice: int, agreement: int) -> Markdown:
    """Say what truth, teacher and students give where the ticket's noun is chosen, and where its
    pronoun must agree."""
    likeliest = _truth(reading, choice).argsort(descending=True)[:2].tolist()
    options = [reading.vocabulary.tokens[k] for k in likeliest]
    true_one, true_other = (_p_of(reading, TRUTH, choice, word) for word in options)
    one, other = (_p_of(reading, TEACHER, choice, word) for word in options)
    pronoun = reading.target[agreement]
    shares = {name: _p_of(reading, name, agreement, pronoun) for name in reading.log_prob}
    return Markdown(
        f"**The choice.** *{options[0]}* and *{options[1]}* are both right. The truth gives them "
        f"{true_one:.2f} and {true_other:.2f}, the teacher {one:.2f} and {other:.2f}.\n\n"
        f"**The agreement.** After *{' '.join(reading.target[choice : choice + 2])}* only "
        f"*{pronoun}* is right. It gets "
        f"{joined([f'{p:.2f} from the {name_of(name)}' for name, p in shares.items()])}. "
        + _guesses(reading, agreement, [name for name, p in shares.items() if p < CERTAIN])
    )


def _guesses(reading: SentenceReading, position: int, names: Sequence[str]) -> str:
    """Say which wrong word each of the models `names`, which are not certain, finds likeliest."""
    if not names:
        return "So in each model the noun still decides about the pronoun."
    right = reading.vocabulary.ids([reading.target[position]])[0]
    rivals = []
    for name in names:
        p = reading.log_prob[name][position].exp()
        p[right] = 0.0
        word = reading.vocabulary.tokens[int(p.argmax())]
        rivals.append(f"*{word}* {float(p.max()):.2f} from the {name_of(name)}")
    return (
        f"The most probable wrong word: {joined(rivals)}. A model that gives so much to another "
        "pronoun guesses: what it has kept of the words so far does not tell the noun."
    )


def temperature_answer(
    reading: SentenceReading, position: int, temperatures: Sequence[float]
) -> str:
    """Say what τ does to the teacher's distribution at one position: to its likeliest word, to the
    wrong ones."""
    is_wrong = _truth(reading, position) == 0.0
    softened = [_p(reading, TEACHER, position, tau) for tau in temperatures]
    wrong = [float(p[is_wrong].sum()) for p in softened]
    best = int(reading.log_prob[TEACHER][position].argmax())
    first = [float(p[best]) for p in softened]
    sharper = "A low τ gives the likeliest word more. " if first[0] > first[-1] else ""
    flatter = (
        "A high τ gives more to all words that had little, and nearly all of the vocabulary is "
        "wrong here. "
        if wrong[-1] > wrong[0]
        else ""
    )
    return (
        f"At τ = {joined([f'{tau:g}' for tau in temperatures])} the teacher's likeliest word, "
        f"*{reading.vocabulary.tokens[best]}*, gets {joined([f'{p:.2f}' for p in first])}. All "
        f"wrong words together get {joined([f'{p:.3f}' for p in wrong])}. {sharper}{flatter}"
        "The order of the words never changes, so τ cannot make another word the likeliest."
    )


def certain_answer(reading: SentenceReading, position: int) -> str:
    """Say whether the teacher is as certain as the truth where only one word is right."""
    word = reading.target[position]
    p, truth = (_p_of(reading, name, position, word) for name in (TEACHER, TRUTH))
    if truth < 1.0:
        return (
            f"At this position *{word}* is not the only right word: the truth gives it {truth:.2f}."
        )
    certainty = "nearly as certain" if p >= CERTAIN else "not certain"
    return (
        f"Before *{word}* the truth gives this one word everything. The teacher gives it {p:.3f}: "
        f"it is {certainty}."
    )


def end_label(words: Sequence[str]) -> list[str]:
    """Return the words of a translation and a label for its end."""
    return [*words, "(end)"]
