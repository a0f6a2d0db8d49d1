"""Where a person sees scores of own text: the table, its signatures, the report, the tour's
comparison; and why distillation did not help."""

from __future__ import annotations

import copy
import json
import re
import warnings
from dataclasses import replace
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_corpus import TINY, write_text

from seqkd_lab.cli.studies import print_table
from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.lab.paper_table.report import report_html
from seqkd_lab.metrics import bleu_metric, paired_bootstrap
from seqkd_lab.runs.committed import results_path
from seqkd_lab.runs.recipes import BASELINE, SEQ_KD, TEACHER
from seqkd_lab.runs.results import rows_by_seed
from seqkd_lab.runs.store import Store, key
from seqkd_lab.studies.table1 import tour
from seqkd_lab.studies.table1.study import collect
from seqkd_lab.studies.table1.table import (
    TableRun,
    read_results,
    shows_chrf,
    signatures,
    table_frame,
)
from seqkd_lab.studies.table1.why_no_gain import (
    Measured,
    causes_in,
    explain,
    measured_in,
    why_no_gain,
)

BLEU_SIGNATURE = "nrefs:1|case:mixed|eff:no|tok:zh|smooth:exp|version:2.6.0"
CHRF_SIGNATURE = "nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no|version:2.6.0"


def row(greedy: float, beam: float, **changed) -> dict:
    """What the store keeps of an evaluation on real text."""
    score = {
        "bleu_one_reference": 30.0,
        "length_ratio": 1.0,
        "brevity_penalty": 1.0,
        "validity": None,
        "words_per_second": 100.0,
        "distinct": 0.9,
        "repeated": 0.01,
    }
    return {
        "name": "row",
        "key": "0",
        "n_parameters": 35_000,
        "beam_size": 5,
        "perplexity": 9.0,
        "p_mode": 0.01,
        "same_translation": 0.5,
        "kl_to_truth": None,
        "p_true_mode": None,
        "greedy": {"bleu": greedy, "chrf": greedy + 20.0, **score},
        "beam": {"bleu": beam, "chrf": beam + 20.5, **score},
        "signature": BLEU_SIGNATURE,
        "chrf_signature": CHRF_SIGNATURE,
        **changed,
    }


def results_of(teacher: float, baseline: float, seq_kd: float, n_seeds: int = 1, **mode) -> dict:
    rows = {
        TEACHER: row(teacher, teacher),
        BASELINE: row(baseline, baseline),
        SEQ_KD: row(seq_kd, seq_kd),
    }
    seeds = [str(seed) for seed in range(1, n_seeds + 1)]
    curve = {"train_loss": [3.0] * 6, "valid_loss": [2.9] * 6, "learning_rate": [0.01] * 6}
    corpus = {"sentences": 10_000, "length_ratio": 1.0, "similarity": 45.0, **mode}
    measured = {name: {**row, "curves": curve} for name, row in rows.items()}
    measured[SEQ_KD]["distilled"] = corpus
    preset = {"student_training": {"batch_size": 64}}
    return {
        "study": "table1",
        "settings": {"data": "0", "preset": preset, "rows": list(rows)},
        "made_with": {"python": "3"},
        "by_seed": {seed: copy.deepcopy(measured) for seed in seeds},
    }


