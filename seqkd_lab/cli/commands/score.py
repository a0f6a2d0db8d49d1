"""`seqkd-lab score`: BLEU and chrF of a file of translations, or the paired bootstrap of two
files."""

from __future__ import annotations

import argparse
import json
import sys
import unicodedata
from argparse import Namespace
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from seqkd_lab.cli.options import TOKENIZE
from seqkd_lab.cli.text_streams import STANDARD, Input
from seqkd_lab.corpus.reading import held
from seqkd_lab.corpus.visible import HIDDEN_IN_LINES
from seqkd_lab.metrics import (
    SEED,
    PairedDifference,
    TextMetrics,
    TextScore,
    distinct_share,
    paired_bootstrap,
    repeated_share,
    why_not_judged,
)
from seqkd_lab.tokenisers import WORDS

N_SAMPLES = 1000
DESCRIPTION = """Scores translations with sacreBLEU: BLEU and chrF (0 to 100, higher is better),
length ratio to the references, brevity penalty (1: none), and the signatures that make the numbers
comparable with others.

Files are UTF-8, plain or .gz, with one detokenised, cased translation per line. Line i of every
file belongs to the same sentence. A blank line is scored as an empty translation.

With --against, both files are compared on the same sentences: the difference with its 95% interval,
and p, by paired bootstrap (Koehn 2004). A p below 0.05 means that the choice of these sentences
hardly explains the difference."""
EPILOG = """examples:
  seqkd-lab score student.de test.de
  seqkd-lab score student.de test.1.de test.2.de --json
  seqkd-lab score seq-kd.de test.de --against baseline.de
  seqkd-lab translate --model student --input test.en | seqkd-lab score - test.de
"""


@dataclass(frozen=True)
class System:
    """A file of translations: its lines, how many are blank, and their scores."""

    name: str
    texts: list[str]
    blank: int
    score: TextScore

    def as_dict(self) -> dict:
        """Return its part of the output of --json."""
        return {"hypotheses": self.name, "blank_lines": self.blank, **asdict(self.score)}


