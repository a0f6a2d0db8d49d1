"""From six files of text to a folder of an encoded corpus: in parts, by several processes, and an
interrupt costs the parts that were at work.

The parts lie in FOLDER.unfinished until FOLDER is whole, which then appears at once.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import filelock

from seqkd_lab.corpus.cleaning import HELD_OUT, CleaningReport, clean
from seqkd_lab.corpus.mapped.description import (
    DESCRIPTION,
    REVISION,
    SUBWORDS,
    Description,
    Pairs,
    read_description,
    write_description,
)
from seqkd_lab.corpus.mapped.joining import (
    SIDES,
    KeptPairs,
    reasons_of,
    unknown_in_words,
    vocabulary_of,
    write_side,
)
from seqkd_lab.corpus.mapped.text import (
    MOST_SAMPLED,
    PART_BYTES,
    PART_LINES,
    AlignedFiles,
    check_aligned,
    sample_of,
)
from seqkd_lab.corpus.mapped.workers import cut_all
from seqkd_lab.corpus.own_subwords import try_subwords
from seqkd_lab.corpus.parallel import CorpusError, RawPairs
from seqkd_lab.corpus.reading import read_aligned
from seqkd_lab.corpus.subwords import SubwordTokeniser
from seqkd_lab.files import make_folder, read_json, sha256_of, sweep, write_atomically, write_json

Report = Callable[[int, int], None]
"""Is called with how many lines are cut, and how many there are."""
Say = Callable[[str], None]

KEY, REASONS, JOINED, LOCK = "key.json", "reasons.npy", "joined", "lock"


@dataclass(frozen=True)
class Text:
    """Six files and how they are cut. fingerprint: sha256 (hex) of all that decides the result;
    subwords: a sentencepiece model of one's own, else at most `vocabulary_size` are learnt."""

    train: AlignedFiles
    held_out: dict[str, AlignedFiles]
    fingerprint: str
    vocabulary_size: int
    character_coverage: float = 1.0
    subwords: str | None = None

    @property
    def key(self) -> dict[str, str | int]:
        """Return all that decides the parts."""
        return {
            "revision": REVISION,
            "text": self.fingerprint,
            "part_lines": PART_LINES,
            "part_bytes": PART_BYTES,
            "sampled": MOST_SAMPLED,
        }


def encode_text(text: Text, folder: Path, n_workers: int, report: Report, say: Say) -> Description:
    """Write the encoded corpus of `text` to `folder`, or go on with what an interrupted run left of
    it; return its description. What is there already is left as it is.

    Raise CorpusError for text that cannot be used, and where `folder` holds something else; OSError
    where the disk is full or not writable.
    """
    known = _there_already(text, folder)
    if known is not None:
        say(f"{folder}: this corpus is there already")
        return known
    unfinished = folder.with_name(f"{folder.name}.unfinished")
    make_folder(unfinished)
    with _alone(unfinished):
        _settle(unfinished, text, say)
        n_lines = check_aligned(text.train)
        held_out = {split: _cleaned(files, split) for split, files in text.held_out.items()}
        notes = _subwords(text, unfinished / SUBWORDS, say)
        parts = cut_all(text.train, unfinished, n_lines, n_workers, report)
        description = _join(text, held_out, unfinished, parts, notes)
        (unfinished / JOINED).replace(folder)
    shutil.rmtree(unfinished, ignore_errors=True)
    return description


def _there_already(text: Text, folder: Path) -> Description | None:
    """Return the description of `folder` where it is this corpus; None where there is nothing.
    Raise CorpusError for anything else."""
    if not folder.name or folder.exists() and folder.samefile(Path.cwd()):
        raise CorpusError(f"{folder}: is the current folder; name one within it by --out")
    if not folder.exists() or folder.is_dir() and not any(folder.iterdir()):
        return None
    if (folder / DESCRIPTION).is_file():
        description = read_description(folder)
        if description.text == text.fingerprint:
            return description
        raise CorpusError(
            f"{folder}: holds the corpus of another text, or one that was cut otherwise; name "
            "another folder by --out, or delete it"
        )
    raise CorpusError(f"{folder}: is there already; name another folder by --out, or delete it")


