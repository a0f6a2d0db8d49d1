"""The readers of corpora, models and unfinished runs, each with a good file to damage."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import math
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from damage import Damage, bytes_damaged, head_damaged, json_damaged, numbers_damaged

from seqkd_lab import doctor
from seqkd_lab.cli.models import trained_on
from seqkd_lab.compression.pruning import prune
from seqkd_lab.corpus import tatoeba
from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.corpus.reading import read_aligned, read_lines, read_tsv
from seqkd_lab.corpus.subwords import SubwordTokeniser
from seqkd_lab.corpus.toy import dataset as toy
from seqkd_lab.corpus.vocabulary import Vocabulary
from seqkd_lab.decoding.search import Hypothesis, search
from seqkd_lab.distillation.distilled import read_distilled, replace_targets, write_distilled
from seqkd_lab.distillation.forward_translation import read_translated
from seqkd_lab.distillation.losses import NLL
from seqkd_lab.distillation.parts import Parts
from seqkd_lab.export.folder import FORMAT, ExportError, check_place
from seqkd_lab.finite import DivergenceError, NotFiniteError
from seqkd_lab.models.architectures import Spec, build
from seqkd_lab.models.checkpoint import load_model, save_model
from seqkd_lab.models.lstm import LSTMSpec
from seqkd_lab.models.transformer import TransformerSpec
from seqkd_lab.optimisation import Optimisation
from seqkd_lab.resuming import RESUME
from seqkd_lab.trainer import Trainer

SENTENCES = (("ant", "bee"), ("cat",), ("dog", "ant", "eel", "fox"))
CORPUS = ParallelCorpus("n", "train", "l", SENTENCES, SENTENCES[::-1])
WORDS = Vocabulary.build(SENTENCES)
LINES = "".join(f"the ant number {n} sees a bée\n" for n in range(12))
KEY, OPTIMISATION = "key", Optimisation(epochs=3, batch_size=2)


@dataclass(frozen=True)
class Reader:
    """A reader, the file (in a folder with all that belongs to it) that is damaged, and in which
    ways.

    read: reads the file and uses what it gets; it returns quietly or raises. repair: what is done
    to another file of the folder after the damage, as that file has it. names_file: whether an
    error must name the file, or only its folder.
    """

    name: str
    file: Path
    damages: tuple[Damage, ...]
    read: Callable[[Path], object]
    repair: Callable[[Path], None] = lambda file: None
    names_file: bool = True


def translate(file: Path) -> None:
    """Load the model in the folder and translate with it: numbers come out, or are refused."""
    model = load_model(file.parent)
    try:
        hypotheses = search(model, [("ant", "bee")], 2, 2)[0]
    except NotFiniteError:  # weights as large as numbers can be
        return
    assert all(math.isfinite(hypothesis.log_prob) for hypothesis in hypotheses)


def trainer(seed: int = 0) -> Trainer:
    """Return a training of a small model, before its first epoch."""
    torch.manual_seed(seed)
    model = build(LSTMSpec(4), WORDS, WORDS)
    return Trainer(model, CORPUS, CORPUS, NLL(), OPTIMISATION, seed)


def resume(file: Path) -> None:
    """Resume the training in the folder, and train on."""
    resumed = trainer()
    if resumed.resume(file.parent, KEY):
        try:
            resumed.run_epoch()
        except DivergenceError:  # weights as large as numbers can be
            pass


def state_again(file: Path) -> None:
    """State the hash of the damaged tensors, as somebody would who forges a state."""
    saved = json.loads((file.parent / RESUME).read_text(encoding="utf-8"))
    saved["sha256"] = hashlib.sha256(file.read_bytes()).hexdigest()
    (file.parent / RESUME).write_text(json.dumps(saved), encoding="utf-8")


def cut(file: Path) -> None:
    """Load a cutter, and cut and join a text."""
    cutter = SubwordTokeniser.load(file)
    assert isinstance(cutter.decode(cutter.encode("the ant sees a bée")), str)
    assert len(cutter) >= len(cutter.pieces)


def model_readers(folder: Path, name: str, spec: Spec, sparse: bool) -> list[Reader]:
    """Return the readers of a model's folder, by what is damaged in it."""
    torch.manual_seed(1)
    model = build(spec, WORDS, WORDS)
    if sparse:
        prune(model, 0.5)
    save_model(folder / name, model, sparse=sparse)
    weights, description = folder / name / "model.safetensors", folder / name / "model.json"
    both = (head_damaged, numbers_damaged, bytes_damaged)
    return [
        Reader(f"{name}: weights", weights, both, translate),
        Reader(f"{name}: description", description, (json_damaged, bytes_damaged), translate),
    ]


