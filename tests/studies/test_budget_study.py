"""The budget study: its recipes, the interpolation, claims, tables and sentences by hand, and the
figure."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ttest_1samp
from small_corpus import TINY

from seqkd_lab.lab.seq_kd import budget
from seqkd_lab.lab.seq_kd.budget import budget_figure
from seqkd_lab.lab.shared.style import role_of
from seqkd_lab.runs.presets import TOY
from seqkd_lab.runs.recipes import BASELINE, SEQ_KD, WORD_KD, ToyData, table_recipes
from seqkd_lab.runs.store import key
from seqkd_lab.runs.tasks import Evaluate
from seqkd_lab.runs.verdicts import HELD, NOT_HELD
from seqkd_lab.studies.budget import gains as budget_gains
from seqkd_lab.studies.budget import students, study
from seqkd_lab.studies.budget.gains import (
    AT_MOST,
    EXACT,
    MORE_THAN,
    Bounded,
    beam_gain,
    gain,
    level,
    standing,
    updates_ratio,
    updates_to_reach,
    when_it_helps,
)
from seqkd_lab.studies.budget.students import (
    BEAM_BLEU,
    GREEDY_BLEU,
    GREEDY_VALID,
    METHODS,
    TABLE,
    BudgetStudents,
)
from seqkd_lab.studies.budget.study import CLAIMS, STUDY, budget_tables

FACTORS = (0.25, 0.5, 1.0, 2.0, 4.0)
"""The tests' budgets: one more than the committed study has."""
N_STUDENTS = 5 + 3 + 5
UPDATES = (100, 200, 400, 800, 1600)
BASELINE_BLEU = (50.0, 60.0, 70.0, 80.0, 90.0)


@pytest.fixture(autouse=True)
def five_budgets(monkeypatch):
    for module in (students, budget_gains, study, budget):
        monkeypatch.setattr(module, "FACTORS", FACTORS)


def synthetic(baseline=BASELINE_BLEU, word=None, seq=None, beam: float = 2.0) -> dict:
    """One seed's measurements: greedy BLEU by budget; validity is BLEU minus 40 in percent, the
    beam adds `beam`."""
    by_method = {
        BASELINE: baseline,
        WORD_KD: word or [b + 1.0 for b in baseline],
        SEQ_KD: seq or [b + 5.0 for b in baseline],
    }
    return {
        method: {
            f"{factor:g}": {
                "epochs": n // 50,
                "updates": n,
                "greedy_bleu": bleu,
                "beam_bleu": bleu + beam,
                "greedy_validity": (bleu - 40.0) / 100.0,
                "beam_validity": (bleu - 39.0) / 100.0,
                "p_mode": 0.05,
                "same_translation": 0.6,
                "perplexity": 2.5,
            }
            for factor, n, bleu in zip(FACTORS, UPDATES, levels, strict=True)
        }
        for method, levels in by_method.items()
    }


def gains(*by_budget: float) -> dict:
    """A seed in which Seq-KD gains so much BLEU, and as many points of validity, at the five
    budgets."""
    return synthetic(seq=[b + g for b, g in zip(BASELINE_BLEU, by_budget, strict=True)])