class TestTable:
    def test_chrf_stands_beside_bleu_where_every_row_has_it(self):
        frame = table_frame(results_of(30.0, 20.0, 22.0, n_seeds=2))
        assert list(frame.columns)[1:5] == ["BLEU K=1", "BLEU K=5", "chrF K=1", "chrF K=5"]
        assert (
            frame.loc[BASELINE, "chrF K=1"] == "40.0 ± 0.0"
            and frame.loc[SEQ_KD, "chrF K=5"] == "42.5 ± 0.0"
        )

    @pytest.mark.parametrize("name", [TEACHER, SEQ_KD])
    @pytest.mark.parametrize("search", ["greedy", "beam"])
    def test_one_row_without_it_takes_the_columns_away(self, name, search):
        results = results_of(30.0, 20.0, 22.0, n_seeds=2)
        del results["by_seed"]["2"][name][search]["chrf"]
        assert not shows_chrf(rows_by_seed(results)) and not any(
            "chrF" in column for column in table_frame(results).columns
        )
        assert signatures(results) == [f"BLEU: {BLEU_SIGNATURE}"]

    def test_the_toys_table_shows_validity_instead(self):
        results = results_of(30.0, 20.0, 22.0)
        for cells in results["by_seed"]["1"].values():
            cells["greedy"]["validity"], cells["kl_to_truth"] = 0.5, 0.1
        columns = table_frame(results).columns
        assert "valid K=1, %" in columns and not any("chrF" in column for column in columns)

    def test_older_committed_results_lack_it(self):
        assert not shows_chrf(rows_by_seed(read_results(results_path("table1.json"))))
        assert shows_chrf(rows_by_seed(read_results(results_path("multi30k.json"))))

    def test_it_stays_narrow_with_one_seed(self):
        assert (
            max(map(len, table_frame(results_of(30.0, 20.0, 22.0)).to_string().splitlines())) <= 120
        )

    def test_a_row_that_the_paper_does_not_have_is_shown_too(self):
        results = results_of(30.0, 20.0, 22.0)
        results["by_seed"]["1"]["seq-kd+more"] = row(23.0, 24.0)
        assert table_frame(results).loc["seq-kd+more", "BLEU K=1"] == "23.0"

    def test_signatures_are_printed_below(self, capsys):
        results = results_of(30.0, 20.0, 22.0)
        assert signatures(results) == [f"BLEU: {BLEU_SIGNATURE}", f"chrF2: {CHRF_SIGNATURE}"]
        print_table(results)
        assert all(line in capsys.readouterr().out for line in signatures(results)[:1])

    def test_rows_that_were_scored_in_different_ways_are_named(self):
        results = results_of(30.0, 20.0, 22.0)
        results["by_seed"]["1"][SEQ_KD]["signature"] = "nrefs:1|tok:13a"
        lines = signatures(results)
        assert lines[0].startswith(f"BLEU of {TEACHER}, {BASELINE}: ") and lines[1].startswith(
            f"BLEU of {SEQ_KD}: "
        )
        assert "do not compare" in lines[0]


class TestReport:
    def test_it_has_chrf_signatures_and_the_explanation(self):
        html = report_html(results_of(26.9, 9.0, 7.2), [], "title")
        assert "<th>chrF K=1</th>" in html and BLEU_SIGNATURE in html and CHRF_SIGNATURE in html
        assert "Distillation did not help here" in html
        assert "did not help" not in report_html(results_of(30.0, 20.0, 22.0), [], "title")

    def test_on_zeros_nothing_is_held_and_no_value_is_shown(self):
        html = report_html(results_of(0.2, 0.07, 0.14, n_seeds=3), [], "title")
        assert (
            "<b>cannot be judged</b>" in html
            and "<td>held</td>" not in html
            and "<b>not held</b>" not in html
        )
        assert "the teacher&#x27;s BLEU is 0.2 in one of 3 seeds" in html
        values = re.findall(r"<b>cannot be judged</b></td><td>[^<]*</td><td>([^<]*)</td>", html)
        assert values and set(values) == {"–"}


bleu = st.floats(0.0, 60.0)