def resume_readers(folder: Path) -> list[Reader]:
    """Return the readers of an unfinished run."""
    saved = trainer()
    saved.run_epoch()
    for name in ("run", "forged"):
        saved.save(folder / name, KEY)
    state, tensors = folder / "run" / RESUME, folder / "run" / "epoch-1.safetensors"
    forged = folder / "forged" / tensors.name
    kinds = (head_damaged, numbers_damaged, bytes_damaged)
    of_state = (json_damaged, json_damaged, bytes_damaged)
    return [
        Reader("resume.json", state, of_state, resume, names_file=False),
        Reader("epoch's tensors", tensors, kinds, resume),
        Reader("epoch's tensors, forged", forged, kinds, resume, state_again, names_file=False),
    ]


def text_readers(folder: Path) -> list[Reader]:
    """Return the readers of texts and tables."""
    good = {
        "plain.txt": LINES.encode(),
        "packed.gz": gzip.compress(LINES.encode(), mtime=0),
        "pairs.tsv": "".join(f"a {n}\tb {n}\tCC-BY\n" for n in range(12)).encode(),
        "test.tsv": "".join(f"the ant {n} .\tdie ameise {n} .\n" for n in range(12)).encode(),
    }
    for name, content in good.items():
        (folder / name).write_bytes(content)
    (folder / "target.txt").write_text(LINES, encoding="utf-8")
    hypotheses = [Hypothesis(target, -1.5, -1.5) for target in CORPUS.target]
    write_distilled(folder / "distilled.tsv", replace_targets(CORPUS, hypotheses))
    lengths = list(map(len, CORPUS.source))
    parts = Parts(folder, KEY, lengths)
    parts.write(0, hypotheses)

    def corpus_of_part(file: Path) -> None:
        kept = Parts(file.parent, KEY, lengths).read(0)
        CORPUS.with_target(entry.tokens for entry in kept or hypotheses)

    def aligned(file: Path) -> None:
        read_aligned(file, folder / "target.txt")

    def distilled(file: Path) -> None:
        read = read_distilled(file, CORPUS)
        assert all(map(math.isfinite, (*read.log_probs, *read.similarities)))

    readers: dict[str, Callable[[Path], object]] = {
        "plain.txt": aligned,
        "packed.gz": read_lines,
        "pairs.tsv": read_tsv,
        "test.tsv": lambda file: toy.load(file.parent, "test"),
        "distilled.tsv": distilled,
        parts.file(0).name: corpus_of_part,
    }
    found = [Reader(name, folder / name, (bytes_damaged,), read) for name, read in readers.items()]
    translated = Reader(
        "distilled.tsv, as translated", folder / "distilled.tsv", (bytes_damaged,), read_translated
    )
    return [*found, translated]


def other_readers(folder: Path) -> list[Reader]:
    """Return the readers of vocabularies, cutters, records and wheels."""
    WORDS.save(folder / "vocabulary.json")
    SubwordTokeniser.train(LINES.splitlines(), 40).save(folder / "cutter.model")
    history = {"train_loss": [1.5], "trained_on": {"n_pairs": 5, "tokens_per_source_token": 1.1}}
    (folder / "history.json").write_text(json.dumps(history), encoding="utf-8")
    toy_hash = hashlib.sha256((folder / "plain.txt").read_bytes()).hexdigest()
    record = {"sha256": {"plain.txt": toy_hash}}
    (folder / "fingerprint.json").write_text(json.dumps(record), encoding="utf-8")
    (folder / "export.json").write_text(json.dumps({"format": FORMAT}), encoding="utf-8")
    wheel = io.BytesIO()
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as members:
        members.writestr(tatoeba.MEMBER, LINES)
    (folder / "text.whl").write_bytes(wheel.getvalue())
    of_json = (json_damaged, bytes_damaged)

    def examined(file: Path) -> None:
        doctor.examine_toy(file.parent)

    def place(file: Path) -> None:
        try:
            check_place(file.parent)
        except ExportError:  # no earlier export: it is not replaced
            pass

    return [
        Reader("vocabulary.json", folder / "vocabulary.json", of_json, Vocabulary.load),
        Reader("cutter.model", folder / "cutter.model", (bytes_damaged,), cut),
        Reader(
            "history.json",
            folder / "history.json",
            of_json,
            lambda file: trained_on([str(file.parent)]),
        ),
        Reader("fingerprint.json", folder / "fingerprint.json", of_json, examined),
        Reader("export.json", folder / "export.json", of_json, place),
        Reader("text.whl", folder / "text.whl", (bytes_damaged,), tatoeba.extract),
    ]


def all_readers(folder: Path) -> list[Reader]:
    """Return every reader, with its good files in `folder`."""
    return [
        *model_readers(folder, "lstm", LSTMSpec(4), sparse=False),
        *model_readers(folder, "pruned", LSTMSpec(4, 2, 0.1), sparse=True),
        *model_readers(folder, "transformer", TransformerSpec(4, 1, 2, 6, 0.0), sparse=False),
        *resume_readers(folder),
        *text_readers(folder),
        *other_readers(folder),
    ]