class TestStudents:
    def test_at_the_tables_budget_they_are_the_rows_of_table_1(self):
        rows, recipes = table_recipes(ToyData(), TOY, 21), BudgetStudents().recipes(21)
        assert [recipes[method, TABLE] for method in METHODS] == [
            rows[method] for method in METHODS
        ]
        assert [recipes[method, TABLE].name for method in METHODS] == list(METHODS)
        assert key(recipes[SEQ_KD, TABLE]) == key(rows[SEQ_KD])

    def test_other_budgets_differ_in_their_epochs_only(self):
        budget_students, expected = BudgetStudents(), [0.25, 0.5, 1.0, 2.0, 4.0]
        for (method, factor), recipe in budget_students.recipes(21).items():
            row = table_recipes(ToyData(), TOY, 21)[method]
            assert recipe.optimisation.epochs == pytest.approx(
                factor * TOY.student_training.epochs, abs=0.5
            )
            assert (
                recipe.distilled,
                recipe.teacher,
                recipe.objective,
                recipe.model,
                recipe.seed,
            ) == (row.distilled, row.teacher, row.objective, row.model, 21)
            assert recipe.optimisation.learning_rate == row.optimisation.learning_rate
        assert sorted({factor for _, factor in budget_students.recipes(21)}) == expected

    def test_every_student_is_evaluated_as_in_table_1_and_has_a_label_of_its_own(self):
        tasks = STUDY.tasks(21)
        assert len(set(tasks)) == len({task.label for task in tasks}) == N_STUDENTS
        assert all(
            isinstance(task, Evaluate) and (task.beam_size, task.length_penalty) == (5, 0.0)
            for task in tasks
        )

    def test_a_preset_of_one_epoch_trains_for_one_at_least(self):
        assert [BudgetStudents(preset=TINY).epochs(factor) for factor in FACTORS] == [1, 1, 1, 2, 4]

    def test_its_settings_say_what_decides_the_numbers(self):
        kept = STUDY.settings
        longer = replace(TOY, student_training=replace(TOY.student_training, epochs=99))
        assert BudgetStudents(preset=longer).settings() != kept
        assert BudgetStudents(ToyData(100)).settings() != kept
        tuned = replace(TOY, student_tuning=replace(TOY.student_tuning, epochs=99))
        assert (
            BudgetStudents(preset=tuned).settings() == BudgetStudents().settings()
        )  # no student here is fine-tuned


increasing = st.lists(st.integers(1, 10**6), min_size=2, max_size=8, unique=True).map(sorted)


class TestUpdatesToReach:
    @pytest.mark.parametrize(
        ("target", "reached"),
        [
            (10.0, Bounded(100, EXACT)),
            (5.0, Bounded(100, AT_MOST)),
            (40.0, Bounded(400, EXACT)),
            (20.0, Bounded(200, EXACT)),
            (40.1, Bounded(400, MORE_THAN)),
        ],
    )
    def test_at_the_budgets_themselves_and_outside(self, target, reached):
        assert updates_to_reach((100, 200, 400), (10.0, 20.0, 40.0), target) == reached

    def test_half_way_up_is_half_way_in_the_logarithm(self):
        reached = updates_to_reach((100, 200, 400), (10.0, 20.0, 40.0), 30.0)
        assert (reached.value, reached.bound) == (pytest.approx(200.0 * math.sqrt(2.0)), EXACT)

    def test_the_first_crossing_counts_where_levels_fall_again(self):
        assert updates_to_reach((1, 2, 4, 8), (0.0, 10.0, 0.0, 10.0), 10.0) == Bounded(2)

    @pytest.mark.parametrize(
        ("updates", "levels"), [((), ()), ((1, 2), (1.0,)), ((1,), (1.0, 2.0))]
    )
    def test_a_level_for_each_budget(self, updates, levels):
        with pytest.raises(ValueError, match="level for each"):
            updates_to_reach(updates, levels, 1.0)

    @given(increasing, st.data())
    def test_it_is_the_inverse_of_the_curve(self, updates, data):
        """Against numpy's interpolation of the levels over log updates, at any budget in
        between."""
        n = len(updates)
        levels = sorted(
            data.draw(st.lists(st.integers(0, 1000), min_size=n, max_size=n, unique=True))
        )
        budget = data.draw(st.floats(updates[0], updates[-1]))
        target = float(np.interp(math.log(budget), np.log(updates), levels))
        reached = updates_to_reach(updates, levels, target)
        assert reached.value == pytest.approx(budget, rel=1e-6)

    @given(increasing, st.data(), st.floats(-10, 1010), st.floats(0, 100))
    def test_more_is_never_reached_sooner_and_never_outside_the_budgets(
        self, updates, data, target, more
    ):
        levels = data.draw(
            st.lists(st.floats(0, 1000), min_size=len(updates), max_size=len(updates))
        )
        less, later = (updates_to_reach(updates, levels, goal) for goal in (target, target + more))
        assert updates[0] <= less.value <= later.value * (1 + 1e-9) <= updates[-1] * (1 + 2e-9)
        assert (later.bound == MORE_THAN) == (max(levels) < target + more)

    @given(increasing, st.data(), st.floats(0, 1000), st.integers(2, 50))
    def test_levels_and_updates_may_have_any_unit(self, updates, data, target, factor):
        levels = data.draw(
            st.lists(st.integers(0, 1000), min_size=len(updates), max_size=len(updates))
        )
        plain = updates_to_reach(updates, levels, target)
        scaled = updates_to_reach(
            [factor * n for n in updates], [2.0 * one for one in levels], 2.0 * target
        )
        assert (scaled.value, scaled.bound) == (
            pytest.approx(factor * plain.value, rel=1e-6),
            plain.bound,
        )


