"""The table of both architectures: its recipes, a small run end to end, and the judgement."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest
from small_corpus import ONE_EPOCH, TINY, write_text
from synthetic_table3 import write_rows

from seqkd_lab.cli import main
from seqkd_lab.files import write_json
from seqkd_lab.lab.speculative.architecture_figures import crossed_figure, search_figure
from seqkd_lab.models.architectures import build
from seqkd_lab.models.lstm import LSTMSpec
from seqkd_lab.models.transformer import TransformerSpec
from seqkd_lab.runs.data import load_toy
from seqkd_lab.runs.presets import SHORT, TRANSFORMER
from seqkd_lab.runs.recipes import TEACHER, ToyData
from seqkd_lab.runs.results import rows_by_seed
from seqkd_lab.runs.schedule import Watcher, run_all
from seqkd_lab.runs.store import Store
from seqkd_lab.runs.study import measure_seeds
from seqkd_lab.runs.tasks import Evaluate
from seqkd_lab.runs.verdicts import HELD
from seqkd_lab.studies import architectures
from seqkd_lab.studies.architectures import (
    CHOSEN,
    CURVES,
    LSTM_TEACHER,
    SEARCHED_SEED,
    SECONDS,
    STUDY,
    ArchitecturesRun,
    architectures_frame,
    crossed,
    pairings_in,
    search_in_words,
    study_of,
    variants,
)

pytestmark = pytest.mark.filterwarnings("ignore:the teacher wrote")


def test_a_crossed_preset_takes_all_of_the_teacher_from_one_and_all_of_the_student_from_the_other():
    made = crossed(TRANSFORMER, SHORT)
    assert made == replace(
        SHORT,
        teacher=TRANSFORMER.teacher,
        teacher_training=TRANSFORMER.teacher_training,
        teacher_tuning=TRANSFORMER.teacher_tuning,
    )
    assert crossed(SHORT, SHORT) == SHORT


def test_what_was_tried_differs_in_what_its_name_says_and_from_every_seed_of_the_table():
    recipes = variants(ToyData())
    chosen = recipes.pop(CHOSEN)
    assert chosen.seed == SEARCHED_SEED and chosen.model == TRANSFORMER.teacher
    assert recipes.pop(LSTM_TEACHER).model == SHORT.teacher
    for name, recipe in recipes.items():
        assert recipe != chosen and recipe.seed == SEARCHED_SEED, name
        assert ("rate" in name) == (
            recipe.optimisation.learning_rate != chosen.optimisation.learning_rate
        )
        assert ("warm-up" in name) == (recipe.optimisation.warmup == 0.0)
        assert ("tied" in name) == recipe.model.tied and ("dropout" in name) == (
            recipe.model.dropout > 0.0
        )


def test_every_model_is_judged_once_though_tables_share_some():
    tasks = ArchitecturesRun(ToyData()).tasks(1)
    evaluated = [task.recipe for task in tasks if isinstance(task, Evaluate)]
    assert len(evaluated) == len(set(evaluated)) == 2 + 2 + 4 * 3


def test_models_of_both_kinds_are_of_one_size():
    data = load_toy(ToyData())
    for role in ("teacher", "student"):
        sizes = [
            build(
                getattr(preset, role), data.source_vocabulary, data.target_vocabulary
            ).n_parameters()
            for preset in (SHORT, TRANSFORMER)
        ]
        assert max(sizes) < 1.15 * min(sizes)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A small run of two seeds, whole."""
    folder = tmp_path_factory.mktemp("architectures")
    teacher, student = TransformerSpec(8, 1, 2, 8, 0.0), TransformerSpec(4, 1, 2, 8, 0.0)
    small = {"LSTM": TINY, "Transformer": replace(TINY, teacher=teacher, student=student)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(architectures, "KINDS", small)
        patch.setattr(
            architectures,
            "variants",
            lambda data: {
                CHOSEN: architectures.Recipe(
                    CHOSEN, data, LSTMSpec(4), architectures.NLL(), ONE_EPOCH, 11
                )
            },
        )
        run, store = ArchitecturesRun(write_text(folder / "text")), Store(folder / "store")
        run_all([task for seed in (1, 2) for task in run.tasks(seed)], store, 1, Watcher())
        path, study = folder / "architectures.json", study_of(run, repetitions=2)
        results = measure_seeds(study, (1, 2), store, path, lambda seed: lambda *now: None)
        yield rows_by_seed(results)


@pytest.mark.slow
class TestResults:
    def test_the_one_table_has_each_row_once(self, made):
        by_seed = copy.deepcopy(made)
        assert len(by_seed) == 2 and len(pairings_in(by_seed[0])) == 2 + 2 + 4 * 3
        for rows in by_seed:  # real text has no truth to be valid by: what the frame shows of toys
            for pairing in pairings_in(rows):
                for search in ("greedy", "beam"):
                    rows[pairing.name][search]["validity"] = 0.5
        frame = architectures_frame(by_seed)
        places = list(zip(frame.index, frame["teacher"], frame["student"], strict=True))
        assert len(set(places)) == 16
        assert places[:2] == [(TEACHER, "LSTM", ""), (TEACHER, "Transformer", "")]
        assert "LSTM" in search_in_words(by_seed)
        assert all(len(times) == 2 and min(times) > 0 for times in by_seed[0][SECONDS].values())

    def test_both_pictures_can_be_drawn_and_hold_every_number(self, made):
        lines = [text.get_text() for text in search_figure(made).axes[0].get_legend().get_texts()]
        assert lines == [f"{made[0][CURVES][CHOSEN]['valid_loss'][-1]:.3f}  {CHOSEN}"]
        axes = crossed_figure(made).axes[0]
        labels = [label.get_text() for label in axes.get_yticklabels()]
        assert len(set(labels)) == 16 and "Transformer: seq-kd from an LSTM" in labels
        assert len(axes.texts) == 32

    @pytest.mark.parametrize("content", [[], {}, {"by_seed": {"1": {"a|b": {}}}}])
    def test_what_is_no_result_is_refused(self, tmp_path, content, capsys):
        write_json(tmp_path / "wrong.json", content)
        assert main(["cross", "--check", "--results", str(tmp_path / "wrong.json")]) == 2
        assert "wrong.json" in capsys.readouterr().err


ONE = {"bleu_one_reference": 40.0}
"""What is measured beside the validity, on the toy alone."""


@pytest.mark.slow
def test_the_verdict_is_the_exit_code(made, tmp_path, capsys):
    held = copy.deepcopy(made)
    for rows in held:
        for pairing in pairings_in(rows):
            bleu = 80.0 if pairing.row == "baseline" else 85.0
            rows[pairing.name]["kl_to_truth"] = 0.1
            rows[pairing.name]["greedy"] |= {"validity": 0.97, "bleu": bleu, **ONE}
            rows[pairing.name]["beam"] |= {"validity": 0.98, **ONE}
    worse_teacher, worse_student = copy.deepcopy(held), copy.deepcopy(held)
    for rows in worse_teacher:
        rows["Transformer||teacher"]["greedy"]["validity"] = 0.95
    for rows in worse_student:
        rows["LSTM|Transformer|seq-kd"]["greedy"]["bleu"] = 79.0
    with_variants = dict.fromkeys(variants(ToyData()), held[0][architectures.CURVES][CHOSEN])
    for by_seed in (held, worse_teacher, worse_student):  # the tiny study tries one variant alone
        by_seed[0][architectures.CURVES] = with_variants
    expected = ((held, []), (worse_teacher, ["A1"]), (worse_student, ["A2"]))
    for number, (by_seed, missed) in enumerate(expected):
        verdicts = STUDY.judge(by_seed)
        assert [v.claim.name for v in verdicts if v.outcome != HELD] == missed
        path = write_rows(tmp_path / f"{number}.json", STUDY, by_seed)
        code = main(["cross", "--check", "--results", str(path)])
        assert code == (1 if missed else 0)
    assert "an epoch of the teacher" in capsys.readouterr().out
