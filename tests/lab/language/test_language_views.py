"""What lessons 0 and 1 stand on: measures against the language's own, typed sentences, panels
driven all the way."""

from __future__ import annotations

import math

import ipywidgets as widgets
import pytest
from matplotlib.figure import Figure

from seqkd_lab.corpus.toy import Ambiguity, ToyLanguage
from seqkd_lab.lab.language import ambiguity as measures
from seqkd_lab.lab.language import figures as language_figures
from seqkd_lab.lab.language import notebook as language
from seqkd_lab.lab.language.view import StrengthPanel
from seqkd_lab.lab.shared import comparison, lesson
from seqkd_lab.lab.shared import models as table_models
from seqkd_lab.lab.shared.widget_bundle import widget_bundle

SOURCE = tuple("my ticket was new and the doctor hid it .".split())
LANGUAGE = ToyLanguage()


@pytest.fixture(scope="module")
def found():
    return measures.sweep(SOURCE, measures.some_sources(2), (0.0, 0.5, 1.0))


class TestMeasures:
    @pytest.mark.parametrize("source", measures.some_sources(5))
    def test_entropy_is_the_languages_own(self, source):
        assert measures.entropy(LANGUAGE.targets(source)) == pytest.approx(LANGUAGE.entropy(source))

    def test_surprises_of_one_who_remembers_add_up_to_the_translations_own(self):
        probability_of = LANGUAGE.targets(SOURCE)
        for translation, p in list(probability_of.items())[:10]:
            remembering, forgetting = measures.surprises(probability_of, translation)
            assert sum(remembering) == pytest.approx(-math.log(p))
            assert len(forgetting) == len(translation)

    def test_the_cost_of_forgetting_by_hand(self):
        """Two translations: the last word must be known from the first, and the word between tells
        nothing."""
        half = {("a", "x", "A"): 0.5, ("b", "x", "B"): 0.5}
        assert measures.cost_of_forgetting(half) == pytest.approx(math.log(2))
        free = {("a", "x", last): 0.5 for last in "AB"}
        assert measures.cost_of_forgetting(free) == pytest.approx(0.0, abs=1e-12)
        near = {("a", "A"): 0.5, ("b", "B"): 0.5}  # one word of memory is enough
        assert measures.cost_of_forgetting(near) == pytest.approx(0.0, abs=1e-12)

    def test_forgetting_costs_the_mean_of_what_it_adds_to_the_surprises(self):
        probability_of = {("a", "x", "A"): 0.3, ("b", "x", "B"): 0.5, ("b", "x", "A"): 0.2}
        added = 0.0
        for translation, p in probability_of.items():
            remembering, forgetting = measures.surprises(probability_of, translation)
            added += p * (sum(forgetting) - sum(remembering))
        assert measures.cost_of_forgetting(probability_of) == pytest.approx(added)

    def test_without_ambiguity_there_is_nothing_to_forget(self):
        none = measures.measure(ToyLanguage(Ambiguity.none()), measures.some_sources(4))
        assert none == measures.Measures(0.0, 0.0, 1.0, 1.0)

    def test_every_source_stands_in_one_family(self):
        assert sorted(name for family in measures.FAMILIES.values() for name in family) == sorted(
            measures.SOURCES
        )

    def test_the_sweep_holds_every_setting_and_full_strength_is_one_language(self, found):
        assert found.names == (measures.ALL, *measures.SOURCES)
        assert len(found.settings) == len(found.names) * 3
        assert len({found.settings[name, 1.0].measures for name in found.names}) == 1
        assert found.values(measures.ALL, "entropy")[0] == 0.0

    def test_wrong_settings_are_refused(self):
        with pytest.raises(ValueError, match="no source of ambiguity"):
            measures.with_strength("gender", 0.5)
        for strengths in ((0.0, 0.5), (1.0, 0.0), (0.5, 1.0)):
            with pytest.raises(ValueError, match="rise from 0 to 1"):
                measures.sweep(SOURCE, [SOURCE], strengths)


class TestTypedSentences:
    @pytest.mark.parametrize(
        "text",
        ["", "   ", "<script>alert(1)</script>", "the zebra slept .", "x" * 10_000, "…", "$x$"],
    )
    def test_whatever_is_typed_gets_an_answer(self, text):
        answer = comparison.compare({}, text)
        assert answer.trouble and not answer.rows
        assert "<script" not in answer._repr_html_() and len(repr(answer)) < 1000

    def test_a_sentence_of_the_language_is_translated_and_judged(self):
        models = lesson.models(("teacher",))
        answer = comparison.compare(
            models, "The OLD teacher sold the sofa because it was broken", beam_size=2
        )
        assert [(row.model, row.search) for row in answer.rows] == [
            ("teacher", "greedy"),
            ("teacher", "beam 2"),
        ]
        for row in answer.rows:
            assert 0.0 < row.p_model < 1.0 and (row.fault is None) == (row.p_true > 0.0)
            assert row.text in answer._repr_html_() and row.text in repr(answer)


