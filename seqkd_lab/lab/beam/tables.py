"""What several searches wrote for one sentence, with as many digits of log p as tell the
translations apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from seqkd_lab.corpus.toy import ToyLanguage
from seqkd_lab.corpus.toy.dataset import detokenise
from seqkd_lab.lab.beam.search_measures import Outputs
from seqkd_lab.lab.shared.digits import deciding_digits, shown_log_prob
from seqkd_lab.lab.shared.exercises.showing import FAILED, PASSED

HEADS = ("model", "search", "translation", "log p by the model", "judged by the language")


@dataclass(frozen=True)
class Row:
    """One translation: by which model and search, log p by the model in nats, and what is wrong
    with it."""

    model: str
    search: str
    text: str
    log_prob: float
    fault: str | None


@dataclass(frozen=True)
class SideBySide:
    """The translations of one sentence; as HTML a table, as text a line each."""

    sentence: str
    rows: tuple[Row, ...]

    def log_prob_of(self, row: Row) -> str:
        """A row's log p, with the digits at which the different translations of its model
        differ."""
        own = {other.text: other.log_prob for other in self.rows if other.model == row.model}
        return shown_log_prob(row.log_prob, deciding_digits(list(own.values())))

    def _repr_html_(self) -> str:
        heads = "".join(f'<th scope="col" style="text-align: left">{head}</th>' for head in HEADS)
        return f"<p><b>{escape(self.sentence)}</b></p><table><tr>{heads}</tr>{''.join(map(self._line, self.rows))}</table>"

    def _line(self, row: Row) -> str:
        cells = "".join(
            f'<td style="text-align: left">{escape(cell)}</td>'
            for cell in (row.model, row.search, row.text, self.log_prob_of(row))
        )
        colour = PASSED if row.fault is None else FAILED
        return (
            f'<tr>{cells}<td style="text-align: left; color: '
            f'{colour}">{escape(_verdict(row))}</td></tr>'
        )

    def __repr__(self) -> str:
        lines = [
            f"{row.model:10}{row.search:9}{self.log_prob_of(row):>9}  {row.text}  {_verdict(row)}"
            for row in self.rows
        ]
        return "\n".join([self.sentence, *lines])


def _verdict(row: Row) -> str:
    return "✓ valid" if row.fault is None else f"✗ {row.fault}"


def side_by_side(
    found: Mapping[str, Mapping[int, Outputs]],
    beam_sizes: Sequence[int],
    place: int,
    source: Sequence[str],
    language: ToyLanguage,
) -> SideBySide:
    """Shows what each of the models wrote for the sentence at `place` with each of these beam
    sizes."""
    rows = []
    for name, by_size in found.items():
        for K in beam_sizes:
            hypothesis = by_size[K].found[place]
            fault = language.explain(tuple(source), hypothesis.tokens)
            rows.append(
                Row(
                    name,
                    "greedy" if K == 1 else f"beam {K}",
                    detokenise(hypothesis.tokens),
                    hypothesis.log_prob,
                    None if fault is None else str(fault),
                )
            )
    return SideBySide(" ".join(source), tuple(rows))
