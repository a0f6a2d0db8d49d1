"""The memory study: its claims and words on made-up results, and a tiny run of the real thing."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import synthetic_memory
from small_corpus import TINY

from seqkd_lab.corpus.toy import ToyLanguage
from seqkd_lab.corpus.toy.dataset import SIZES
from seqkd_lab.corpus.toy.limited_memory import LimitedTruth
from seqkd_lab.files import FileError, write_json
from seqkd_lab.lab.shared.next_words import SentenceReading
from seqkd_lab.models.architectures import build
from seqkd_lab.models.transformer import TransformerSpec
from seqkd_lab.optimisation import Optimisation
from seqkd_lab.runs import store as store_module
from seqkd_lab.runs.data import load_toy
from seqkd_lab.runs.recipes import Distillation, ToyData
from seqkd_lab.runs.store import Store
from seqkd_lab.runs.study import by_seed, measure_seeds
from seqkd_lab.runs.verdicts import HELD, judge_claims
from seqkd_lab.studies.live import CORPORA, GOLD, MODE, SAMPLES
from seqkd_lab.studies.memory import examples as memory_examples
from seqkd_lab.studies.memory import reading, students
from seqkd_lab.studies.memory import study as memory_study
from seqkd_lab.studies.memory.examples import FORGOTTEN, KNOWN, likeliest, telling_place
from seqkd_lab.studies.memory.reading import change_of_gain
from seqkd_lab.studies.memory.students import EXAMPLES, MEMORIES, TRUTH, MemoryStudents, memory_key
from seqkd_lab.studies.memory.study import CLAIMS

ANSWERS = ("it grows", "it stays", "it shrinks", "unknown")
ROWS = by_seed(synthetic_memory.results())
TINY_STUDENTS = MemoryStudents(
    preset=TINY,
    data=ToyData(80),
    model=TransformerSpec(8, 1, 2, 8, 0.0),
    training=Optimisation(1, 0.01, 40),
    n_pairs=40,
    n_truth=12,
    n_examples=1,
)


def with_gain(full: float) -> list[dict]:
    """The rows with another gain of the mode where all is remembered."""
    rows = [json.loads(json.dumps(seed)) for seed in ROWS]
    for number, seed in enumerate(rows):
        seed[MODE]["all"]["valid"] = seed[GOLD]["all"]["valid"] + full / 100 + number / 10_000
    return rows


class TestJudged:
    def test_every_claim_is_held_where_the_students_are_as_the_lesson_says(self):
        assert [verdict.outcome for verdict in judge_claims(CLAIMS, ROWS)] == [HELD] * len(CLAIMS)

    @pytest.mark.parametrize(
        ("name", "break_it"),
        [
            ("M1", lambda seed: seed[MODE]["3"].update(valid=seed[GOLD]["3"]["valid"] + 0.09)),
            ("M2", lambda seed: seed[SAMPLES]["3"].update(valid=0.66)),
            ("M3", lambda seed: seed[SAMPLES]["3"].update(valid=0.20)),
            ("M4", lambda seed: seed[MODE]["all"].update(valid=1.4)),
            ("M5", lambda seed: seed[GOLD]["8"].update(valid=0.33)),
            ("M6", lambda seed: seed[MODE]["3"].update(valid_as_truth=0.3)),
            (
                "M7",
                lambda seed: seed[GOLD]["3"].update(
                    valid_as_truth=seed[TRUTH]["3"]["greedy"] + 0.03
                ),
            ),
        ],
    )
    def test_each_claim_can_fail(self, name, break_it):
        rows = [json.loads(json.dumps(seed)) for seed in ROWS]
        for seed in rows:
            break_it(seed)
        outcomes = {verdict.claim.name: verdict.outcome for verdict in judge_claims(CLAIMS, rows)}
        assert outcomes[name] != HELD

    @pytest.mark.parametrize(("full", "answer"), [(60.0, 0), (35.0, 1), (5.0, 2)])
    def test_what_becomes_of_the_gain(self, full, answer):
        assert change_of_gain(with_gain(full), ANSWERS) == ANSWERS[answer]

    def test_seeds_that_disagree_tell_nothing(self):
        rows = with_gain(35.0)
        rows[0][MODE]["all"]["valid"] += 0.4
        rows[1][MODE]["all"]["valid"] -= 0.4
        assert change_of_gain(rows, ANSWERS) == "unknown"

    def test_words_and_tables_quote_the_means(self):
        said = reading.in_words(ROWS)
        assert (
            "gold's student writes 40%" in said
            and "of the mode 75%" in said
            and "draws 45%" in said
        )
        assert "from 35 to 7 points" in said
        tables = list(memory_study.memory_tables(ROWS).values())
        assert (
            tables[0].loc["3", MODE].startswith("75.0 ± ") and tables[3].loc["3", "draws"] == "45.0"
        )


class TestExamples:
    def test_the_telling_place_needs_what_was_written_before(self):
        language, source = (
            ToyLanguage(),
            ("my", "ticket", "was", "new", "and", "the", "doctor", "hid", "it", "."),
        )
        target = language.mode(source)[0]
        place = telling_place(language, source, target, 3)
        full, short = (LimitedTruth.of(language, source, memory) for memory in (None, 3))
        assert full.next_token(target[:place])[target[place]] >= KNOWN
        assert short.next_token(target[:place])[target[place]] <= FORGOTTEN
        assert telling_place(language, source, target, len(target) + 1) is None

    def test_the_likeliest_words_come_first_and_ties_by_the_alphabet(self):
        assert list(likeliest({"b": 0.25, "a": 0.25, "c": 0.5}).items()) == [
            ("c", 0.5),
            ("a", 0.25),
            ("b", 0.25),
        ]
        assert len(likeliest({str(n): 0.1 for n in range(10)})) == 8

    def test_an_examples_distributions_are_the_truths_and_the_students(self, monkeypatch):
        data, source = (
            load_toy(ToyData(80)),
            ("my", "ticket", "was", "new", "and", "the", "doctor", "hid", "it", "."),
        )
        target = data.language.mode(source)[0]
        monkeypatch.setattr(
            memory_examples, "telling_sentences", lambda *_: iter([(source, target, 7)] * 5)
        )
        students = {
            (name, memory_key(memory)): build(
                replace(MemoryStudents().model, memory=memory),
                data.source_vocabulary,
                data.target_vocabulary,
            ).eval()
            for name in (GOLD, MODE)
            for memory in MEMORIES
        }
        made = memory_examples.examples(data.language, None, students, [], 2, MEMORIES, 3)
        assert len(made) == 2 and len(json.dumps(made)) * 4 < 400_000  # eight of them
        (one, _), place = made, 5
        assert (one["source"], one["target"], one["telling"]) == (list(source), list(target), 7)
        assert len(one["places"]) == len(target) + 1
        said, prefix = one["places"][place], target[:place]
        assert said["truth"] == likeliest(data.language.next_token(source, prefix))
        for memory in MEMORIES:
            limited = LimitedTruth.of(data.language, source, memory)
            assert said["memories"][memory_key(memory)]["truth"] == likeliest(
                limited.next_token(prefix)
            )
        student = students[MODE, "3"]
        reading = SentenceReading({"teacher": student}, source, target)
        for word, p in said["memories"]["3"][MODE].items():
            number = student.target_vocabulary.tokens.index(word)  # specials, too
            assert p == pytest.approx(
                float(reading.log_prob["teacher"][place][number].exp()), abs=1e-4
            )


class TestRun:
    @pytest.fixture
    def few_sentences(self, monkeypatch):
        """The toy corpus with a few sentences to judge by."""
        load = store_module.datasets.load

        def limited(data, cache):
            whole = load(data, cache)
            return replace(whole, valid=whole.valid[:8], test=whole.test[:12])

        monkeypatch.setattr(store_module.datasets, "load", limited)
        store_module._dataset.cache_clear()
        yield
        store_module._dataset.cache_clear()

    @pytest.mark.slow
    @pytest.mark.usefixtures("few_sentences")
    @pytest.mark.filterwarnings("ignore:the teacher wrote")
    def test_a_small_run_is_measured_whole_and_read_again(self, tmp_path, monkeypatch):
        monkeypatch.setattr(
            students, "examples", lambda *_: [synthetic_memory.example("a .", "ein .", 0)]
        )
        path, experiment = tmp_path / "memory.json", memory_study.study_of(TINY_STUDENTS)
        store, heard = Store(tmp_path / "store"), []
        measure_seeds(
            experiment,
            (21,),
            store,
            path,
            lambda seed: lambda done, total: heard.append((done, total)),
        )
        assert heard[-1] == (18, 18)
        (row,) = by_seed(reading.read(path))
        assert set(row) == {*CORPORA, TRUTH, EXAMPLES} and set(row[GOLD]) == {
            "1",
            "2",
            "3",
            "5",
            "8",
            "all",
        }
        shares = [row[TRUTH][label]["draws"] for label in row[TRUTH]]
        assert all(0.0 <= share <= 1.0 for share in shares) and row[TRUTH]["all"][
            "draws"
        ] == pytest.approx(1.0)
        assert experiment.tables(by_seed(reading.read(path)))

    def test_the_recipes_differ_in_memory_and_target_side_only(self):
        recipes = MemoryStudents().recipes(21)
        assert {memory for _, memory in recipes} == set(MEMORIES) and len(recipes) == 18
        for (name, memory), recipe in recipes.items():
            assert recipe.model == replace(MemoryStudents().model, memory=memory)
            assert (recipe.distilled is None) == (name == GOLD)
            if isinstance(recipe.distilled, Distillation):
                assert recipe.distilled.valid == (name == SAMPLES)
                assert recipe.distilled.share * SIZES["train"] == 12_000
        assert (
            len(
                {
                    (recipe.optimisation, recipe.seed, recipe.objective)
                    for recipe in recipes.values()
                }
            )
            == 1
        )

    @pytest.mark.parametrize(
        "break_it",
        [
            lambda results: results.update(study="other"),
            lambda results: results["by_seed"]["21"].pop(EXAMPLES),
            lambda results: results["by_seed"]["22"].pop(MODE),
            lambda results: results["by_seed"]["22"][GOLD].pop("5"),
            lambda results: results["by_seed"].update({"22": [1, 2]}),
            lambda results: results["by_seed"].update({"22": None}),
            lambda results: results.pop("settings"),
            lambda results: results.update(by_seed={}),
        ],
    )
    def test_what_is_not_the_studys_is_refused_by_name(self, tmp_path, break_it):
        results, path = synthetic_memory.results(), tmp_path / "memory.json"
        write_json(path, results)
        assert reading.read(path) == results
        break_it(results)
        write_json(path, results)
        with pytest.raises(FileError, match="memory.json"):
            reading.read(path)
