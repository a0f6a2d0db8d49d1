"""Numbers that are NaN or infinite, wherever they come from: the training stops and names them,
nothing is marked complete, and no command takes such a model."""

from __future__ import annotations

import json
import math
import pickle
import random
import re
import shutil

import pytest
import torch
from small_corpus import TINY, write_text
from soak import attempts, tally
from typed import assert_refused, own_text, typed

from seqkd_lab.compression.pruning import prune_masks
from seqkd_lab.compression.quantisation import quantised
from seqkd_lab.corpus.batching import batch_rows, encode
from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.corpus.vocabulary import Vocabulary
from seqkd_lab.distillation.losses import NLL
from seqkd_lab.export.ctranslate2_format import ExportError, write_ctranslate2
from seqkd_lab.files import FileError, write_json
from seqkd_lab.finite import DivergenceError, NotFiniteError
from seqkd_lab.models.architectures import build
from seqkd_lab.models.checkpoint import save_model
from seqkd_lab.models.lstm import LSTMSpec
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.models.transformer import TransformerSpec
from seqkd_lab.optimisation import Optimisation
from seqkd_lab.runs.recipes import BASELINE, table_recipes
from seqkd_lab.runs.schedule import _raise_as
from seqkd_lab.runs.store import Store
from seqkd_lab.runs.tasks import Train
from seqkd_lab.training import train

SMALL = LSTMSpec(width=8)

WORDS = ("ant", "bee", "cat", "dog", "eel", "fox", "gnu", "hen")
N_PAIRS, BATCH = 20, 4
UPDATES = N_PAIRS // BATCH
SPECS = (LSTMSpec(8), TransformerSpec(width=8, layers=1, heads=2, hidden=8, dropout=0.0))
NOT_FINITE = (math.nan, math.inf, -math.inf)


def corpus(n: int, seed: int) -> ParallelCorpus:
    """Sentences of one to four words, each its own translation."""
    chance = random.Random(seed)
    lines = tuple(tuple(chance.choices(WORDS, k=chance.randint(1, 4))) for _ in range(n))
    return ParallelCorpus("animals", "train", "", lines, lines)


PAIRS, VALID = corpus(N_PAIRS, 1), corpus(5, 2)


def new_model(spec=SMALL) -> Seq2Seq:
    """A model with random weights of the words of PAIRS."""
    torch.manual_seed(1)
    words = Vocabulary.build([WORDS])
    return build(spec, words, words)


def pairs_of_update(model: Seq2Seq, update: int, seed: int = 5) -> list[int]:
    """The numbers, from 1 on, of the pairs that an update learns from."""
    encoded = encode(PAIRS, model.source_vocabulary, model.target_vocabulary)
    epoch, place = divmod(update - 1, UPDATES)
    rows = list(batch_rows(encoded, BATCH, seed * 1_000 + epoch))
    return sorted((rows[place] + 1).tolist())


def break_at(model: Seq2Seq, update: int, value: float, chance: random.Random):
    """A callback that spoils a weight of the last layer, which every loss sees, after an update."""

    def spoil(progress):
        if progress.update == update:
            with torch.no_grad():
                model.output.bias[chance.randrange(4, 12)] = value

    return spoil


def what_was_wrong(folder, spec, update: int, value: float, chance: random.Random) -> str | None:
    """Break a training after an update, and say what its end lacks."""
    model, optimisation = new_model(spec), Optimisation(3, 0.01, BATCH)
    callbacks = [break_at(model, update, value, chance)]
    case = f"{spec}, {value} after update {update}"
    try:
        train(model, PAIRS, VALID, NLL(), optimisation, 5, None, callbacks, folder)
        return f"{case}: it ended well"
    except DivergenceError as error:
        message, pairs = str(error), list(error.pairs)
    n_whole = update // UPDATES
    kept = [file.name for file in folder.glob("epoch-*")]
    if kept != [f"epoch-{n_whole}.safetensors"] * (n_whole > 0):
        return f"{case}: {kept} is kept"
    if n_whole and f"after epoch {n_whole}, the last whole one, is kept in {folder}" not in message:
        return f"{case}: {message}"
    expected = pairs_of_update(model, update + 1)
    said = f"in update {update + 1} .*pairs {', '.join(map(str, expected))} of the training text"
    return None if pairs == expected and re.search(said, message) else f"{case}: {message}"