class TestMeasures:
    """By hand, from `synthetic`."""

    def test_levels_are_bleu_and_percent(self):
        rows = synthetic()
        assert level(rows, BASELINE, 1.0, GREEDY_BLEU) == 70.0
        assert level(rows, SEQ_KD, 0.25, GREEDY_VALID) == pytest.approx(15.0)

    def test_gains(self):
        rows = gains(9.0, 7.0, 5.0, 1.0, -2.0)
        assert [gain(rows, factor, GREEDY_BLEU) for factor in FACTORS] == [9.0, 7.0, 5.0, 1.0, -2.0]
        assert gain(rows, 1.0, GREEDY_VALID) == pytest.approx(5.0)
        assert gain(rows, 1.0, GREEDY_BLEU, WORD_KD) == 1.0
        assert gain(rows, 1.0, BEAM_BLEU) == 5.0
        assert beam_gain(synthetic(beam=1.5), WORD_KD, 2.0) == 1.5

    def test_updates_ratio(self):
        """Seq-KD has 75 BLEU after 400 updates: the baseline needs half way, in logarithms, from
        400 to 800."""
        assert updates_ratio(synthetic(), GREEDY_BLEU).value == pytest.approx(math.sqrt(2.0))
        assert updates_ratio(gains(0, 0, 25, 0, 0), GREEDY_BLEU) == Bounded(4.0, MORE_THAN)
        assert updates_ratio(gains(0, 0, 20, 0, 0), GREEDY_BLEU) == Bounded(4.0, EXACT)
        assert updates_ratio(gains(0, 0, -25, 0, 0), GREEDY_BLEU) == Bounded(0.25, AT_MOST)
        assert [str(updates_ratio(gains(0, 0, g, 0, 0), GREEDY_BLEU)) for g in (25, 10, -25)] == [
            "> 4.00",
            "2.00",
            "≤ 0.25",
        ]


def verdicts(*by_seed: dict) -> dict[str, str]:
    return {verdict.claim.name: verdict.outcome for verdict in STUDY.judge(by_seed)}