@contextmanager
def _alone(unfinished: Path) -> Iterator[None]:
    """Keep other processes out of the folder. Raise CorpusError where one is at work there."""
    try:
        with filelock.FileLock(unfinished / LOCK, timeout=0):
            yield
    except filelock.Timeout as error:
        raise CorpusError(
            f"{unfinished}: another process is encoding this corpus; wait for it, or name another "
            "folder by --out"
        ) from error


def _settle(unfinished: Path, text: Text, say: Say) -> None:
    """Keep the parts only if they are of this text, cut as it is to be cut."""
    sweep(unfinished)
    shutil.rmtree(unfinished / JOINED, ignore_errors=True)
    if (unfinished / KEY).exists() and read_json(unfinished / KEY) == text.key:
        say(f"{unfinished}: continuing with the parts that are there")
        return
    left = [path for path in unfinished.iterdir() if path.name != LOCK]
    if left:
        say(f"{unfinished}: was left by other work (another text, or option), and is replaced")
    for path in left:
        if path.suffix in (".npz", ".npy", ".json", ".model", ".txt"):
            path.unlink()
        else:
            raise CorpusError(f"{path}: is not of an unfinished corpus; move it elsewhere")
    write_json(unfinished / KEY, text.key)


NOTES = "notes.json"


def _subwords(text: Text, path: Path, say: Say) -> list[str]:
    """Write the model that cuts the text, if it is not there yet; return in words what a brought
    one changes."""
    notes = path.with_name(NOTES)
    if path.exists() and notes.exists():
        return read_json(notes, list[str])
    said: list[str] = []
    sample = sample_of(text.train)
    if text.subwords is not None:
        tokeniser = SubwordTokeniser.load(Path(text.subwords))
        for side in SIDES:
            said.append(try_subwords(tokeniser, getattr(sample, side), f"{text.subwords} ({side})"))
    else:
        kept, _ = clean(sample)
        say(f"learning subwords from {len(kept):,} pairs")
        tokeniser = SubwordTokeniser.train(
            chain(kept.source, kept.target), text.vocabulary_size, text.character_coverage
        )
    tokeniser.save(path)
    said = list(filter(None, said))
    write_json(notes, said)
    return said


HeldOut = dict[str, tuple[RawPairs, CleaningReport]]


def _cleaned(files: AlignedFiles, split: str) -> tuple[RawPairs, CleaningReport]:
    """Return the pairs of a held-out split, which are few enough for the memory."""
    return clean(read_aligned(files.source, files.target, split=split), HELD_OUT)


def _join(
    text: Text, held_out: HeldOut, unfinished: Path, parts: list[Path], notes: list[str]
) -> Description:
    """Write the whole folder beside the parts."""
    joined = unfinished / JOINED
    joined.mkdir()
    tokeniser = SubwordTokeniser.load(unfinished / SUBWORDS)
    reasons = reasons_of(parts, unfinished / REASONS)
    report = reasons.report()
    pairs = KeptPairs(parts, reasons)
    said, sides = [str(report)], []
    for side in SIDES:
        counts = pairs.counts(side, len(tokeniser))
        words = vocabulary_of(counts, tokeniser)
        words.save(joined / f"{side}.vocabulary.json")
        sides.append(write_side(joined, pairs, side, tokeniser, words))
        notes = [*notes, unknown_in_words(side, counts, tokeniser)]
    tokeniser.save(joined / SUBWORDS)
    for split, (raw, dropped) in held_out.items():
        _write_text(joined, split, raw)
        said.append(str(dropped))
    description = Description(
        revision=REVISION,
        text=text.fingerprint,
        read=report.read,
        pairs=report.kept,
        train=Pairs(*sides),
        files={path.name: sha256_of(path) for path in sorted(joined.iterdir()) if _is_small(path)},
        cleaning=[*said, *filter(None, notes)],
    )
    write_description(joined, description)
    return description


def _is_small(path: Path) -> bool:
    """Return whether a file of the folder is read as a whole."""
    return path.suffix != ".npy"


def _write_text(folder: Path, split: str, pairs: RawPairs) -> None:
    """Write the sentences of a held-out split, as a person and `seqkd-lab translate` can read
    them."""
    for side in SIDES:
        content = "\n".join(getattr(pairs, side)) + "\n"
        write_atomically(folder / f"{split}.{side}", content.encode())
