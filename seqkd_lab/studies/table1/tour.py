"""The tour: one seed of Table 1 from nothing, and examples that show what the numbers mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from seqkd_lab.corpus.toy import ToyLanguage
from seqkd_lab.evaluation import reference_streams
from seqkd_lab.metrics import bleu_metric, chrf_metric, paired_bootstrap
from seqkd_lab.models.folder import HISTORY, TRAINED_ON, load_folder, save_folder
from seqkd_lab.runs.kept import read_history, read_translations
from seqkd_lab.runs.recipes import BASELINE, SEQ_KD, TEACHER, TextData
from seqkd_lab.runs.store import Store
from seqkd_lab.studies.table1.findings import obstacle
from seqkd_lab.studies.table1.table import TableRun

SHOWN = (TEACHER, BASELINE, SEQ_KD)


@dataclass(frozen=True)
class Output:
    """What one model made of a sentence, and what is wrong with it (None: nothing, or the truth is
    not known)."""

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


def copy_models(run: TableRun, store: Store, directory: Path) -> list[Path]:
    """Write the first seed's model of every row to a folder of its row's name, and return the
    folders.

    The store's own folders have names that only programs like, and another tour may share them.
    """
    folders = []
    for name, recipe in run.recipes(run.seeds[0]).items():
        folders.append(directory / name)
        history = read_history(store.kept(recipe, HISTORY))
        if isinstance(run.data, TextData):
            history[TRAINED_ON] = {"n_pairs": run.data.n_train}
        save_folder(folders[-1], load_folder(store.directory(recipe)), history)
    return folders


def examples(run: TableRun, store: Store, most: int = 6) -> list[Example]:
    """Return the first test sentences of which greedy and beam search of the baseline differ: there
    is something to see."""
    seed, data = run.seeds[0], store.dataset(run.data)
    shown = {name: recipe for name, recipe in run.recipes(seed).items() if name in SHOWN}
    made = {
        name: read_translations(store.kept(recipe, "translations.tsv"))
        for name, recipe in shown.items()
    }
    telling = BASELINE if BASELINE in made else next(iter(made))
    rows = [row for row, (_, greedy, beam, *_) in enumerate(made[telling]) if greedy != beam][:most]
    return [
        Example(
            source=data.detokenise(data.test.source[row]),
            reference=data.detokenise(data.test.target[row]),
            outputs=tuple(
                _output(name, found[row], data.test.source[row], data.language)
                for name, found in made.items()
            ),
        )
        for row in rows
    ]


def _output(
    name: str, columns: Sequence[str], source: Sequence[str], language: ToyLanguage | None
) -> Output:
    _, greedy, beam, greedy_tokens, beam_tokens = columns
    faults = [
        None if language is None else fault(language, source, text)
        for text in (greedy_tokens, beam_tokens)
    ]
    return Output(name, greedy, beam, *faults)


def fault(language: ToyLanguage, source: Sequence[str], tokens: str) -> str | None:
    """Which rule a translation of the toy language (tokens between spaces) breaks, in words; None
    for a valid one."""
    violation = language.explain(tuple(source), tuple(tokens.split()))
    return None if violation is None else str(violation)


def paired_comparison(run: TableRun, store: Store) -> str:
    """Seq-KD against the baseline on the first seed's test set, greedy: the differences in BLEU and
    chrF, by paired bootstrap their 95% intervals and p; or why the two cannot be compared.

    The bootstrap resamples test sentences: it says how sure the difference of these two models is,
    not of two methods.
    """
    data, recipes = store.dataset(run.data), run.recipes(run.seeds[0])
    rows = {
        name: store.evaluation(recipe, run.preset.beam_size, run.preset.length_penalty)
        for name, recipe in recipes.items()
        if name in SHOWN
    }
    reason = obstacle([rows], (BASELINE, SEQ_KD))
    if reason is not None:
        return f"These two models: Seq-KD and the baseline cannot be compared: {reason}."
    system, other = (
        [row[1] for row in read_translations(store.kept(recipes[name], "translations.tsv"))]
        for name in (SEQ_KD, BASELINE)
    )
    streams, tokenize = (
        reference_streams(data.test, data.detokenise),
        getattr(run.data, "tokenize", None),
    )
    bleu = paired_bootstrap(system, other, bleu_metric(streams, tokenize))
    said = (
        f"These two models: Seq-KD {bleu.difference:+.1f} BLEU over the baseline, greedy; paired "
        f"bootstrap over {len(data.test):,} test sentences: p = {bleu.p_value:.3f}"
    )
    if data.language is not None:
        return said
    chrf = paired_bootstrap(system, other, chrf_metric(streams[:1]))
    (low, high), (chrf_low, chrf_high) = bleu.interval, chrf.interval
    return (
        f"{said}, 95% interval [{low:+.1f}, {high:+.1f}]. chrF: {chrf.difference:+.1f}, p = "
        f"{chrf.p_value:.3f}, 95% interval [{chrf_low:+.1f}, {chrf_high:+.1f}]"
    )
