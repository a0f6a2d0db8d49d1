"""The tour's report: one HTML file that opens anywhere, with the table, the findings, the pictures
and examples."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

from matplotlib.figure import Figure

from seqkd_lab.files import write_atomically
from seqkd_lab.lab.paper_table.table import curves_figure, table_figure
from seqkd_lab.lab.shared.showing import png
from seqkd_lab.runs.results import rows_by_seed
from seqkd_lab.runs.verdicts import HELD, Verdict, number, summary
from seqkd_lab.studies.table1.findings import judge
from seqkd_lab.studies.table1.table import signatures, table_frame
from seqkd_lab.studies.table1.tour import Example, Output
from seqkd_lab.studies.table1.why_no_gain import why_no_gain

STYLE = """
body { font: 16px/1.5 sans-serif; max-width: 75rem; margin: 2rem auto; padding: 0 1rem; color: #111; }
table { border-collapse: collapse; font-size: 14px; } th, td { padding: .3rem .6rem; border: 1px solid #ccc; }
th { background: #f3f3f3; text-align: left; } img { max-width: 100%; } .fault { color: #9a3b00; }
"""  # noqa: E501


def picture(figure: Figure, description: str) -> str:
    """`figure` inside HTML, with a description for those who do not see it."""
    encoded = base64.b64encode(png(figure, dots_per_inch=110)).decode()
    return f'<img alt="{escape(description)}" src="data:image/png;base64,{encoded}">'


def report_html(results: Mapping, shown: Sequence[Example], title: str) -> str:
    """The whole report. Every text of a corpus or a model is escaped."""
    verdicts = judge(rows_by_seed(results))
    made_with = ", ".join(f"{name} {version}" for name, version in results["made_with"].items())
    explanation = why_no_gain(results)
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title><style>{STYLE}</style></head><body>
<h1>{escape(title)}</h1>
<p>In square brackets: Kim &amp; Rush 2016, Table 1 (English→German, newstest2014), where the number is confirmed.
The corpora and sizes differ, so the differences between rows compare, not the rows themselves.</p>
{table_frame(results).to_html(border=0, escape=True)}
<p>{"<br>".join(map(escape, signatures(results)))}</p>
{picture(table_figure(results), "BLEU of each row, greedy and beam search, beside the paper's")}
<h2>The paper's findings, judged</h2>
<p>A claim is held where the whole 95% interval of its value lies within its bounds, not held where all of the interval
lies outside, and undecided between. A single seed has no interval: it leaves every claim undecided. Models that have
not learned to translate cannot be judged.</p>
<table><tr><th>finding</th><th></th><th>claim</th><th>value</th><th>the paper</th></tr>
{"".join(map(verdict_html, verdicts))}</table>
<p>{escape(summary(verdicts))}</p>{"" if explanation is None else f"<p>{escape(explanation)}</p>"}
<h2>How the models learned</h2>
{picture(curves_figure(results), "validation loss of each epoch, one panel for each model")}
<h2>Examples</h2>
{"".join(map(example_html, shown))}
<p>Made with {escape(made_with)}.</p></body></html>
"""  # noqa: E501


def verdict_html(verdict: Verdict) -> str:
    """Return a table's row for a claim judged, without a value where it cannot be judged; every
    text is escaped."""
    claim, outcome = verdict.claim, escape(verdict.outcome)
    cells = (
        escape(claim.name),
        outcome if verdict.outcome == HELD else f"<b>{outcome}</b>",
        escape(claim.ours),
        "–" if verdict.reason else number(verdict.mean),
        escape(claim.original),
    )
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def example_html(example: Example) -> str:
    """One sentence and what each model made of it, with what is wrong."""
    rows = "".join(
        f"<tr><th>{escape(output.model)}</th>{_cells(output)}</tr>" for output in example.outputs
    )
    return (
        f"<h3 lang='en'>{escape(example.source)}</h3><p>A reference: "
        f"{escape(example.reference)}</p><table><tr><th></th><th>greedy</th><th>beam</th></tr>{rows}</table>"
    )


def _cells(output: Output) -> str:
    pairs = ((output.greedy, output.greedy_fault), (output.beam, output.beam_fault))
    return "".join(
        f"<td>{escape(text)}{'' if fault is None else f'<br><span class=fault>✗ {escape(fault)}</span>'}</td>"  # noqa: E501
        for text, fault in pairs
    )


def write_report(directory: Path, results: Mapping, shown: Sequence[Example], title: str) -> Path:
    """Writes report.html and the table's picture to `directory`; returns the report's path."""
    path = directory / "report.html"
    write_atomically(path, report_html(results, shown, title).encode())
    write_atomically(directory / "table1.png", png(table_figure(results)))
    return path
