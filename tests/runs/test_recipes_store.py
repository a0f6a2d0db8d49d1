"""Recipes, the store that turns them into models, and the schedule that does it in several
processes."""

from __future__ import annotations

import hashlib
import multiprocessing
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from small_corpus import ENGLISH, GERMAN, ONE_EPOCH, TINY, TWO_EPOCHS, write_text

from seqkd_lab.corpus.parallel import CorpusError, ParallelCorpus
from seqkd_lab.corpus.subwords import SubwordTokeniser
from seqkd_lab.distillation.losses import NLL, WordKD
from seqkd_lab.distillation.sequence_level import INTERPOLATED, MODE, SAMPLED
from seqkd_lab.models.architectures import ARCHITECTURES
from seqkd_lab.runs import making
from seqkd_lab.runs import store as store_module
from seqkd_lab.runs.data import beginning_of, fingerprint, load
from seqkd_lab.runs.recipes import (
    ALL_THREE,
    BASELINE,
    SEQ_KD,
    SEQ_KD_INTER,
    SEQ_WORD_KD,
    TABLE_ROWS,
    TEACHER,
    TEACHER_INTER,
    WORD_KD,
    Distillation,
    Recipe,
    TextData,
    ToyData,
    table_recipes,
)
from seqkd_lab.runs.schedule import TaskError, Watcher, run_all
from seqkd_lab.runs.store import Store, identity, key
from seqkd_lab.runs.tasks import Distil, Evaluate, Train, with_needs
from seqkd_lab.studies.table1.study import collect
from seqkd_lab.studies.table1.table import TableRun

pytestmark = pytest.mark.filterwarnings("ignore:the teacher wrote")


@pytest.fixture(scope="module")
def text(tmp_path_factory) -> TextData:
    return write_text(tmp_path_factory.mktemp("corpus") / "text")


@pytest.fixture
def rows(text) -> dict[str, Recipe]:
    return table_recipes(text, TINY, seed=1)


