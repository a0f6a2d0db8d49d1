"""One sentence through several models, greedy and beam: what each wrote, how sure it was, and which
rule it broke."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from seqkd_lab.corpus.toy import ToyLanguage, ToyParseError
from seqkd_lab.corpus.toy.dataset import detokenise
from seqkd_lab.corpus.toy.text import tokenise
from seqkd_lab.decoding.search import search
from seqkd_lab.lab.shared.exercises.showing import FAILED, PASSED
from seqkd_lab.models.seq2seq import Seq2Seq

LONGEST = 200
"""Characters of a typed sentence that are looked at: the language's own sentences have half as many
at most."""

HEADS = (
    "model",
    "search",
    "translation",
    "p by the model",
    "p by the truth",
    "judged by the language",
)


@dataclass(frozen=True)
class Row:
    """A model's translation by one search: the model's own probability of it, the true one, and
    what is wrong."""

    model: str
    search: str
    text: str
    p_model: float
    p_true: float
    fault: str | None

    def __str__(self) -> str:
        return (
            f"{self.model:10}{self.search:8}{self.text}  p={self.p_model:.3f}  "
            f"{self.fault or 'valid'}"
        )


@dataclass(frozen=True)
class Comparison:
    """What became of one sentence, or in words why it cannot be translated (then there are no
    rows)."""

    sentence: str
    rows: tuple[Row, ...] = ()
    trouble: str | None = None

    def _repr_html_(self) -> str:
        if self.trouble:
            return f'<div role="status">{escape(self.trouble)}</div>'
        heads = "".join(
            f'<th scope="col" style="text-align: {_side(head)}">{head}</th>' for head in HEADS
        )
        lines = "".join(map(_line, self.rows))
        return f"<p><b>{escape(self.sentence)}</b></p><table><tr>{heads}</tr>{lines}</table>"

    def __repr__(self) -> str:
        if self.trouble:
            return self.trouble
        return "\n".join([self.sentence, *map(str, self.rows)])


def _side(head: str) -> str:
    """Return how a column is aligned: numbers right, words left."""
    return "right" if head.startswith("p by") else "left"


def _line(row: Row) -> str:
    verdict = "✓ valid" if row.fault is None else f"✗ {row.fault}"
    colour = PASSED if row.fault is None else FAILED
    numbers = "".join(f"<td>{p:.3f}</td>" for p in (row.p_model, row.p_true))
    words = "".join(
        f'<td style="text-align: left">{escape(text)}</td>'
        for text in (row.model, row.search, row.text)
    )
    return (
        f'<tr>{words}{numbers}<td style="text-align: left; color: '
        f'{colour}">{escape(verdict)}</td></tr>'
    )


def compare(
    models: Mapping[str, Seq2Seq],
    text: str,
    beam_size: int = 5,
    language: ToyLanguage | None = None,
) -> Comparison:
    """`text` translated by every model, greedily and with a beam, each judged by the language
    itself.

    Whatever a person typed gives a Comparison: for a sentence that the language does not have, one
    that says why.
    """
    language = language or ToyLanguage()
    source = tokenise(str(text)[:LONGEST])
    if not source:
        return Comparison(
            "", trouble="There is no word in this text. Try: the old teacher sold the sofa ."
        )
    try:
        language.parse(source)
    except ToyParseError as error:
        return Comparison(
            " ".join(source), trouble=f"The toy language does not have this sentence: {error}"
        )
    found = []
    for name, model in models.items():
        for K, how in ((1, "greedy"), (beam_size, f"beam {beam_size}")):
            best = search(model, [source], K)[0][0]
            found.append(_judged(language, source, name, how, best.tokens, best.log_prob))
    return Comparison(" ".join(source), tuple(found))


def _judged(
    language: ToyLanguage,
    source: Sequence[str],
    name: str,
    how: str,
    tokens: tuple,
    log_prob: float,
) -> Row:
    violation = language.explain(source, tokens)
    p_true = math.exp(language.log_prob(source, tokens))
    return Row(
        name,
        how,
        detokenise(tokens),
        math.exp(log_prob),
        p_true,
        None if violation is None else str(violation),
    )