def add(verbs: argparse._SubParsersAction) -> None:
    """Add the command and its options."""
    score = verbs.add_parser(
        "score",
        parents=[TOKENIZE],
        help="BLEU and chrF of translations, or the paired bootstrap of two files",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    score.add_argument(
        "hypotheses", metavar="HYPOTHESES", help="translations to score; - is standard input"
    )
    score.add_argument(
        "references",
        metavar="REFERENCE",
        nargs="+",
        help="reference translations; several files if there are several references per sentence",
    )
    score.add_argument(
        "--against",
        metavar="HYPOTHESES2",
        help="a second system's translations of the same sentences, to compare with",
    )
    score.add_argument("--json", action="store_true", help="print unrounded numbers as JSON")
    score.set_defaults(run=run)


def run(arguments: Namespace) -> int:
    """Run `seqkd-lab score`; return the exit code."""
    names = [
        arguments.hypotheses,
        *([arguments.against] if arguments.against is not None else []),
        *arguments.references,
    ]
    texts = read_together(names)
    systems, streams = texts[: -len(arguments.references)], texts[-len(arguments.references) :]
    metrics = TextMetrics.of(streams, arguments.tokenize)
    scored = [
        System(_shown(name), lines, sum(not line.strip() for line in lines), metrics.score(lines))
        for name, lines in zip(names, systems, strict=False)
    ]
    for note in [
        *notes_on(scored, arguments.references, streams),
        *too_short(scored, streams, metrics),
    ]:
        print(f"note: {note}", file=sys.stderr)
    compared = None
    if len(scored) == 2:
        compared = compare(scored[0], scored[1], streams[0], metrics)
    if arguments.json:
        print(as_json(scored, arguments.references, compared))
    else:
        print(in_words(scored, len(streams), compared))
    return 0


def _shown(name: str) -> str:
    return "standard input" if name == STANDARD else name


def read_together(names: Sequence[str]) -> list[list[str]]:
    """Return the lines of files whose line i belongs together; "-" is standard input.

    Raise ValueError, naming the file, where nothing but blank lines is in it, and, naming both
    files and their numbers of lines, where these differ; CorpusError for a file that cannot be
    read.
    """
    if names.count(STANDARD) > 1:
        raise ValueError(
            "- is standard input, which can be read only once; name files for the others"
        )
    read: list[list[str]] = []
    for name in names:
        source = Input(name)
        lines = held(source, _shown(name))
        if name != STANDARD:
            source.file.close()
        if not any(line.strip() for line in lines):
            raise ValueError(
                f"{_shown(name)}: nothing to score: no text in {_counted(len(lines), 'line')}"
            )
        if read and len(lines) != len(read[0]):
            raise ValueError(
                f"{_shown(name)} has {_counted(len(lines), 'line')} and {_shown(names[0])} has "
                f"{len(read[0]):,}: line i of each file must belong to the same sentence"
            )
        read.append(lines)
    return read


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def notes_on(
    systems: Sequence[System], references: Sequence[str], streams: Sequence[Sequence[str]]
) -> list[str]:
    """Return notes on what distorts the scores: tokenised text, blank references, and letters that
    are written in two ways."""
    files = [
        *((system.name, system.texts) for system in systems),
        *zip(references, streams, strict=True),
    ]
    notes = []
    for name, lines in files:
        n_tokenised = sum(line.rstrip().endswith(" .") for line in lines)
        if f"tok:{WORDS}" in systems[0].score.signature and 2 * n_tokenised > len(lines):
            notes.append(
                f"{n_tokenised:,} of {_counted(len(lines), 'line')} of {name} end in ' .', as "
                "tokenised text does; detokenise it before comparing its BLEU with others'"
            )
    blank = {name: sum(not line.strip() for line in lines) for name, lines in files[len(systems) :]}
    notes += [
        f"blank lines in {name}: {number:,}; nothing can match a blank reference"
        for name, number in blank.items()
        if number
    ]
    decomposed = {name: sum(not _is_nfc(line) for line in lines) for name, lines in files}
    if min(decomposed.values()) == 0:
        notes += [
            f"lines of {name} that are not in Unicode's NFC, unlike the other files: {number:,}; "
            "an accented letter may be two characters there, so that equal words count as "
            "different; convert the file with uconv -x any-nfc"
            for name, number in decomposed.items()
            if number
        ]
    return notes


def too_short(
    systems: Sequence[System], streams: Sequence[Sequence[str]], metrics: TextMetrics
) -> list[str]:
    """Return a note where BLEU is 0 even for the references themselves, since no line has four
    words."""
    if (
        all(system.score.bleu for system in systems)
        or metrics.bleu.corpus_score(list(streams[0]), None).score
    ):
        return []
    return [
        "no line of the references has four words, so BLEU, which counts n-grams of one to four "
        "words, is 0 for any translations; use chrF"
    ]


def _is_nfc(line: str) -> bool:
    return unicodedata.is_normalized("NFC", line)


@dataclass(frozen=True)
class Compared:
    """The differences first system − second by metric ("bleu", "chrf"), or the reason why they say
    nothing."""

    differences: Mapping[str, PairedDifference]
    reason: str | None = None

    def as_dict(self) -> dict:
        """Return its part of the output of --json."""
        if self.reason is not None:
            return {"cannot_be_compared": self.reason}
        return {
            "n_samples": N_SAMPLES,
            "seed": SEED,
            **{
                metric: {
                    "difference": compared.difference,
                    "interval": list(compared.interval),
                    "p_value": compared.p_value,
                }
                for metric, compared in self.differences.items()
            },
        }


def compare(
    system: System, other: System, references: Sequence[str], metrics: TextMetrics
) -> Compared:
    """Compare two systems by paired bootstrap, unless one of them cannot be judged.

    How many translations differ is counted by how many references do: a test set may hold a
    sentence many times.
    """
    for judged in (system, other):
        distinct = min(1.0, distinct_share(judged.texts) / distinct_share(references))
        reason = why_not_judged(
            judged.name,
            judged.score.bleu,
            distinct,
            repeated_share(judged.texts),
            advice="check that its lines correspond to those of the reference",
        )
        if reason is not None:
            return Compared({}, reason)
    return Compared(
        {
            name: paired_bootstrap(system.texts, other.texts, metric, N_SAMPLES)
            for name, metric in (("bleu", metrics.bleu), ("chrf", metrics.chrf))
        }
    )


def in_words(systems: Sequence[System], n_references: int, compared: Compared | None) -> str:
    """Return scores, comparison and signatures as text."""
    n, width = len(systems[0].texts), max(len(system.name) for system in systems)
    lines = [
        f"{_counted(n, 'line')}, {_counted(n_references, 'reference')}",
        f"{'':{width}}   BLEU  chrF2  length ratio  brevity penalty  blank lines",
    ]
    for system in systems:
        score = system.score
        lines.append(
            f"{system.name:{width}} {score.bleu:6.2f} {score.chrf:6.2f} {score.length_ratio:13.3f} "
            f"{score.brevity_penalty:16.3f} {system.blank:12,}"
        )
    if compared is not None:
        lines += comparison_in_words(systems[0].name, systems[1].name, compared)
    score = systems[0].score
    return "\n".join([*lines, f"BLEU:  {score.signature}", f"chrF2: {score.chrf_signature}"])


def comparison_in_words(system: str, other: str, compared: Compared) -> list[str]:
    """Return a line for each metric, or the reason why the two cannot be compared."""
    if compared.reason is not None:
        return [f"The two cannot be compared: {compared.reason}."]
    lines = [f"{system} − {other}, paired bootstrap with {N_SAMPLES:,} samples (seed {SEED}):"]
    for name, metric in (("BLEU ", "bleu"), ("chrF2", "chrf")):
        difference = compared.differences[metric]
        low, high = difference.interval
        interval = f"95% interval [{low:+.2f}, {high:+.2f}]"
        lines.append(
            f"{name} {difference.difference:+.2f}, {interval}, p = {difference.p_value:.3f}"
        )
    return lines


def as_json(systems: Sequence[System], references: Sequence[str], compared: Compared | None) -> str:
    """Return scores and comparison as JSON."""
    report = {
        "lines": len(systems[0].texts),
        "references": list(references),
        **systems[0].as_dict(),
    }
    if compared is not None:
        report |= {"against": systems[1].as_dict(), "difference": compared.as_dict()}
    text = json.dumps(report, indent=1, ensure_ascii=False)
    return HIDDEN_IN_LINES.sub(lambda match: json.dumps(match[0])[1:-1], text)
