"""Student trainer: choose an objective and a size, train beside the notebook, compare with earlier
tries."""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import Field, fields, replace
from html import escape

import ipywidgets as widgets
import pandas as pd
import torch

from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.distillation.losses import NLL, OBJECTIVES
from seqkd_lab.lab.shared.learning_curve import Curve, LearningDrawing
from seqkd_lab.lab.shared.view import (
    STYLE,
    WIDE,
    View,
    VisibleHTML,
    alpha_slider,
    picture_image,
    slider,
    temperature_slider,
)
from seqkd_lab.lab.word_kd.map_figure import MapDrawing, Own
from seqkd_lab.lab.word_kd.tries import COLUMNS, GOLD, LABELS, SEQ, WHOLE, Try, ranked, table_html
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.optimisation import Progress
from seqkd_lab.runs.data import Dataset
from seqkd_lab.runs.quick_student import QuickStudent, score_student, train_student
from seqkd_lab.studies.word_kd_map import Place

MOST_EPOCHS = 10
SECONDS_BETWEEN_PICTURES = 0.25


def setting_control(setting: Field) -> widgets.Widget:
    """Return the control of an objective's setting: a slider for α and τ, else a field from 0 to
    10."""
    sliders = {"alpha": alpha_slider, "temperature": temperature_slider}
    if setting.name in sliders:
        return sliders[setting.name]()
    return widgets.BoundedFloatText(
        setting.default, min=0.0, max=10.0, step=0.05, description=setting.name, style=STYLE
    )