class TestWhyNoGain:
    def test_nothing_is_said_where_distillation_helped(self):
        assert why_no_gain(results_of(30.0, 20.0, 22.0)) is None
        assert why_no_gain(read_results(results_path("table1.json"))) is None
        assert why_no_gain(read_results(results_path("multi30k.json"))) is None

    def test_nor_without_the_rows_that_it_compares(self):
        results = results_of(30.0, 20.0, 18.0)
        del results["by_seed"]["1"][SEQ_KD]
        assert why_no_gain(results) is None

    def test_undertrained_students_are_named_with_pairs_and_updates(self):
        said = why_no_gain(results_of(26.9, 9.0, 7.2))
        assert "Seq-KD is 1.8 BLEU below the baseline" in said and "10,000 training pairs" in said
        assert "942 updates of the student" in said, "6 epochs of 157 batches"
        assert "reaches 9.0 of its teacher's 26.9 BLEU" in said and "more epochs" in said

    @pytest.mark.parametrize(
        ("results", "cause"),
        [
            (results_of(21.0, 20.0, 19.0), "only 1.0 BLEU above the baseline"),
            (results_of(19.0, 20.0, 19.5), "not above the baseline"),
            (results_of(8.0, 4.5, 4.0), "The teacher's own BLEU is 8.0"),
            (results_of(30.0, 20.0, 19.0, length_ratio=0.8), "0.80 tokens for each token of gold"),
            (results_of(30.0, 20.0, 19.0, similarity=12.0), "sentence BLEU 12"),
            (results_of(30.0, 20.0, 19.0), "Nothing that was measured explains it"),
        ],
    )
    def test_each_cause_is_named_with_its_number(self, results, cause):
        assert cause in why_no_gain(results)

    def test_models_that_learned_nothing_have_no_causes_but_the_reason(self):
        said = why_no_gain(results_of(0.2, 0.07, 0.14))
        assert said.startswith(
            "Whether distillation helps here cannot be judged: the teacher's BLEU is 0.2; "
        )
        assert (
            "with 10,000 training pairs and 942 updates" in said
            and "Distillation did not" not in said
        )

    def test_old_results_without_curves_and_corpora_are_explained_too(self):
        results = results_of(26.9, 9.0, 7.2) | {"settings": {}}
        del results["by_seed"]["1"][SEQ_KD]["curves"], results["by_seed"]["1"][SEQ_KD]["distilled"]
        assert measured_in(results) == Measured(26.9, 9.0, 7.2)
        assert "training pairs" not in why_no_gain(results) and "26.9" in why_no_gain(results)

    @given(bleu, bleu, bleu, st.none() | st.floats(0.3, 2.0), st.none() | st.floats(0.0, 100.0))
    def test_what_is_said_is_true(self, teacher, baseline, seq_kd, ratio, similarity):
        measured = Measured(teacher, baseline, seq_kd, length_ratio=ratio, similarity=similarity)
        causes = " ".join(causes_in(measured))
        assert ("has little to teach" in causes) == (teacher - baseline < 3.0)
        assert ("not learned enough" in causes) == (baseline < teacher / 2)
        assert ("for each token of gold" in causes) == (
            ratio is not None and not 0.9 <= ratio <= 1.1
        )
        assert ("own BLEU is" in causes) == (teacher < 10.0)
        assert ("far from gold" in causes) == (similarity is not None and similarity < 20.0)
        said = explain(replace(measured, seq_kd=max(0.0, baseline - 1.0)))
        assert said.count(". ") <= 3 and all(
            len(sentence.split()) <= 30 for sentence in re.split(r"[.;] ", said)
        )


HEAD = "source\tgreedy\tbeam\tgreedy tokens\tbeam tokens\n"


class FakeStore:
    """A store of greedy outputs, whose evaluations are given."""

    def __init__(
        self, folder, outputs: dict[str, list[str]], rows: dict[str, dict], references: list[str]
    ):
        self.folder, self.rows = folder, rows
        for name, lines in outputs.items():
            (folder / name).mkdir()
            text = "".join(f"s\t{line}\t{line}\t{line}\t{line}\n" for line in lines)
            (folder / name / "translations.tsv").write_text(HEAD + text, encoding="utf-8")
        target = tuple(tuple(line.split()) for line in references)
        self.data = SimpleNamespace(
            test=ParallelCorpus("n", "test", "l", target, target),
            detokenise=" ".join,
            language=None,
        )

    def dataset(self, data):
        return self.data

    def evaluation(self, recipe, beam_size, length_penalty):
        return self.rows[recipe]

    def kept(self, recipe, name):
        return self.folder / recipe / name


REFERENCES = [f"das alte Sofa Nummer {i} ist kaputt ." for i in range(30)]
OUTPUTS = {
    BASELINE: [line.replace("ist", "war") for line in REFERENCES],
    SEQ_KD: [line.replace("ist", "war") if i % 3 else line for i, line in enumerate(REFERENCES)],
}
RUN = SimpleNamespace(
    seeds=(1,),
    data=SimpleNamespace(tokenize=None),
    preset=TINY,
    recipes=lambda seed: {name: name for name in (TEACHER, BASELINE, SEQ_KD)},
)