def test_a_training_stops_names_its_pairs_and_keeps_the_last_whole_epoch(tmp_path):
    chance = random.Random(21)
    with tally("a weight that is not finite: training") as count:
        for number in range(attempts(24, 600)):
            spec, value = SPECS[number % 2], chance.choice((math.nan, math.inf))
            update = chance.randrange(1, 3 * UPDATES)
            folder = tmp_path / str(number)
            count.tried(what_was_wrong(folder, spec, update, value, chance))
            shutil.rmtree(folder, ignore_errors=True)


def test_weights_that_no_loss_sees_end_it_too():
    """The embedding of a word that stands in no pair."""
    words = Vocabulary.build([(*WORDS, "yak")])
    model = build(SMALL, words, words)

    def spoil(progress):
        with torch.no_grad():
            model.source_embedding.weight[-1, 0] = math.inf

    with pytest.raises(DivergenceError, match="at the end of epoch 1.*source_embedding.weight"):
        train(model, PAIRS, VALID, NLL(), Optimisation(2, 0.01, BATCH), 5, None, [spoil])


def test_what_a_student_draws_from_itself_ends_it_too():
    def draws(model, batch, seed):
        raise NotFiniteError("no distribution of the next word")

    with pytest.raises(DivergenceError, match=r"in update 1 .*no distribution.*pairs \d"):
        train(
            new_model(), PAIRS, VALID, NLL(), Optimisation(1, 0.01, BATCH), 5, batch_transform=draws
        )


def test_the_error_travels_between_processes_with_its_pairs():
    error = pickle.loads(pickle.dumps(DivergenceError("too fast", [3, 4])))
    assert (str(error), error.pairs) == ("too fast", (3, 4))


def test_nothing_is_complete_in_the_store(tmp_path):
    store = Store(tmp_path / "store")
    fast = Optimisation(epochs=2, learning_rate=1e30, batch_size=25)
    text = write_text(tmp_path / "text")
    recipe = table_recipes(text, TINY.__class__(**{**vars(TINY), "student_training": fast}), 1)
    with pytest.raises(DivergenceError, match="No model was saved"):
        store.model(recipe[BASELINE])
    assert not store.has_model(recipe[BASELINE])
    assert not list((tmp_path / "store" / "models").rglob("history.json"))


def test_a_divergence_in_a_worker_stays_one_and_is_exit_code_2(capsys, tmp_path, monkeypatch):
    task = Train(table_recipes(write_text(tmp_path / "text"), TINY, 3)[BASELINE])
    with pytest.raises(DivergenceError, match=r"^train baseline \(seed 3\): "):
        _raise_as(task, DivergenceError("too fast"))

    def diverges(*_):
        raise DivergenceError("too fast")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("seqkd_lab.cli.studies.run_all", diverges)
    assert_refused(typed(capsys, "tour"), "too fast")


NESTED = (
    (lambda value: value, "$"),
    (lambda value: {"a": [1.0, {"b": value}]}, "$.a[1].b"),
    (lambda value: {"valid_loss": [2.0, value]}, "$.valid_loss[1]"),
    (lambda value: {"by_seed": {"21": {"greedy": {"bleu": value}}}}, "$.by_seed.21.greedy.bleu"),
)


@pytest.mark.parametrize("value", NOT_FINITE)
@pytest.mark.parametrize(("around", "key"), NESTED)
def test_json_is_not_written_and_the_key_is_named(tmp_path, value, around, key):
    with pytest.raises(
        FileError, match=re.escape(f"r.json: not written, since {key} is no finite")
    ):
        write_json(tmp_path / "r.json", around(value))
    assert list(tmp_path.iterdir()) == []


