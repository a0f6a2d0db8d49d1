"""Six files of text, encoded in this process."""

from __future__ import annotations

from pathlib import Path

from seqkd_lab.corpus.mapped.encoding import Text, encode_text
from seqkd_lab.corpus.mapped.stored import StoredCorpus, open_corpus
from seqkd_lab.corpus.mapped.text import AlignedFiles
from seqkd_lab.runs.texts import TextData

SIZE = 150
SPLITS = ("train", "valid", "test")


def silent(*told: object) -> None:
    """What nobody listens to."""


def files_in(folder: Path, n_train: int | None = None) -> TextData:
    paths = [str(folder / f"{split}.{side}") for split in SPLITS for side in ("source", "target")]
    return TextData(*paths, n_train=n_train, vocabulary_size=SIZE)


def as_text(data: TextData, fingerprint: str = "0" * 64) -> Text:
    return Text(
        AlignedFiles(data.source, data.target, data.n_train),
        {
            "valid": AlignedFiles(data.valid_source, data.valid_target),
            "test": AlignedFiles(data.test_source, data.test_target),
        },
        fingerprint,
        data.vocabulary_size,
        data.character_coverage,
        data.subwords,
    )


def encoded_here(data: TextData, folder: Path, n_workers: int = 1) -> StoredCorpus:
    encode_text(as_text(data), folder, n_workers, silent, silent)
    return open_corpus(folder)