class TestPanel:
    def test_the_words_quote_the_measures_of_the_setting(self, found):
        panel = StrengthPanel(found)
        panel.still(source="noun", strength=0.5)
        assert panel.data is found.settings["noun", 0.5] and len(panel.data.drawn) == 5
        assert f"{panel.data.measures.entropy:.2f}" in panel.text.value

    def test_the_picture_says_which_kind_has_which_strength(self, found):
        drawing = language_figures.StrengthDrawing(found)
        said = []
        for name, strength in (("noun", 0.0), ("tense", 0.5), (measures.ALL, 1.0)):
            drawing.show(name, strength)
            said += [
                artist.get_text()
                for artist in drawing.picture.animated
                if hasattr(artist, "get_text") and "likeliest" in artist.get_text()
            ]
        assert said == [
            f"likeliest translations, {setting}"
            for setting in (
                "noun at 0, all others at 1",
                "tense at 0.5, all others at 1",
                "all kinds at 1",
            )
        ]

    @pytest.mark.slow
    def test_every_figure_can_be_saved(self, found):
        probability_of = LANGUAGE.targets(SOURCE)
        words = next(iter(probability_of))
        made = [
            language_figures.translations_figure(probability_of),
            language_figures.kinds_figure(language.costs(measures.some_sources(2))),
            language_figures.words_figure(words, *measures.surprises(probability_of, words)),
            language_figures.strength_figure(found, "noun", 0.5),
        ]
        assert all(
            isinstance(figure, Figure) and lesson.png(figure).startswith(b"\x89PNG")
            for figure in made
        )


class TestLesson:
    def test_a_still_shows_the_widget_the_picture_or_the_words(self):
        still = lesson.StaticView(Figure(), "an empty picture", widgets.IntSlider())
        bundle, metadata = still._repr_mimebundle_()
        assert {"image/png", "text/plain", "application/vnd.jupyter.widget-view+json"} <= set(
            bundle
        )
        assert (
            bundle["text/plain"] == "an empty picture"
            and metadata["image/png"]["alt"] == "an empty picture"
        )
        assert (
            "application/vnd.jupyter.widget-view+json"
            not in lesson.StaticView(Figure(), "alone")._repr_mimebundle_()[0]
        )

    def test_a_widget_is_shown_as_ipywidgets_itself_does(self):
        slider = widgets.IntSlider()
        own = slider._repr_mimebundle_()
        own = own[0] if isinstance(own, tuple) else own
        assert widget_bundle(slider).items() <= own.items() and widget_bundle(None) == {}

    def test_an_expectation_says_inside_or_outside(self):
        assert "inside" in repr(lesson.should_see("it", 1.0, 0.0, 1.0, "why"))
        outside = lesson.should_see("<b>", 2.0, 0.0, 1.0, "why")
        assert (
            not outside.held and "OUTSIDE" in repr(outside) and "<b>" not in outside._repr_html_()
        )

    @pytest.mark.parametrize("value, fast", [("1", True), ("0", False), ("", False)])
    def test_the_fast_switch(self, monkeypatch, value, fast):
        monkeypatch.setenv(lesson.FAST_SWITCH, value)
        assert lesson.is_fast() is fast and lesson.scaled(10, 1) == (1 if fast else 10)

    def test_predictions_lie_where_the_environment_says(self, monkeypatch, tmp_path):
        monkeypatch.setenv(lesson.PREDICTIONS_FILE, str(tmp_path / "mine.json"))
        assert lesson.predictions().path == tmp_path / "mine.json"

    def test_the_map_links_what_is_there(self, tmp_path):
        (tmp_path / lesson.lessons()[0].file).write_text("")
        lines = repr(lesson.lesson_map(tmp_path)).splitlines()[2:]
        assert len(lines) == len(lesson.lessons())
        assert "(00_start_here.ipynb)" in lines[0] and "not in this copy" in lines[1]

    def test_a_missing_model_is_named(self):
        with pytest.raises(FileNotFoundError, match="no committed model of nobody"):
            lesson.models(("nobody",))

    @pytest.mark.slow
    def test_models_from_nothing_are_trained_once_and_then_found(self, monkeypatch, tmp_path):
        monkeypatch.setenv(lesson.FAST_SWITCH, "1")
        monkeypatch.setattr(table_models, "cache_directory", lambda: tmp_path)
        first = lesson.models(("seq-kd",), from_nothing=True)["seq-kd"]
        files = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("model.safetensors")}
        again = lesson.models(("seq-kd",), from_nothing=True)["seq-kd"]
        assert (
            len(files) == 2 and {path: path.stat().st_mtime_ns for path in files} == files
        )  # the teacher and it
        assert all(
            first.state_dict()[name].equal(values) for name, values in again.state_dict().items()
        )