def spoiled(spec, chance: random.Random) -> Seq2Seq:
    """A model of which one weight is not finite."""
    model = new_model(spec)
    parameter = chance.choice(list(model.parameters()))
    with torch.no_grad():
        parameter.view(-1)[chance.randrange(parameter.numel())] = chance.choice(NOT_FINITE)
    return model


def test_a_spoiled_model_is_neither_pruned_nor_quantised_nor_exported(tmp_path):
    chance = random.Random(21)
    works = {
        "pruned": lambda model: prune_masks(model, 0.5),
        "quantised": quantised,
        "exported": lambda model: write_ctranslate2(model, tmp_path),
    }
    with tally("a weight that is not finite: pruning, quantisation, export") as count:
        for number in range(attempts(60, 2_000)):
            model, name = spoiled(SPECS[1], chance), list(works)[number % 3]
            try:
                works[name](model)
                count.tried(f"{name} is done")
            except NotFiniteError as error:
                said = f"cannot be {name}: 1 of" in str(error) and "are not finite" in str(error)
                count.tried(None if said else str(error))
    assert list(tmp_path.iterdir()) == []


def test_a_weight_beyond_float16_is_not_exported_as_such(tmp_path):
    model = new_model(SPECS[1])
    with torch.no_grad():
        model.output.bias[5] = 1e5
    with pytest.raises(ExportError, match=r"100000 is beyond.*float16"):
        write_ctranslate2(model, tmp_path, "float16")


@pytest.fixture
def spoiled_folder(tmp_path):
    """A folder of a model of the toy language, of which one weight is NaN."""
    folder = tmp_path / "spoiled"
    model = build(LSTMSpec(4), *[Vocabulary.build([WORDS])] * 2)
    with torch.no_grad():
        model.output.bias[5] = math.nan
    save_model(folder, model)
    (folder / "history.json").write_text("{}", encoding="utf-8")
    return folder


COMMANDS = (
    ("translate", "the cat sleeps .", "--model", "M"),
    ("translate", "--input", "TEXT", "--model", "M"),
    ("distil", "--teacher", "M", "--out", "d.tsv"),
    ("distil", "--teacher", "M", "teacher", "--out", "d.tsv"),
    ("distil", "--teacher", "teacher", "M", "--out", "d.tsv"),
    ("train", "--objective", "word-kd", "--teacher", "M", "--out", "m"),
    ("train", "--objective", "word-kd", "--teacher", "teacher", "M", "--out", "m"),
    ("prune", "--model", "M", "--share", "0.5", "--out", "p"),
    ("prune", "--model", "M", "--share", "0.5", "--epochs", "0", "--out", "p"),
    ("export", "M", "e"),
)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_no_command_takes_a_spoiled_model(capsys, tmp_path, monkeypatch, spoiled_folder, command):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text").write_text("the cat sleeps .\n", encoding="utf-8")
    names = {"M": str(spoiled_folder), "TEXT": str(tmp_path / "text")}
    outcome = typed(capsys, *(names.get(word, word) for word in command))
    assert_refused(outcome, spoiled_folder / "model.safetensors", "output.bias", "NaN or infinite")


def test_train_says_it_in_one_line_and_an_earlier_model_stays(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = own_text(tmp_path / "text")
    small = ("--preset", "quick", "--width", "8", "--epochs", "2", "--batch-size", "25")
    line = ("train", "--out", "m", *text, *small)
    assert typed(capsys, *line)[0] == 0
    before = {file.name: file.read_bytes() for file in (tmp_path / "m").iterdir()}
    words = ("diverged in update 3 (epoch 1)", "--learning-rate", "1e+30", "the batch held pairs")
    assert_refused(typed(capsys, *line, "--learning-rate", "1e30"), *words, "No model was saved")
    assert before == {
        file.name: file.read_bytes() for file in (tmp_path / "m").iterdir() if file.is_file()
    }
    assert json.loads(before["history.json"])["kept_epoch"] == 2