class TestClaims:
    def test_values_by_hand(self):
        rows = gains(9.0, 7.0, 5.0, 1.0, -2.0)
        values = {claim.name: claim.value(rows) for claim in CLAIMS}
        expected = {
            "B1": 9.0,
            "B2": 5.0,
            "B3": 7.0,
            "B4": -2.0,
            "B5": -2.0,
            "B6": math.sqrt(2.0),
            "B7": 1.0,
        }
        assert values == {name: pytest.approx(value) for name, value in expected.items()}

    def test_bounds(self):
        assert [(claim.name, claim.least, claim.most) for claim in CLAIMS] == [
            ("B1", 0.0, math.inf),
            ("B2", 0.0, math.inf),
            ("B3", 0.0, math.inf),
            ("B4", -math.inf, 1.0),
            ("B5", -math.inf, 5.0),
            ("B6", 2.0, math.inf),
            ("B7", 0.0, math.inf),
        ]
        assert all(claim.original and claim.ours for claim in CLAIMS)

    def test_a_short_cut_holds_them_all(self):
        assert set(verdicts(gains(12, 11, 15, 4, 0.5), gains(13, 11, 15, 4, 0.5)).values()) == {
            HELD
        }

    @pytest.mark.parametrize(
        ("name", "by_budget"),
        [
            ("B1", (-1, 9, 11, 4, 0)),
            ("B2", (9, 9, -1, 4, -2)),
            ("B3", (9, 9, 11, 4, 12)),
            ("B4", (9, 9, 11, 4, 2)),
            ("B5", (9, 9, 11, 4, 6)),
            ("B6", (9, 9, 3, 4, 0)),
            ("B7", (9, 9, 0.5, 4, 0)),
        ],
    )
    def test_each_can_fail(self, name, by_budget):
        assert verdicts(gains(*by_budget), gains(*by_budget))[name] == NOT_HELD

    def test_word_kd_below_the_baseline_is_not_between(self):
        rows = synthetic(word=[b - 1.0 for b in BASELINE_BLEU])
        assert verdicts(rows, rows)["B7"] == NOT_HELD


class TestTables:
    def test_gains_by_budget(self):
        frame = study.gain_frame([gains(9, 7, 5, 1, -2), gains(11, 7, 5, 1, -2)])
        assert list(frame.index) == ["100", "200", "400 (Table 1)", "800", "1,600"]
        # two values 9 and 11: t = 12.706 times their standard error 1
        assert list(frame["BLEU K=1"]) == [
            "10.0 ± 12.7",
            "7.0 ± 0.0",
            "5.0 ± 0.0",
            "1.0 ± 0.0",
            "-2.0 ± 0.0",
        ]
        assert frame.loc["400 (Table 1)", "valid K=1, %"] == "5.0 ± 0.0"

    def test_levels_by_method_and_budget(self):
        frame = study.level_frame([synthetic()])
        assert len(frame) == N_STUDENTS
        assert list(frame.loc[f"{SEQ_KD}, 1,600"]) == [
            "95.0",
            "97.0",
            "55.0",
            "56.0",
            "5.0",
            "60.0",
            "2.50",
        ]

    def test_what_the_beam_adds(self):
        frame = study.beam_frame([synthetic(beam=1.0), synthetic(beam=1.0)])
        assert list(frame.index) == list(METHODS) and set(frame.to_numpy().ravel()) == {
            "1.0 ± 0.0",
            "",
        }

    def test_updates_saved_a_line_a_seed(self):
        frame = study.ratio_frame([synthetic(), gains(0, 0, 25, 0, 0)])
        assert frame.to_dict("list") == {
            "BLEU K=1": ["1.41", "> 4.00"],
            "valid K=1, %": ["1.41", "> 4.00"],
        }
        assert list(frame.index) == [1, 2]

    def test_all_have_headings_and_lines(self):
        tables = budget_tables([synthetic(), synthetic()])
        assert len(tables) == 4 and all(len(frame) for frame in tables.values())


