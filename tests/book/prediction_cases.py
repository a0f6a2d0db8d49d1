"""Questions, typed answers and runs' values, drawn from a seed: what the book's script and the
recorder must read and judge alike."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

from seqkd_lab.lab.shared.predictions import CANNOT_TELL, Choice, Number, Predictions, Ranking
from seqkd_lab.lab.shared.predictions.questions import Kind

HTML = '<img src=x onerror="window.hacked=1">'
FRAGMENTS = (
    *"0123456789",
    *"..,,--+e eE%  ",
    *("−", "\xa0", "\u2003", "\x1c", "\x85", "\ufeff", "\n", "\u200b", "_", "'"),
    *("٣", "１", "४", "𝟗", "𝟎", "²", "½", "Ⅷ"),
    *("about ", " BLEU", "minus ", "inf", "nan", "0x1f", "1,000", "1.234,5", "1.234.567", "1e400"),
    *("🙂", "\ud83d", "ß", HTML, "${1}", "</script>", "a" * 90, "7" * 400),
)
NAMES = ("teacher", "baseline", "Seq-KD", "K = 5", HTML, "it’s “so”", "__proto__", "ß🙂")
SIZES = (1.0, 3.0, 0.25, 12.5, 100.0, 0.5)
SURE = (None, 25.0, 50.0, 75.0, 95.0)


@dataclass(frozen=True)
class Case:
    """A question, what a reader enters, how sure, and what the run gave."""

    kind: Kind
    typed: Any
    sure: float | None
    value: Any
    interval: tuple[float, float] | None
    is_late: bool


def draw_cases(seed: int, n_cases: int) -> list[Case]:
    """Return as many cases, the same for the same seed."""
    draw = random.Random(seed)
    return [draw.choice((number, number, choice, ranking))(draw) for _ in range(n_cases)]


def number(draw: random.Random) -> Case:
    """Return a number's case: a third of its answers are texts of fragments, the others numbers."""
    kind = Number("<b>points</b>", draw.choice(SIZES), signed=draw.random() < 0.5)
    value = any_number(draw)
    answer = value + draw.choice((0.0, 0.25, 1.0, 1.5, 3.0, 4.0)) * kind.tolerance * sign(draw)
    typed = draw.choice((repr(answer), f"{answer:.2f}".replace(".", ","), any_text(draw)))
    width = draw.choice((0.0, 1.0, 2.0)) * kind.tolerance
    interval = draw.choice((None, (value - width, value + 2 * width)))
    return Case(kind, typed, draw.choice(SURE), value, interval, draw.random() < 0.1)


def choice(draw: random.Random) -> Case:
    """Return a choice's case; sometimes nothing is chosen, and sometimes nothing can be told."""
    options = tuple(draw.sample(NAMES, draw.randint(2, 5)))
    options += (CANNOT_TELL,) * (draw.random() < 0.3)
    value = draw.choice((*options, CANNOT_TELL))
    typed = draw.choice((*options, value if value in options else "", ""))
    return Case(Choice(options), typed, draw.choice(SURE), value, None, draw.random() < 0.1)


def ranking(draw: random.Random) -> Case:
    """Return an order's case: its value is an order, or pairs that one order decides."""
    items = tuple(draw.sample(NAMES, draw.randint(2, 5)))
    order = draw.sample(items, len(items))
    pairs = Ranking(items).pairs(order)
    value = draw.choice((order, draw.sample(pairs, draw.randint(0, len(pairs)))))
    swapped = [order[1], order[0], *order[2:]]
    of_some = [draw.choice(items) for _ in range(draw.randint(0, len(items)))]
    typed = draw.choice((order, swapped, draw.sample(items, len(items)), of_some))
    return Case(Ranking(items), typed, draw.choice(SURE), value, None, draw.random() < 0.1)


def any_number(draw: random.Random) -> float:
    """Return a number of any size; some lie exactly between two that four digits can write."""
    kinds = (
        0.0,
        draw.uniform(-5, 5),
        draw.randint(-40, 40) * 0.125,
        (draw.randint(1000, 9999) + 0.5) * 2.0 ** draw.randint(-3, 3),
        draw.uniform(1, 10) * 10.0 ** draw.randint(-12, 12) * sign(draw),
    )
    return draw.choice(kinds)


def any_text(draw: random.Random) -> str:
    """Return a text of a few fragments."""
    return "".join(draw.choices(FRAGMENTS, k=draw.randint(0, 6)))


def sign(draw: random.Random) -> float:
    """Return 1 or −1."""
    return draw.choice((-1.0, 1.0))


def answered(recorder: Predictions, key: str, case: Case) -> tuple[bool, list[str], str | None]:
    """Ask, answer and score a case; return whether the recorder understood the answer, what it
    said, and its judgement in words (None where the answer does not count)."""
    recorder.ask(key, f"{key}?", case.kind)
    if case.is_late:
        recorder.score(key, case.value, case.interval)
    note = recorder.answer(key, case.typed, case.sure)
    score = recorder.score(key, case.value, case.interval)
    return note.accepted, list(note.lines), score.judgement and score.judgement.words