@pytest.fixture
def store(tmp_path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture
def trainings(monkeypatch) -> list[dict]:
    """Notes what the store gives to every training."""
    seen, real = [], making.train

    def noting(
        model,
        corpus,
        valid,
        objective,
        optimisation,
        seed,
        teacher=None,
        callbacks=(),
        resume_from=None,
        batch_transform=None,
        **rest,
    ):
        begins = {name: tensor.clone() for name, tensor in model.state_dict().items()}
        seen.append(
            {
                "corpus": corpus,
                "valid": valid,
                "objective": objective,
                "teacher": teacher,
                "begins": begins,
            }
        )
        return real(
            model,
            corpus,
            valid,
            objective,
            optimisation,
            seed,
            teacher,
            callbacks,
            resume_from,
            batch_transform,
            **rest,
        )

    monkeypatch.setattr(making, "train", noting)
    return seen


def equal(model, other) -> bool:
    own, others = model.state_dict(), other if isinstance(other, dict) else other.state_dict()
    return own.keys() == others.keys() and all(torch.equal(own[name], others[name]) for name in own)


class TestKeys:
    def test_everything_that_counts_changes_the_key(self, rows):
        word, modes = (
            replace(rows[WORD_KD], distilled=rows[SEQ_KD].distilled),
            rows[SEQ_KD].distilled,
        )
        other_teacher = replace(rows[TEACHER], seed=2)
        recipes = [
            word,
            replace(word, seed=2),
            replace(word, distilled=None),
            replace(word, teacher=other_teacher),
            replace(word, objective=NLL()),
            replace(word, start=rows[BASELINE]),
        ]
        recipes += [replace(word, objective=o) for o in (WordKD(0.1), WordKD(0.5, 2.0))]
        recipes += [
            replace(word, model=replace(word.model, **change))
            for change in ({"width": 6}, {"layers": 2}, {"dropout": 0.3}, {"input_feeding": True})
        ]
        recipes += [
            replace(word, optimisation=replace(ONE_EPOCH, **change))
            for change in (
                {"epochs": 3},
                {"learning_rate": 0.1},
                {"batch_size": 9},
                {"warmup": 0.2},
                {"clip_norm": 2.0},
                {"patience": 1},
            )
        ]
        recipes += [
            replace(word, distilled=replace(modes, **change))
            for change in (
                {"beam_size": 3},
                {"length_penalty": 1.0},
                {"share": 0.5},
                {"seed": 1},
                {"method": SAMPLED},
                {"method": INTERPOLATED},
                {"teacher": other_teacher},
            )
        ]
        assert len({key(recipe) for recipe in recipes}) == len(recipes)

    def test_the_data_counts_by_what_it_holds_and_not_by_where_it_is(self, rows, text, tmp_path):
        base = rows[BASELINE]
        moved = write_text(tmp_path / "elsewhere")
        changed = write_text(tmp_path / "changed")
        with open(changed.test_target, "a", encoding="utf-8") as file:
            file.write("\n")
        assert key(replace(base, data=moved)) == key(base)
        others = [
            changed,
            replace(text, n_train=50),
            replace(text, vocabulary_size=61),
            ToyData(),
            ToyData(200),
        ]
        assert len({key(replace(base, data=data)) for data in (text, *others)}) == 6

    def test_newer_options_of_text_leave_older_keys_as_they_were(self, text, tmp_path):
        """The formula of the first stores, written out again."""

        def formula(n_train, vocabulary_size) -> str:
            digest = hashlib.sha256(f"text {n_train} {vocabulary_size}".encode())
            for path in (
                text.source,
                text.target,
                text.valid_source,
                text.valid_target,
                text.test_source,
                text.test_target,
            ):
                digest.update(hashlib.sha256(Path(path).read_bytes()).hexdigest().encode())
            return digest.hexdigest()

        assert fingerprint(text) == formula(None, 60)
        assert fingerprint(replace(text, n_train=7, vocabulary_size=50)) == formula(7, 50)
        SubwordTokeniser.train(ENGLISH, 30).save(tmp_path / "a.model")
        SubwordTokeniser.train(GERMAN, 30).save(tmp_path / "b.model")
        SubwordTokeniser.train(GERMAN, 30).save(tmp_path / "same.model")
        a, b, same = (
            replace(text, subwords=str(tmp_path / f"{name}.model")) for name in ("a", "b", "same")
        )
        prints = [fingerprint(data) for data in (text, a, b, replace(text, character_coverage=0.9))]
        assert len(set(prints)) == 4
        assert (
            fingerprint(b) == fingerprint(same) == fingerprint(replace(same, vocabulary_size=999))
        )

    def test_a_name_does_not_count(self, rows):
        assert key(replace(rows[BASELINE], name="anything")) == key(rows[BASELINE])

    @pytest.mark.parametrize(
        "row", [WORD_KD, SEQ_KD, SEQ_WORD_KD, SEQ_KD_INTER, ALL_THREE, TEACHER_INTER]
    )
    def test_a_students_key_depends_on_its_teachers_recipe(self, text, row):
        slower = replace(TINY, teacher_training=replace(TWO_EPOCHS, epochs=3))
        one, other = (table_recipes(text, preset, 1) for preset in (TINY, slower))
        assert key(one[row]) != key(other[row])
        assert key(one[BASELINE]) == key(other[BASELINE])

    def test_the_ten_rows_are_ten_models(self, rows):
        assert tuple(rows) == TABLE_ROWS
        assert len({key(recipe) for recipe in rows.values()}) == 10


class TestRecipes:
    def test_word_kd_needs_a_teacher(self, rows):
        with pytest.raises(ValueError, match="teacher"):
            replace(rows[BASELINE], objective=WordKD())

    def test_fine_tuning_needs_a_model_of_the_same_size(self, rows):
        with pytest.raises(ValueError, match="size"):
            replace(rows[BASELINE], start=rows[TEACHER])

    @pytest.mark.parametrize("wrong", [{"method": "best"}, {"share": 0.0}, {"share": 1.5}])
    def test_a_distillation_that_cannot_be(self, rows, wrong):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            Distillation(rows[TEACHER], **wrong)

    def test_rows_are_what_their_names_say(self, rows):
        for name, recipe in rows.items():
            own_method = recipe.distilled.method if recipe.distilled else None
            assert own_method == (
                INTERPOLATED if "seq-inter" in name else MODE if "seq-kd" in name else None
            )
            assert recipe.objective.needs_teacher == ("word-kd" in name)
            before = rows.get(name.removesuffix("+seq-inter"))
            assert recipe.start == (before if "seq-inter" in name else None)
            assert recipe.model == (TINY.teacher if name.startswith("teacher") else TINY.student)


class TestStore:
    def test_trains_once(self, store, rows, trainings):
        first = store.model(rows[BASELINE])
        assert store.has_model(rows[BASELINE])
        assert equal(store.model(rows[BASELINE]), first)
        assert equal(Store(store.root).model(replace(rows[BASELINE], name="renamed")), first)
        assert len(trainings) == 1
        assert not list((store.directory(rows[BASELINE]) / "unfinished").iterdir())

    def test_makes_what_a_row_builds_on_and_trains_it_on_that(self, store, rows, trainings):
        store.model(rows[ALL_THREE])
        teacher, seq_word, all_three = trainings
        data = store.dataset(rows[TEACHER].data)
        modes, nearest = (
            store.distilled(rows[name].distilled).corpus for name in (SEQ_WORD_KD, ALL_THREE)
        )
        assert [t["corpus"] for t in trainings] == [data.train, modes, nearest]
        assert len(nearest) == len(data.train) // 2
        assert [t["valid"] for t in trainings] == [data.valid] * 3
        assert teacher["teacher"] is None
        assert equal(seq_word["teacher"], store.model(rows[TEACHER]))
        assert equal(all_three["teacher"], store.model(rows[TEACHER]))
        assert equal(store.model(rows[SEQ_WORD_KD]), all_three["begins"])
        assert len(trainings) == 3

    def test_a_distilled_corpus_is_made_once_and_read_back_the_same(self, store, rows, monkeypatch):
        distillation = rows[SEQ_KD].distilled
        made = store.distilled(distillation)
        monkeypatch.setattr(
            store_module, "distil_corpus", None
        )  # calling it again would be an error
        assert store.distilled(distillation) == made

    def test_an_evaluation_is_made_once(self, store, rows, monkeypatch):
        made = store.evaluation(rows[BASELINE], 2, 0.0)
        monkeypatch.setattr(store_module, "evaluate_recipe", None)
        assert store.evaluation(rows[BASELINE], 2, 0.0) == made
        assert made["key"] == key(rows[BASELINE])
        assert made["n_parameters"] == store.model(rows[BASELINE]).n_parameters()

    def test_an_interrupted_training_resumes_to_the_same_model(self, tmp_path, rows):
        whole, broken, heard = Store(tmp_path / "a"), Store(tmp_path / "b"), []

        def interrupt(done: int, total: int) -> None:
            if done == 6:  # 4 updates an epoch, 2 epochs: in the middle of the second
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            broken.model(rows[TEACHER], interrupt)
        assert not broken.has_model(rows[TEACHER])
        resumed = broken.model(rows[TEACHER], lambda done, total: heard.append((done, total)))
        assert heard == [(5, 8), (6, 8), (7, 8), (8, 8)]
        assert equal(resumed, whole.model(rows[TEACHER]))

    def test_reports_reach_their_total(self, store, rows):
        heard = []
        store.evaluation(rows[SEQ_KD], 2, 0.0, lambda done, total: heard.append((done, total)))
        assert heard[-1] == (20, 20)
        store.distilled(
            replace(rows[SEQ_KD].distilled, share=0.3),
            lambda done, total: heard.append((done, total)),
        )
        assert heard[-1] == (30, 30)

    def test_what_another_process_is_writing_survives_the_tidying(self, store, rows):
        """Two processes may train one model: the first to end must not take the other's
        half-written file away."""
        unfinished = store.directory(rows[BASELINE]) / "unfinished"
        unfinished.mkdir(parents=True)
        half_written = unfinished / ".epoch-1.safetensors.abc"
        half_written.write_bytes(b"half")
        store.model(rows[BASELINE])
        assert list(unfinished.iterdir()) == [half_written]

    def test_a_resume_file_whose_weights_were_replaced_meanwhile_begins_anew(
        self, store, rows, tmp_path
    ):
        unfinished = store.directory(rows[BASELINE]) / "unfinished"
        unfinished.mkdir(parents=True)
        content = '{"epoch": 1, "tensors": "epoch-1.safetensors", "history": {}}'
        (unfinished / "resume.json").write_text(content, encoding="utf-8")
        assert equal(store.model(rows[BASELINE]), Store(tmp_path / "other").model(rows[BASELINE]))


def tiny_text(folder, pairs) -> TextData:
    """Six files of the same few pairs."""
    for split in ("train", "valid", "test"):
        for side, lines in zip(("s", "t"), zip(*pairs, strict=True), strict=True):
            (folder / f"{split}.{side}").write_text(
                "".join(f"{line}\n" for line in lines), encoding="utf-8"
            )
    paths = (
        str(folder / f"{split}.{side}") for split in ("train", "valid", "test") for side in "st"
    )
    return TextData(*paths, vocabulary_size=60)


class TestTinyText:
    @pytest.mark.parametrize(
        "pairs",
        [
            [("one word", "ein Wort")],
            [("a", "b"), ("b", "a")],
            [("ab", "ba")] * 5,
            [(f"line {i}", f"Zeile {i}") for i in range(5)],
        ],
        ids=["1 pair", "2 pairs", "the same 5 times", "5 pairs"],
    )
    def test_every_row_of_the_table_ends(self, store, tmp_path, pairs):
        rows = table_recipes(tiny_text(tmp_path, pairs), replace(TINY, inter_share=0.25), seed=1)
        for name in (SEQ_KD, SEQ_KD_INTER):
            assert store.evaluation(rows[name], 2, 0.0)["name"] == name
        assert len(store.distilled(rows[SEQ_KD_INTER].distilled).corpus) == 1

    @pytest.mark.parametrize(
        "share, n, expected", [(0.25, 1, 1), (0.25, 2, 1), (0.1, 100, 10), (1.0, 3, 3)]
    )
    def test_a_share_of_a_corpus_has_at_least_one_pair(self, share, n, expected):
        corpus = ParallelCorpus("n", "s", "l", (("a",),) * n, (("b",),) * n)
        assert len(beginning_of(corpus, share)) == expected


class TestTextDataset:
    def test_a_brought_cutter_cuts_and_is_kept(self, store, text, tmp_path):
        own = SubwordTokeniser.train(ENGLISH + GERMAN, 50)
        own.save(tmp_path / "own.model")
        data = store.dataset(replace(text, subwords=str(tmp_path / "own.model")))
        assert data.subwords == own
        assert data.train.source[0] == own.encode(
            Path(text.source).read_text(encoding="utf-8").splitlines()[0]
        )
        assert not list((store.root / "data").glob("*.model")), "nothing is learnt"
        assert set(data.source_vocabulary.tokens[4:]) <= own.pieces

    def test_a_brought_cutter_must_know_both_sides(self, tmp_path):
        data = tiny_text(
            tmp_path, [("a long line of English words", "短句"), ("and another one", "再来")]
        )
        SubwordTokeniser.train(["a long line of English words and another one"], 40).save(
            tmp_path / "own.model"
        )
        with pytest.raises(
            CorpusError, match=r"own\.model \(target\): 100% of the training text's characters"
        ):
            load(replace(data, subwords=str(tmp_path / "own.model")), tmp_path / "cache")

    def test_a_missing_cutter_is_named_and_not_learnt(self, store, text, tmp_path):
        with pytest.raises(CorpusError, match=r"gone\.model"):
            store.dataset(replace(text, subwords=str(tmp_path / "gone.model")))

    def test_characters_given_up_are_unknown_to_the_vocabulary_and_said_each_time(self, tmp_path):
        pairs = [
            (f"{chr(0x4E00 + i)} a b c d e", f"f g h {chr(0x5E00 + i)} i j") for i in range(60)
        ]
        data = tiny_text(tmp_path, pairs)
        for _ in range(2):  # learnt, then read again
            loaded = load(data, tmp_path / "cache")
            assert "of the train text" in loaded.cleaning and "read as unknown" in loaded.cleaning
            assert len(loaded.source_vocabulary) < 60
            assert [loaded.detokenise(tokens) for tokens in loaded.train.source] == [
                x for x, _ in pairs
            ]

    def test_long_lines_of_held_out_text_are_named_by_file_and_line(self, tmp_path):
        data = tiny_text(tmp_path, [("a b", "b a"), ("b", "a a")])
        Path(data.valid_source).write_text("a\n\n" + "a b " * 600 + "\nb\n", encoding="utf-8")
        Path(data.valid_target).write_text("b\nx\nb\na\n", encoding="utf-8")
        assert re.search(
            r"valid\.s:3: [\d,]+ tokens in one line.*divide it",
            load(data, tmp_path / "cache").cleaning,
        )

    def test_a_text_with_nothing_odd_says_no_more_than_what_was_dropped(self, store, text):
        assert all(" pairs read, " in line for line in store.dataset(text).cleaning.splitlines())


def make_model_in_process(root, recipe, barrier) -> None:
    torch.set_num_threads(1)
    barrier.wait(timeout=600)
    Store(root).model(recipe)


@pytest.mark.slow
def test_two_processes_making_the_same_model_both_end_with_it(store, rows, tmp_path):
    context, recipe = (
        multiprocessing.get_context("spawn"),
        replace(rows[TEACHER], optimisation=TWO_EPOCHS),
    )
    barrier = context.Barrier(2)
    both = [
        context.Process(target=make_model_in_process, args=(store.root, recipe, barrier))
        for _ in range(2)
    ]
    for process in both:
        process.start()
    for process in both:
        process.join(timeout=600)  # a hang fails; a busy machine does not
    assert [process.exitcode for process in both] == [0, 0]
    assert equal(store.model(recipe), Store(tmp_path / "alone").model(recipe))


class TestSchedule:
    def test_everything_comes_once_and_after_its_needs(self, rows):
        tasks = with_needs(Evaluate(recipe, 2, 0.0) for recipe in reversed(rows.values()))
        place = {task: number for number, task in enumerate(tasks)}
        assert len(place) == len(tasks)
        assert all(place[need] < place[task] for task in tasks for need in task.needs())
        kinds = [type(task) for task in tasks]
        assert (kinds.count(Train), kinds.count(Evaluate), kinds.count(Distil)) == (10, 10, 2)

    @pytest.mark.slow
    def test_two_workers_make_what_one_process_makes(self, text, tmp_path):
        run = TableRun(text, TINY, (1,), (TEACHER, BASELINE, SEQ_KD))

        class Noting(Watcher):
            events: list = []

            def started(self, task):
                self.events.append(("started", task))

            def moved(self, task, done, total):
                assert 0 <= done <= total

            def ended(self, task):
                self.events.append(("ended", task))

        run_all(run.tasks(), Store(tmp_path / "parallel"), 2, Noting())
        parallel = collect(run, Store(tmp_path / "parallel"))
        alone = collect(run, Store(tmp_path / "alone"))
        for results in (parallel, alone):
            for row in results["by_seed"]["1"].values():
                for search in ("greedy", "beam"):
                    del row[search]["words_per_second"]
        assert parallel == alone
        tasks = with_needs(run.tasks())
        place = {event: number for number, event in enumerate(Noting.events)}
        assert set(place) == {(what, task) for task in tasks for what in ("started", "ended")}
        for task in tasks:
            assert place["started", task] < place["ended", task]
            assert all(place["ended", need] < place["started", task] for need in task.needs())

    @pytest.mark.slow
    def test_an_error_in_a_worker_names_the_task(self, rows, store):
        store.model(rows[TEACHER])
        path = store.distilled_path(rows[SEQ_KD].distilled)
        path.parent.mkdir()
        path.write_text(
            "source\ttarget\tlog_prob\tsimilarity\nnot what it should be\n", encoding="utf-8"
        )
        with pytest.raises(TaskError, match=r"distil mode, K = 2 \(seed 1\).*1 rows for 100"):
            run_all([Train(rows[SEQ_KD])], store, 2, Watcher())
        shutil.rmtree(store.root)  # no worker is left that writes there


def test_the_lstms_revision_is_part_of_every_key(rows, monkeypatch):
    things = (rows[BASELINE], rows[SEQ_KD].distilled)
    before = [key(thing) for thing in things]
    monkeypatch.setitem(ARCHITECTURES, "lstm", ARCHITECTURES["lstm"]._replace(revision=99))
    key.cache_clear()
    after = [key(thing) for thing in things]
    key.cache_clear()
    assert all(old != new for old, new in zip(before, after, strict=True))


def test_a_newer_field_counts_just_where_it_says_something(rows):
    assert "embedding_scale" not in identity(rows[BASELINE])
    assert key(replace(rows[BASELINE], embedding_scale=0.5)) != key(rows[BASELINE])