class StudentTrainer(View):
    """Trains quick students and scores their greedy translations; `settings` says on how much, and
    the first sizes.

    The objectives are those of losses.OBJECTIVES, each with a control for each of its settings, and
    SEQ: NLL on `distilled`, the teacher's translations of the first pairs of data.train (without
    them there is no SEQ). Controls: `objective`, the settings (`alpha`, `temperature`, …), `width`,
    `epochs`; buttons `train_button`, `stop_button`; `bar`. `plan` says what they would train.
    `results` is a DataFrame with COLUMNS, a row a try, the best BLEU first; `earlier` are rows that
    it starts with. With `map_results` (word_kd_map) the map is shown in `map_image`, a ring around
    what is chosen and, in `own`, the students that compare with it: of its size and epochs, and not
    stopped. It starts with `own`. The map must be one of students with the same `settings`.

    Training runs in one thread of its own, draws random numbers from torch's global generator, and
    ends at the first update after a stop; a stopped student is scored too. `error` holds what the
    thread raised last.
    """

    is_in_controls = False  # but in the students that were trained

    objective: widgets.Dropdown
    width: widgets.IntSlider
    epochs: widgets.IntSlider

    def __init__(
        self,
        data: Dataset,
        teacher: Seq2Seq,
        distilled: ParallelCorpus | None = None,
        settings: QuickStudent | None = None,
        earlier: pd.DataFrame | None = None,
        seed: int = 1,
        objective: str = GOLD,
        map_results: Mapping | None = None,
        own: Sequence[Own] = (),
    ) -> None:
        self.teacher, self._data, self.seed = teacher, data, seed
        self.settings = settings or QuickStudent()
        self._kinds = {LABELS.get(name, name): kind for name, kind in OBJECTIVES.items()}
        self._distilled = distilled
        if distilled is not None:
            self._kinds[SEQ] = NLL
        columns = list(COLUMNS)
        self.results = pd.DataFrame(columns=columns) if earlier is None else earlier[columns].copy()
        self.student: Seq2Seq | None = None
        self.error: BaseException | None = None
        self.curves: list[Curve] = []
        self._curve = Curve("")  # the one at hand
        self.own = list(own)
        self.running = False  # whether a student is being trained or scored
        self._thread: threading.Thread | None = None
        self._stop, self._starting = threading.Event(), threading.Lock()
        self._drawn = threading.Lock()  # controls and the training thread both draw
        self._drawing = LearningDrawing(MOST_EPOCHS)
        self._map = None if map_results is None else MapDrawing(map_results)
        self._marked: tuple[int, Place | None] | None = None
        controls = self._controls(objective)
        super().__init__(controls, self._drawing.picture, self._rows(controls))
        if self._map is not None:
            self.map_image = picture_image(self._map.picture)
            self.children += (self.map_image,)
        self.redraw()

    def _controls(self, objective: str) -> dict[str, widgets.Widget]:
        """Return the controls by name."""
        look = {"style": STYLE, "layout": WIDE}
        width = self.settings.width
        settings = {field.name: field for kind in OBJECTIVES.values() for field in fields(kind)}
        self._settings = {name: setting_control(field) for name, field in settings.items()}
        return {
            "objective": widgets.Dropdown(
                options=list(self._kinds), value=objective, description="objective", **look
            ),
            **self._settings,
            "width": widgets.IntSlider(width, 8, 48, step=8, description="width", **look),
            "epochs": slider("epochs", self.settings.epochs, 1, MOST_EPOCHS),
        }

    def _rows(self, controls: Mapping[str, widgets.Widget]) -> list[widgets.Widget]:
        """Make the buttons, the bar and the lines of text, and return all from top to bottom."""
        self.train_button = widgets.Button(description="Train", button_style="primary", icon="play")
        self.stop_button = widgets.Button(description="Stop", icon="stop", disabled=True)
        self.train_button.on_click(lambda _: self.start())
        self.stop_button.on_click(lambda _: self.stop())
        self.bar = widgets.IntProgress(0, 0, 1, layout=widgets.Layout(width="18em"))
        self.plan, self.status = VisibleHTML(), VisibleHTML()
        buttons = widgets.HBox([self.train_button, self.stop_button, self.bar])
        return [*controls.values(), self.plan, buttons, self.status]

    @property
    def chosen(self) -> Try:
        """What the controls say."""
        names = [field.name for field in fields(self._kinds[self.objective.value])]
        settings = tuple((name, self._settings[name].value) for name in names)
        return Try(self.objective.value, settings, self.width.value, self.epochs.value)

    def _corpus(self, chosen: Try) -> ParallelCorpus:
        """Return the pairs that an objective learns from."""
        pairs = self._distilled if chosen.objective == SEQ else None
        return (self._data.train if pairs is None else pairs)[: self.settings.n_pairs]

    def _n_updates(self, chosen: Try) -> int:
        return chosen.epochs * -(-len(self._corpus(chosen)) // self.settings.batch_size)

    def _place(self, chosen: Try) -> Place | None:
        """Return its place on the map; None where the student would not be of the map's kind."""
        same_size = (chosen.width, chosen.epochs) == (self.settings.width, self.settings.epochs)
        if self._map is None or chosen.place is None or not same_size:
            return None
        return None if self._map.at(*chosen.place) is None else chosen.place

    def start(self) -> bool:
        """Train what the controls say; return False, and do nothing, while a training runs."""
        with self._starting:
            if self.running:
                self.status.value = "One student at a time: this one is still at work."
                return False
            self.running, self.error = True, None
            self._stop.clear()
            self._thread = threading.Thread(target=self._work, args=(self.chosen,), daemon=True)
            self._enable()
            self._thread.start()
        return True

    def stop(self) -> None:
        """End the training after the update at hand."""
        self._stop.set()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until the thread has ended, or for some seconds; return whether it has."""
        if self._thread is not None:
            self._thread.join(seconds)
        return self._thread is None or not self._thread.is_alive()

    def _enable(self) -> None:
        """Switch on what can be pressed or set now."""
        self.train_button.disabled, self.stop_button.disabled = self.running, not self.running
        used = dict(self.chosen.settings)
        for name, control in self._settings.items():
            control.disabled = name not in used

    def redraw(self, event: object = None) -> None:
        """Draw, in one thread at a time."""
        with self._drawn:
            super().redraw(event)

    def draw(self) -> str:
        """Show the plan, its place on the map and the curve at hand; return the table of tries."""
        chosen = self.chosen
        self._enable()
        self.plan.value = (
            f"To train: {escape(chosen.name)}, {self._n_updates(chosen):,} updates"
            f"{escape(self._mark_map(self._place(chosen)))}"
        )
        earlier = [curve for curve in self.curves if curve is not self._curve]
        self._drawing.show(self._curve, earlier)
        return table_html(self.results)

    def _mark_map(self, place: Place | None) -> str:
        """Draw the ring and the reader's students, where they have changed; return a note where
        there is no place for the choice."""
        if self._map is None:
            return ""
        if self._marked != (len(self.own), place):
            self._marked = len(self.own), place
            self._map.show(self.own, place)
            self.map_image.value = self._map.picture.png()
        if place is not None:
            return ""
        return (
            f"; the map has no place for it (it has width {self.settings.width}, "
            f"{self.settings.epochs} epochs, τ from {self._map.temperatures[0]:g} to "
            f"{self._map.temperatures[-1]:g})"
        )

    def _work(self, chosen: Try) -> None:
        """Run in the thread: train, and keep and show what it raises, which nobody else would
        see."""
        torch.set_num_threads(1)  # of this thread; the notebook keeps its own
        try:
            self._train(chosen, Curve(chosen.name))
        except Exception as error:
            self.error = error
            message = escape(f"{type(error).__name__}: {error}")
            details = escape(traceback.format_exc())
            self.status.value = (
                f"<b>This try failed</b>: {message}<details><summary>where</summary>"
                f"<pre>{details}</pre></details>"
            )
        finally:
            self.running = False
            self._enable()

    def _train(self, chosen: Try, curve: Curve) -> None:
        """Train and score a student, with its curve."""
        started, drawn, self._curve = time.perf_counter(), 0.0, curve
        settings = replace(self.settings, width=chosen.width, epochs=chosen.epochs)
        objective = self._kinds[chosen.objective](**dict(chosen.settings))

        def watch(progress: Progress) -> bool:
            """Note and show the update; return True to stop the training."""
            nonlocal drawn
            curve.hear(progress, chosen.epochs)
            is_last = progress.update == progress.n_updates
            if is_last or time.perf_counter() - drawn > SECONDS_BETWEEN_PICTURES:
                self._report(chosen, progress)
                drawn = time.perf_counter()
            return self._stop.is_set()

        student, _ = train_student(
            settings,
            self._data,
            objective,
            self.seed,
            self.teacher,
            callbacks=[watch],
            corpus=self._corpus(chosen),
        )
        self._finish(chosen, curve, student, started)

    def _report(self, chosen: Try, progress: Progress) -> None:
        self.bar.max, self.bar.value = progress.n_updates, progress.update
        self.status.value = (
            f"{escape(chosen.name)}: update {progress.update} of {progress.n_updates}, loss "
            f"{progress.loss:.2f} nats"
        )
        self.redraw()

    def _finish(self, chosen: Try, curve: Curve, student: Seq2Seq, started: float) -> None:
        """Score the student, and place it in the table and on the map."""
        done, planned = len(curve.updates), self._n_updates(chosen)
        ended = WHOLE if done == planned else f"stopped at update {done} of {planned}"
        seconds = time.perf_counter() - started
        n_test = len(self._data.test[: self.settings.n_test])
        self.status.value = f"{escape(chosen.name)}: translating {n_test} test sentences …"
        score = score_student(self.settings, self._data, student)
        self.results = ranked(self.results, chosen.row(curve, score, seconds, ended))
        self.student = student
        rank = 1 + int((self.results["BLEU greedy"] > score.bleu).sum())
        self.status.value = (
            f"{escape(chosen.name)} ({ended}): BLEU <b>{score.bleu:.1f}</b>, place {rank} of "
            f"{len(self.results)}"
        )
        self.curves.append(curve)
        place = self._place(chosen)
        if place is not None and ended == WHOLE:
            self.own.append(Own(*place, score.bleu))
        self.redraw()