class TestWhenItHelps:
    @given(
        st.lists(st.floats(-10, 10), min_size=2, max_size=6).filter(
            lambda values: len(set(values)) > 1
        )
    )
    def test_standing_agrees_with_scipys_t_test(self, values):
        low, high = ttest_1samp(values, 0.0).confidence_interval(0.95)
        if min(abs(low), abs(high)) > 1e-6:
            expected = (
                budget_gains.HELPS
                if low > 0
                else budget_gains.BEHIND
                if high < 0
                else budget_gains.UNCLEAR
            )
            assert standing(values) == expected

    def test_no_width_and_no_gain_is_no_help(self):
        assert standing([0.0, 0.0]) == budget_gains.UNCLEAR

    @pytest.mark.parametrize(
        ("by_budget", "end"),
        [
            ((9, 8, 7, 6, 5), "By the interval it helps at the largest budget, too."),
            ((0, 0, 0, 0, 0), "By the interval it helps at none of these budgets."),
            ((-1, -1, -1, -1, -1), "By the interval it helps at none of these budgets."),
            ((9, 8, 7, 0, 0), "From 800 updates on it cannot be told from the baseline."),
            ((9, 8, 7, 6, -2), "From 1,600 updates on it is behind the baseline."),
            (
                (9, 0, 7, 0, -2),
                "From 800 updates on it cannot be told from the baseline or is behind the "
                "baseline.",
            ),
        ],
    )
    def test_from_which_budget_on(self, by_budget, end):
        said = when_it_helps([gains(*by_budget), gains(*by_budget)]).splitlines()
        assert [line.split(":")[0] for line in said] == [
            "Greedy BLEU",
            "Valid greedy translations (points)",
        ]
        assert said[0].endswith(f" {end}")

    def test_every_budget_is_said_with_its_gain_and_interval(self):
        said = when_it_helps([gains(9, 8, 7, 0, -2), gains(9, 8, 7, 0, -2)]).splitlines()[0]
        assert said.startswith(
            "Greedy BLEU: Seq-KD helps at 100 updates (+9.0 [9.0, 9.0]), helps at 200 updates (+8.0"
        )
        assert "cannot be told from the baseline at 800 updates (+0.0 [0.0, 0.0])" in said
        assert "is behind the baseline at 1,600 updates (-2.0 [-2.0, -2.0])." in said

    def test_one_seed_says_nothing(self):
        assert "cannot say" in when_it_helps([synthetic()])


@pytest.mark.parametrize("n_seeds", [1, 3])
class TestFigure:
    @pytest.fixture
    def figure(self, n_seeds):
        return budget_figure(
            [synthetic([b + seed for b in BASELINE_BLEU]) for seed in range(n_seeds)]
        )

    def test_two_panels_that_end_where_the_data_can(self, figure):
        bleu, share = figure.axes
        assert (bleu.get_ylim()[1], share.get_ylim()[1]) == (100.0, 1.0)
        assert bleu.get_ylim()[0] >= 0.0 and share.get_ylim()[0] >= 0.0
        assert "BLEU" in bleu.get_ylabel() and "valid" in share.get_ylabel()

    def test_budgets_are_plain_numbers_on_a_log_axis(self, figure):
        for axes in figure.axes:
            assert axes.get_xscale() == "log"
            assert [label.get_text() for label in axes.get_xticklabels()] == [
                "100",
                "200",
                "400",
                "800",
                "1,600",
            ]
            assert "Table 1" in {text.get_text() for text in axes.texts}

    def test_a_line_a_method_with_the_means(self, figure, n_seeds):
        lines = {
            line.get_label(): line
            for line in figure.axes[0].lines
            if not line.get_label().startswith("_")
        }
        assert set(lines) == set(METHODS)
        assert {name: line.get_color() for name, line in lines.items()} == {
            name: role_of(name).colour for name in METHODS
        }
        shift = (n_seeds - 1) / 2.0
        assert list(lines[BASELINE].get_ydata()) == pytest.approx(
            [b + shift for b in BASELINE_BLEU]
        )

    def test_every_seed_is_a_stroke(self, figure, n_seeds):
        for axes in figure.axes:
            strokes = [line for line in axes.lines if line.get_marker() == "_"]
            assert sum(len(line.get_ydata()) for line in strokes) == N_STUDENTS * n_seeds

    def test_it_can_be_read_from_the_back_row(self, figure):
        figure.canvas.draw()
        texts = [
            text
            for axes in figure.axes
            for text in (
                axes.xaxis.label,
                axes.yaxis.label,
                *axes.get_xticklabels(),
                *axes.get_yticklabels(),
                *axes.texts,
            )
        ]
        texts += [figure._suptitle, *figure.legends[0].get_texts()]
        assert min(text.get_fontsize() for text in texts) >= 13
