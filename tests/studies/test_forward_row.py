"""The row seq-kd+forward: its student also learns from source text without targets, which its
teacher translates."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from seqkd_lab import cli
from seqkd_lab.cli.models import TrainedOn, trained_on
from seqkd_lab.cli.options import TEXT_FILES
from seqkd_lab.models.folder import load_folder
from seqkd_lab.models.lstm import LSTMSpec
from seqkd_lab.optimisation import Optimisation
from seqkd_lab.runs.presets import PRESETS, QUICK
from seqkd_lab.runs.recipes import (
    BASELINE,
    FORWARD,
    SEQ_KD,
    TABLE_ROWS,
    TEACHER,
    WORD_KD,
    ForwardTranslation,
    SourceText,
    TextData,
    ToyData,
    table_recipes,
)
from seqkd_lab.runs.store import Store, key
from seqkd_lab.runs.tasks import Train, TranslateForward, with_needs
from seqkd_lab.studies.table1.study import collect
from seqkd_lab.studies.table1.table import TableRun, said_of_teacher, table_frame
from seqkd_lab.studies.table1.tour import copy_models

TEXT_FIELDS = [name.replace("-", "_") for name in TEXT_FILES]
NUMBERS = {"one": "eins", "two": "zwei", "three": "drei", "four": "vier", "five": "fünf"}
SHORT = Optimisation(epochs=1, learning_rate=0.01, batch_size=8)
TINY = replace(
    QUICK,
    teacher=LSTMSpec(width=8),
    student=LSTMSpec(width=4),
    teacher_training=SHORT,
    student_training=SHORT,
)


def sentences() -> list[str]:
    """Return every pair of numbers."""
    return [f"{first} {second}" for first in NUMBERS for second in NUMBERS]


@pytest.fixture
def data(tmp_path) -> TextData:
    """Six files of numbers in English and German."""
    files = []
    for split in ("train", "valid", "test"):
        for language, lines in (
            ("en", sentences()),
            ("de", [" ".join(NUMBERS[word] for word in line.split()) for line in sentences()]),
        ):
            path = tmp_path / f"{split}.{language}"
            path.write_text("\n".join(lines) + "\n", encoding="utf-8")
            files.append(str(path))
    return TextData(*files, vocabulary_size=60)


@pytest.fixture
def monolingual(tmp_path) -> SourceText:
    """Source text without targets: three numbers a line, one line twice and one empty."""
    path = tmp_path / "more.en"
    path.write_text(
        "one two three\n\nfour five one\none two three\nthree three two\n", encoding="utf-8"
    )
    return SourceText(str(path))


class TestRecipe:
    def test_only_asked_for_does_the_table_have_the_row(self, data, monolingual):
        assert tuple(table_recipes(data, TINY, 1)) == TABLE_ROWS
        assert tuple(table_recipes(data, TINY, 1, monolingual=monolingual)) == (
            *TABLE_ROWS,
            FORWARD,
        )
        assert TableRun(data, TINY, (1,), (TEACHER, SEQ_KD), monolingual).row_names == (
            TEACHER,
            SEQ_KD,
            FORWARD,
        )

    def test_other_rows_keep_their_keys_and_the_text_counts_by_content(
        self, data, monolingual, tmp_path
    ):
        without, with_text = (
            table_recipes(data, TINY, 1),
            table_recipes(data, TINY, 1, monolingual=monolingual),
        )
        assert all(key(without[name]) == key(with_text[name]) for name in TABLE_ROWS)
        copy, other = tmp_path / "copy.en", tmp_path / "other.en"
        copy.write_bytes(Path(monolingual.path).read_bytes())
        other.write_text("five five five\n", encoding="utf-8")
        keys = [
            key(table_recipes(data, TINY, 1, monolingual=SourceText(str(path)))[FORWARD])
            for path in (monolingual.path, copy, other)
        ]
        assert keys[0] == keys[1] != keys[2]

    def test_its_student_waits_for_the_translations_and_they_for_the_teacher(
        self, data, monolingual
    ):
        recipe = table_recipes(data, TINY, 1, monolingual=monolingual)[FORWARD]
        order = with_needs([Train(recipe)])
        assert (
            order.index(Train(recipe.added.teacher))
            < order.index(TranslateForward(recipe.added))
            < order.index(Train(recipe))
        )

    def test_a_teacher_of_the_toy_is_refused(self, monolingual):
        with pytest.raises(ValueError, match="real text"):
            ForwardTranslation(table_recipes(ToyData(), TINY, 1)[TEACHER], monolingual)


class TestRun:
    def test_the_student_learns_from_distilled_pairs_then_from_the_translations(
        self, data, monolingual, tmp_path, monkeypatch
    ):
        run = TableRun(data, TINY, (1,), (TEACHER, BASELINE, SEQ_KD), monolingual)
        store, recipes = Store(tmp_path / "store"), run.recipes(1)
        # A teacher that writes the source's words: none of its translations may be dropped as
        # identical or empty.
        monkeypatch.setattr(
            "seqkd_lab.runs.making.drop_failures", lambda made, decode: (made, None)
        )
        distilled, corpus = store.corpus(recipes[SEQ_KD]), store.corpus(recipes[FORWARD])
        assert corpus[: len(distilled)].target == distilled.target
        decoded = [
            store.dataset(data).subwords.decode(source)
            for source in corpus[len(distilled) :].source
        ]
        assert decoded == ["one two three", "four five one", "three three two"]
        assert store.translated(recipes[FORWARD].added) == store.translated(recipes[FORWARD].added)
        results = collect(run, store)
        assert results["settings"]["rows"] == [TEACHER, BASELINE, SEQ_KD, FORWARD]
        assert FORWARD in table_frame(results).index
        folders = copy_models(run, store, tmp_path / "models")
        assert [folder.name for folder in folders] == results["settings"]["rows"]
        for folder in folders:
            copied, kept = load_folder(folder), load_folder(store.directory(recipes[folder.name]))
            assert copied.subwords == kept.subwords is not None
            assert trained_on([str(folder)]) == TrainedOn(data.n_train)
            weights = copied.model.state_dict()
            assert all(
                weights[name].equal(tensor) for name, tensor in kept.model.state_dict().items()
            )
        student = [store.model(recipes[name]).state_dict() for name in (SEQ_KD, FORWARD)]
        assert any(not torch.equal(student[0][name], student[1][name]) for name in student[0])


class TestOneTeacher:
    def test_all_seeds_students_learn_from_the_first_seeds_teacher_and_differ(self, data):
        rows = (TEACHER, BASELINE, WORD_KD, SEQ_KD)
        shared = TableRun(data, TINY, (4, 5), rows, one_teacher=True)
        first, second = (shared.recipes(seed) for seed in shared.seeds)
        assert (
            first[TEACHER]
            == second[TEACHER]
            == second[SEQ_KD].distilled.teacher
            == second[WORD_KD].teacher
        )
        assert [recipe.seed for recipe in second.values()] == [4, 5, 5, 5]
        own = TableRun(data, TINY, (4, 5), rows)
        assert own.recipes(4) == first and own.recipes(5)[BASELINE] == second[BASELINE]
        assert own.recipes(5)[SEQ_KD].distilled.teacher.seed == 5

    def test_the_table_says_so(self, data, tmp_path):
        run = TableRun(data, TINY, (4, 5), (TEACHER, BASELINE), one_teacher=True)
        results = collect(run, Store(tmp_path / "store"))
        assert said_of_teacher(results) and "seed 4" in said_of_teacher(results)[0]
        assert (
            said_of_teacher(collect(replace(run, one_teacher=False), Store(tmp_path / "store")))
            == []
        )


class TestCommand:
    @pytest.mark.slow
    def test_a_table_of_own_text_never_replaces_the_results_of_the_toy(
        self, data, tmp_path, monkeypatch, capsys
    ):
        monkeypatch.chdir(tmp_path)
        monkeypatch.setitem(PRESETS, "quick", TINY)
        files = [getattr(data, name) for name in TEXT_FIELDS]
        options = [
            part
            for name, file in zip(TEXT_FILES, files, strict=True)
            for part in (f"--{name}", file)
        ]
        asked = ["--preset", "quick", "--seeds", "1", "--rows", TEACHER, BASELINE, "--workers", "1"]
        assert cli.main(["table", *asked, *options]) == 0
        assert (tmp_path / "runs" / "results" / "table1.json").exists()
        assert "runs/results/table1.json" in capsys.readouterr().out

    def test_the_toy_has_no_further_sources(self, capsys, monolingual):
        assert cli.main(["table", "--monolingual", monolingual.path]) == 2
        assert "--source" in capsys.readouterr().err

    def test_every_preset_says_how_much_text_it_takes(self):
        assert PRESETS["quick"].n_pairs is not None and PRESETS["full"].n_pairs is None
        assert all(preset.vocabulary_size >= 1_000 for preset in PRESETS.values())
