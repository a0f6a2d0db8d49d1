"""Table 1 in pictures: what each row reaches, and how the students learned; and what each row
writes for one sentence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from matplotlib.figure import Figure

from seqkd_lab.lab.shared.comparison import Comparison
from seqkd_lab.lab.shared.seeds import draw_seeds, write_beyond
from seqkd_lab.lab.shared.showing import Markdown
from seqkd_lab.lab.shared.style import BEAM, GREEDY, panels, ready, role_of, styled
from seqkd_lab.runs.recipes import BASELINE, SEQ_KD, TEACHER, WORD_KD
from seqkd_lab.runs.results import rows_by_seed
from seqkd_lab.studies.table1.table import PAPER, PaperRow

NOUNS = ("Fahrkarte", "Ticket", "Fahrschein")
WITH_CURVES = (TEACHER, BASELINE, WORD_KD, SEQ_KD)
"""The rows whose training is drawn."""


@styled
def table_figure(results: Mapping) -> Figure:
    """Draw the BLEU of each row, greedy and beam: the mean, its 95% interval and every seed; the
    paper's values as triangles.

    Two panels: ours, and the paper's, each with its own scale, since the tasks differ and only the
    shape compares.
    """
    by_seed = rows_by_seed(results)
    figure, (ours, paper) = panels(13, 7, columns=2, width_ratios=[2.2, 1.0], sharey=True)
    names = list(by_seed[0])
    for row, name in enumerate(names):
        in_paper = PAPER.get(name, PaperRow())
        for search, offset, value in ((GREEDY, -0.2, in_paper.greedy), (BEAM, 0.2, in_paper.beam)):
            role, height = role_of(search), row + offset
            values = [rows[name][search]["bleu"] for rows in by_seed]
            mean = draw_seeds(ours, height, values, role.colour, role.marker)
            write_beyond(ours, height, values, f"{mean:.1f}")
            if value is not None:
                paper.plot(value, height, ">", color=role.colour, markersize=10)
                write_beyond(paper, height, [value], f"{value:.1f}")
    ours.set_yticks(range(len(names)), names)
    ours.invert_yaxis()
    beam_size = by_seed[0][names[0]]["beam_size"]
    for search, label in ((GREEDY, "greedy, K = 1"), (BEAM, f"beam, K = {beam_size}")):
        role = role_of(search)
        ours.plot([], [], role.marker, color=role.colour, label=label)
    figure.legend(loc="outside lower center", ncols=2)
    one = len(by_seed) == 1
    seeds = "one seed" if one else f"mean, 95% interval and each of {len(by_seed)} seeds"
    ours.set_title(f"here: {seeds}")
    paper.set_title("Kim & Rush 2016 (WMT)")
    ours.margins(x=0.12)  # room for the numbers beside the marks
    paper.margins(x=0.3)
    for axes in (ours, paper):
        axes.set_xlabel("BLEU (0–100)")
        axes.grid(False)
        ready(axes, "x")
    return figure


@styled
def curves_figure(results: Mapping) -> Figure:
    """Draw the validation loss (NLL of gold, nats a token) of each epoch: one line a seed, one
    panel a model, one scale."""
    by_seed = rows_by_seed(results)
    names = [name for name in WITH_CURVES if name in by_seed[0]]
    figure, axes = panels(4 * len(names), 4.5, columns=len(names), sharey=True, squeeze=False)
    for panel, name in zip(axes[0], names, strict=True):
        for rows in by_seed:
            losses = rows[name]["curves"]["valid_loss"]
            epochs = range(1, len(losses) + 1)
            panel.plot(epochs, losses, alpha=0.6, markersize=4, **role_of(name).line)
        panel.set_title(name)
        panel.set_xlabel("epoch")
    axes[0, 0].set_ylabel("NLL of gold (nats a token)")
    return figure


def ticket_in_words(comparison: Comparison) -> Markdown:
    """Say how many rows translate the ticket without a mistake, which nouns they chose, and what
    that proves."""
    greedy = [row for row in comparison.rows if row.search == "greedy"]
    valid = [row.model for row in greedy if row.fault is None]
    nouns = Counter(noun for row in greedy for noun in NOUNS if noun in row.text)
    chosen = ", ".join(f"*{noun}* {count} times" for noun, count in nouns.most_common())
    changed = len({row.model for row in comparison.rows}) - len(_unchanged(comparison))
    return Markdown(
        f"Greedily, {len(valid)} of {len(greedy)} rows write a valid translation of the "
        f"ticket{': ' + ', '.join(valid) if valid else ''}. The noun is {chosen}. The beam changes "
        f"the translation of {changed} of {len(greedy)} rows. One sentence is an example, not a "
        "result: it says nothing about the other sentences. The table does."
    )


def _unchanged(comparison: Comparison) -> set[str]:
    """Return the models that write the same by both searches."""
    texts: dict[str, set[str]] = {}
    for row in comparison.rows:
        texts.setdefault(row.model, set()).add(row.text)
    return {model for model, written in texts.items() if len(written) == 1}