class TestComparison:
    def test_it_gives_both_metrics_with_interval_and_p(self, tmp_path):
        rows = {TEACHER: row(60.0, 60.0), BASELINE: row(50.0, 50.0), SEQ_KD: row(55.0, 55.0)}
        said = tour.paired_comparison(RUN, FakeStore(tmp_path, OUTPUTS, rows, REFERENCES))
        expected = paired_bootstrap(OUTPUTS[SEQ_KD], OUTPUTS[BASELINE], bleu_metric([REFERENCES]))
        assert f"Seq-KD {expected.difference:+.1f} BLEU over the baseline" in said
        assert f"p = {expected.p_value:.3f}, 95% interval [{expected.interval[0]:+.1f}, " in said
        assert "chrF: +" in said and said.count("p = ") == 2

    @pytest.mark.parametrize("zero", [TEACHER, BASELINE, SEQ_KD])
    def test_near_0_it_has_no_p(self, tmp_path, zero):
        rows = {
            name: row(0.2, 0.2) if name == zero else row(20.0, 20.0)
            for name in (TEACHER, BASELINE, SEQ_KD)
        }
        said = tour.paired_comparison(RUN, FakeStore(tmp_path, OUTPUTS, rows, REFERENCES))
        assert (
            "cannot be compared" in said
            and "BLEU is 0.2" in said
            and "p =" not in said
            and "bootstrap" not in said
        )


CHINESE = "一只 老的 小猫 看见 听见 红色 房子 树木 找到 那个 小狗 鸟儿 大的".split()


@pytest.fixture(scope="module")
def chinese(tmp_path_factory):
    """Six small files whose target side is Chinese, without spaces."""
    data = write_text(tmp_path_factory.mktemp("text") / "zh")
    for path in (data.target, data.valid_target, data.test_target):
        with open(path, encoding="utf-8") as file:
            lines = [line.split() for line in file]
        known = sorted({word for line in lines for word in line})
        text = "\n".join(
            "".join(CHINESE[known.index(word) % len(CHINESE)] for word in line) for line in lines
        )
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"{text}\n")
    return data


@pytest.fixture(scope="module")
def made(chinese, tmp_path_factory):
    """A store with three rows of Chinese, and the run that made them."""
    store, run = (
        Store(tmp_path_factory.mktemp("store")),
        TableRun(chinese, TINY, (1,), (TEACHER, BASELINE, SEQ_KD)),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # so small a teacher writes too much
        for task in run.tasks():
            task.run(store, lambda done, total: None)
    return store, run


@pytest.mark.filterwarnings("ignore:the teacher wrote")
class TestStore:
    def test_chinese_is_scored_by_characters_and_nothing_is_held(self, made):
        store, run = made
        results = collect(run, store)
        assert "tok:zh" in signatures(results)[0] and shows_chrf(rows_by_seed(results))
        assert "cannot be judged" in why_no_gain(results)
        assert "cannot be compared" in tour.paired_comparison(run, store)

    def test_another_tokeniser_scores_the_same_model_again(self, made, chinese):
        store, run = made
        recipe = run.recipes(1)[BASELINE]
        other = replace(recipe, data=replace(chinese, tokenize="char"))
        assert key(other) == key(recipe), "how it is scored changes no model"
        assert "tok:char" in store.evaluation(other, 2, 0.0)["signature"]
        assert "tok:zh" in store.evaluation(recipe, 2, 0.0)["signature"]

    def test_scores_of_an_older_lab_are_made_again(self, made):
        store, run = made
        recipe = run.recipes(1)[BASELINE]
        measured = store.evaluation(recipe, 2, 0.0)
        path = store.directory(recipe) / "metrics-beam2-penalty0.json"
        older = {**measured, "signature": "tok:13a"}
        del older["chrf_signature"]
        for search in ("greedy", "beam"):
            older[search] = {k: v for k, v in measured[search].items() if k != "chrf"}
        path.write_text(json.dumps(older), encoding="utf-8")
        again = store.evaluation(recipe, 2, 0.0)
        assert (
            again["greedy"]["bleu"] == measured["greedy"]["bleu"] and "tok:zh" in again["signature"]
        )
