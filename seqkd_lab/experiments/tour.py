"""The tour: one seed of Table 1 from nothing, and examples that show what the numbers mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from seqkd_lab.corpus.toy import ToyLanguage
from seqkd_lab.evaluation import paired_difference, reference_streams
from seqkd_lab.experiments.recipes import BASELINE, SEQ_KD, TEACHER
from seqkd_lab.experiments.store import Store
from seqkd_lab.experiments.table import TableRun

SHOWN = (TEACHER, BASELINE, SEQ_KD)


@dataclass(frozen=True)
class Output:
    """What one model made of a sentence, and what is wrong with it (None: nothing, or the truth is not known)."""

    model: str
    greedy: str
    beam: str
    greedy_fault: str | None
    beam_fault: str | None


@dataclass(frozen=True)
class Example:
    """A test sentence, one reference, and the models' outputs, as written text."""

    source: str
    reference: str
    outputs: tuple[Output, ...]


def read_translations(path: Path) -> list[list[str]]:
    """(source, greedy, beam, greedy tokens, beam tokens) of each test sentence, as the store wrote them."""
    lines = path.read_text(encoding="utf-8").rstrip("\n").split("\n")[1:]
    return [line.split("\t") for line in lines]


def examples(run: TableRun, store: Store, most: int = 6) -> list[Example]:
    """The first test sentences of which greedy and beam search of the baseline differ: there is something to see."""
    seed, data = run.seeds[0], store.dataset(run.data)
    shown = {name: recipe for name, recipe in run.recipes(seed).items() if name in SHOWN}
    made = {name: read_translations(store.directory(recipe) / "translations.tsv") for name, recipe in shown.items()}
    telling = BASELINE if BASELINE in made else next(iter(made))
    rows = [row for row, (_, greedy, beam, *_) in enumerate(made[telling]) if greedy != beam][:most]
    return [
        Example(
            source=data.detokenise(data.test.source[row]), reference=data.detokenise(data.test.target[row]),
            outputs=tuple(
                _output(name, found[row], data.test.source[row], data.language) for name, found in made.items()
            ),
        )
        for row in rows
    ]


def _output(name: str, columns: Sequence[str], source: Sequence[str], language: ToyLanguage | None) -> Output:
    _, greedy, beam, greedy_tokens, beam_tokens = columns
    faults = [None if language is None else fault(language, source, text) for text in (greedy_tokens, beam_tokens)]
    return Output(name, greedy, beam, *faults)


def fault(language: ToyLanguage, source: Sequence[str], tokens: str) -> str | None:
    """Which rule a translation of the toy language (tokens between spaces) breaks, in words; None for a valid one."""
    violation = language.explain(tuple(source), tuple(tokens.split()))
    return None if violation is None else str(violation)


def paired_comparison(run: TableRun, store: Store) -> str:
    """Seq-KD against the baseline on the first seed's test set, greedy: the difference, and by paired bootstrap its p.

    The bootstrap resamples test sentences: it says how sure the difference of these two models is, not of two methods.
    """
    data, recipes = store.dataset(run.data), run.recipes(run.seeds[0])
    texts = {
        name: [row[1] for row in read_translations(store.directory(recipes[name]) / "translations.tsv")]
        for name in (BASELINE, SEQ_KD)
    }
    streams = reference_streams(data.test, data.detokenise)
    found = paired_difference(texts[SEQ_KD], texts[BASELINE], streams)
    return (
        f"These two models: Seq-KD {found['system'] - found['other']:+.1f} BLEU over the baseline, greedy; paired "
        f"bootstrap over {len(data.test):,} test sentences: p = {found['p_value']:.3f}"
    )
