"""`seqkd-lab score`: BLEU and chrF of translations in a file, or the paired bootstrap of two
files."""

from __future__ import annotations

import argparse
import json
import sys
import unicodedata
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from seqkd_lab.cli.options import add_tokenize
from seqkd_lab.cli.text_streams import STANDARD, Input
from seqkd_lab.metrics import (
    SEED,
    WORDS,
    PairedDifference,
    TextMetrics,
    TextScore,
    distinct_share,
    paired_bootstrap,
    repeated_share,
    why_not_judged,
)

N_SAMPLES = 1000
DESCRIPTION = """Scores translations by sacreBLEU: BLEU and chrF (0 to 100, more is better), length ratio to the
references, brevity penalty (1: none), and the signatures that make the numbers comparable with others'.

Files are UTF-8, plain or .gz, a translation a line, as people write: detokenised and cased. Line i of every file
belongs to the same sentence. A blank line of translations is scored as an empty one.

With --against, both files are compared on the same sentences: the difference with its 95% interval, and p, by paired
bootstrap (Koehn 2004). A p below 0.05 says that the choice of these sentences hardly explains the difference."""  # noqa: E501
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
        """Return what --json says of it."""
        return {"hypotheses": self.name, "blank_lines": self.blank, **asdict(self.score)}


def add(verbs: argparse._SubParsersAction) -> None:
    """Add the command and its options."""
    score = verbs.add_parser(
        "score",
        help="BLEU and chrF of a file of translations, or the paired bootstrap of two",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    score.add_argument(
        "hypotheses", metavar="HYPOTHESES", help="the translations; - reads standard input"
    )
    score.add_argument(
        "references",
        metavar="REFERENCE",
        nargs="+",
        help="what they should be; several files where a sentence has several good translations",
    )
    score.add_argument(
        "--against", metavar="HYPOTHESES2", help="other translations of the same sentences"
    )
    add_tokenize(score)
    score.add_argument("--json", action="store_true", help="print the numbers as JSON, unrounded")
    score.set_defaults(run=run)


def run(given: Namespace) -> int:
    """`seqkd-lab score`"""
    names = [
        given.hypotheses,
        *([given.against] if given.against is not None else []),
        *given.references,
    ]
    texts = read_together(names)
    systems, streams = texts[: -len(given.references)], texts[-len(given.references) :]
    metrics = TextMetrics.of(streams, given.tokenize)
    scored = [
        System(_shown(name), lines, sum(not line.strip() for line in lines), metrics.score(lines))
        for name, lines in zip(names, systems, strict=False)
    ]
    for note in [
        *notes_on(scored, given.references, streams),
        *too_short(scored, streams, metrics),
    ]:
        print(f"note: {note}", file=sys.stderr)
    compared = compare(*scored, streams[0], metrics) if len(scored) == 2 else None
    if given.json:
        print(as_json(scored, given.references, compared))
    else:
        print(in_words(scored, len(streams), compared))
    return 0


def _shown(name: str) -> str:
    return "standard input" if name == STANDARD else name


def read_together(names: Sequence[str]) -> list[list[str]]:
    """Return the lines of files whose line i belongs together; "-" is standard input.

    Raises ValueError, naming the file, where nothing but blank lines is in it, and, naming both
    files and their numbers of lines, where these differ; CorpusError for a file that cannot be
    read.
    """
    if names.count(STANDARD) > 1:
        raise ValueError(
            "- is standard input, which can be read only once; name a file for the others"
        )
    read: list[list[str]] = []
    for name in names:
        source = Input(name)
        lines = list(source)
        if name != STANDARD:
            source.file.close()
        if not any(line.strip() for line in lines):
            raise ValueError(
                f"{_shown(name)}: no text in {_counted(len(lines), 'line')}, so there is nothing "
                "to score"
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
    """Return what makes the scores other than they seem: tokenised text, and letters written in two
    ways."""
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
                "tokenised text does; detokenise it before its BLEU is compared with others'"
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
            "an accented letter may be two characters there, and then equal words count as "
            "different; convert the file with uconv -x any-nfc"
            for name, number in decomposed.items()
            if number
        ]
    return notes


def too_short(
    systems: Sequence[System], streams: Sequence[Sequence[str]], metrics: TextMetrics
) -> list[str]:
    """Return a note where BLEU is 0 even for the references themselves, which have no run of four
    words."""
    if (
        all(system.score.bleu for system in systems)
        or metrics.bleu.corpus_score(list(streams[0]), None).score
    ):
        return []
    return [
        "no line of the references has four words, and BLEU, which counts runs of one to four, is "
        "0 for any translations of them; read chrF"
    ]


def _is_nfc(line: str) -> bool:
    return unicodedata.is_normalized("NFC", line)


@dataclass(frozen=True)
class Compared:
    """First system − second, in both metrics; or the reason why that says nothing."""

    bleu: PairedDifference | None
    chrf: PairedDifference | None
    reason: str | None = None

    def as_dict(self) -> dict:
        """Return what --json says of it."""
        if self.reason is not None:
            return {"cannot_be_compared": self.reason}
        return {
            "n_samples": N_SAMPLES,
            "seed": SEED,
            **{
                name: {
                    "difference": metric.difference,
                    "interval": list(metric.interval),
                    "p_value": metric.p_value,
                }
                for name, metric in (("bleu", self.bleu), ("chrf", self.chrf))
            },
        }


def compare(
    system: System, other: System, references: Sequence[str], metrics: TextMetrics
) -> Compared:
    """Compare two systems by paired bootstrap, unless one of them cannot be judged.

    How many translations differ is counted by how many references do: a test set may hold a
    sentence many times.
    """
    for each in (system, other):
        distinct = min(1.0, distinct_share(each.texts) / distinct_share(references))
        reason = why_not_judged(
            each.name,
            each.score.bleu,
            distinct,
            repeated_share(each.texts),
            advice="see whether its lines belong to those of the reference",
        )
        if reason is not None:
            return Compared(None, None, reason)
    return Compared(
        *(
            paired_bootstrap(system.texts, other.texts, metric, N_SAMPLES)
            for metric in (metrics.bleu, metrics.chrf)
        )
    )


def in_words(systems: Sequence[System], n_references: int, compared: Compared | None) -> str:
    """Return scores, comparison and signatures for people."""
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
        lines += comparison_in_words(*(system.name for system in systems), compared)
    score = systems[0].score
    return "\n".join([*lines, f"BLEU:  {score.signature}", f"chrF2: {score.chrf_signature}"])


def comparison_in_words(system: str, other: str, compared: Compared) -> list[str]:
    """Return a line for each metric, or the reason why the two cannot be compared."""
    if compared.reason is not None:
        return [f"The two cannot be compared: {compared.reason}."]
    lines = [f"{system} − {other}, paired bootstrap with {N_SAMPLES:,} samples (seed {SEED}):"]
    for name, metric in (("BLEU ", compared.bleu), ("chrF2", compared.chrf)):
        low, high = metric.interval
        interval = f"95% interval [{low:+.2f}, {high:+.2f}]"
        lines.append(f"{name} {metric.difference:+.2f}, {interval}, p = {metric.p_value:.3f}")
    return lines


def as_json(systems: Sequence[System], references: Sequence[str], compared: Compared | None) -> str:
    """Return scores and comparison as JSON."""
    said = {"lines": len(systems[0].texts), "references": list(references), **systems[0].as_dict()}
    if compared is not None:
        said |= {"against": systems[1].as_dict(), "difference": compared.as_dict()}
    return json.dumps(said, indent=1, ensure_ascii=False)
