"""Writes the tables of OWN_TEXT.md that are made from code and results: the presets, and the table
of Multi30k.

`python tools/own_text_tables.py` writes them; a test compares what stands there with what this
makes.
"""

from __future__ import annotations

import re
from pathlib import Path

from seqkd_lab.models.architectures import Spec, name_of
from seqkd_lab.runs.committed import results_path
from seqkd_lab.runs.presets import PRESETS
from seqkd_lab.runs.recipes import BASELINE, SEQ_KD, Preset
from seqkd_lab.runs.results import rows_by_seed
from seqkd_lab.runs.verdicts import number, summary
from seqkd_lab.studies.table1.findings import judge
from seqkd_lab.studies.table1.table import read_results, said_of_teacher, table_frame

PAGE = Path(__file__).resolve().parent.parent / "OWN_TEXT.md"
BLOCK = re.compile(
    r"(<!-- (\w+): made by tools/own_text_tables.py -->\n).*?(<!-- end -->)", re.DOTALL
)
SHOWN = (
    "parameters",
    "BLEU K=1",
    "BLEU K=5",
    "chrF K=1",
    "chrF K=5",
    "PPL of gold",
    "p(ŷ) in %",
    "length ratio",
)


def for_text() -> dict[str, Preset]:
    """Return the presets of real text: those whose search divides by the length."""
    return {name: preset for name, preset in PRESETS.items() if preset.length_penalty}


def size(spec: Spec) -> str:
    """Say in a few words how large a model is."""
    layers = f", {spec.layers} layers" if spec.layers > 1 else ""
    return f"{'LSTM' if name_of(spec) == 'lstm' else 'Transformer'} {spec.width}{layers}"


def presets() -> str:
    """Return the presets of real text as a table."""
    rows = [
        "| preset | teacher | student | epochs, sentences an update | pairs taken | subwords |",
        "|---|---|---|---|---|---|",
    ]
    for name, preset in for_text().items():
        trained = [
            f"{how.epochs}, {how.batch_size}"
            for how in (preset.teacher_training, preset.student_training)
        ]
        pairs = "all" if preset.n_pairs is None else f"{preset.n_pairs:,}"
        rows.append(
            f"| `{name}` | {size(preset.teacher)} | {size(preset.student)} | {'; '.join(trained)} "
            f"| {pairs} | {preset.vocabulary_size:,} |"
        )
    return "\n".join(rows) + "\n"


def multi30k() -> str:
    """Return the committed table of Multi30k and the verdicts on it."""
    results = read_results(results_path("multi30k.json"))
    frame, by_seed = table_frame(results), rows_by_seed(results)
    columns = [column for column in SHOWN if column in frame.columns]
    lines = [f"| | {' | '.join(columns)} |", f"|---{'|---' * len(columns)}|"]
    for name, row in frame.iterrows():
        cells = [
            re.sub(r" \[[^]]*\]", "", row[column]) for column in columns
        ]  # without the paper's numbers
        lines.append(f"| {name} | {' | '.join(cells)} |")
    verdicts = judge(by_seed)
    ratio = by_seed[0][SEQ_KD]["distilled"]["length_ratio"]
    lines += [
        "",
        *said_of_teacher(results),
        f"In the distilled corpus the teacher wrote {ratio:.2f} subwords per subword of the "
        "references"
        + (
            ": it prefers common words, which have fewer, and shortens long sentences."
            if ratio < 0.9
            else "."
        ),
    ]
    lines += [f"BLEU: `{by_seed[0][BASELINE]['signature']}`.", "", summary(verdicts), ""]
    lines += ["| finding | verdict | claim | mean |", "|---|---|---|---|"]
    lines += [
        f"| {verdict.claim.name} | {verdict.outcome} | {verdict.claim.ours} | "
        f"{number(verdict.mean)} |"
        for verdict in verdicts
    ]
    return "\n".join(lines) + "\n"


MADE = {"presets": presets, "multi30k": multi30k}


def with_tables(page: str) -> str:
    """Return the page with each block made anew."""
    return BLOCK.sub(lambda block: f"{block[1]}{MADE[block[2]]()}{block[3]}", page)


if __name__ == "__main__":
    PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8")), encoding="utf-8", newline="\n")
