"""Student trainer: choose an objective and a size, train beside the notebook, compare with earlier
tries."""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape

import ipywidgets as widgets
import pandas as pd
import torch

from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.distillation.losses import NLL, BalancedWordKD
from seqkd_lab.lab.shared.learning_curve import Curve, LearningDrawing
from seqkd_lab.lab.shared.view import (
    STYLE,
    WIDE,
    View,
    alpha_slider,
    picture_image,
    slider,
    temperature_slider,
)
from seqkd_lab.lab.word_kd.map_figure import MapDrawing, Own
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.runs.data import Dataset
from seqkd_lab.runs.quick_student import QuickStudent, score_student, train_student
from seqkd_lab.studies.word_kd_map import Place
from seqkd_lab.training import Progress

GOLD, WORD, SEQ = "NLL on gold", "Word-KD", "Seq-KD"
COLUMNS = (
    "objective",
    "α",
    "τ",
    "width",
    "epochs",
    "NLL of gold",
    "BLEU greedy",
    "valid %",
    "seconds",
    "ended",
)
WHOLE = "whole"
MOST_EPOCHS = 10
SECONDS_BETWEEN_PICTURES = 0.25


@dataclass(frozen=True)
class Try:
    """What one press of the button trains. alpha and temperature count for Word-KD only."""

    objective: str
    alpha: float
    temperature: float
    width: int
    epochs: int

    @property
    def name(self) -> str:
        """For people: "Word-KD, α 0.5, τ 1, width 24, 4 epochs"."""
        mixed = f", α {self.alpha:g}, τ {self.temperature:g}" if self.objective == WORD else ""
        return f"{self.objective}{mixed}, width {self.width}, {self.epochs} epochs"

    @property
    def place(self) -> Place | None:
        """Its place on a map of Word-KD, where gold alone is α = 0; None for what has none."""
        return {WORD: (self.alpha, self.temperature), GOLD: (0.0, None)}.get(self.objective)


class StudentTrainer(View):
    """Trains quick students and scores their greedy translations; `settings` says on how much, and
    the first sizes.

    distilled is the teacher's rewriting of the first pairs of data.train (without it there is no
    Seq-KD). Controls: `objective`, `alpha`, `temperature`, `width`, `epochs`; buttons
    `train_button`, `stop_button`; `bar`. `plan` says what they would train. `results` is a
    DataFrame with COLUMNS, a row a try, the best BLEU first; `earlier` are rows that it starts
    with. With `map_results` (word_kd_map) the map is shown in `map_image`, a ring around what is
    chosen and, in `own`, the students that compare with it: of its size and epochs, and not
    stopped. It starts with `own`. The map must be one of students with the same `settings`.

    Training runs in one thread of its own, draws random numbers from torch's global generator, and
    ends at the first update after a stop; a stopped student is scored too. `error` holds what the
    thread raised last.
    """

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
        self.teacher, self.seed, self._data, self.settings = (
            teacher,
            seed,
            data,
            settings or QuickStudent(),
        )
        self._corpora = {GOLD: data.train, WORD: data.train} | (
            {} if distilled is None else {SEQ: distilled}
        )
        self.results = (
            pd.DataFrame(columns=list(COLUMNS))
            if earlier is None
            else earlier.loc[:, list(COLUMNS)].copy()
        )
        self.student: Seq2Seq | None = None
        self.error: BaseException | None = None
        self.curves: list[Curve] = []
        self.own = list(own)
        self._thread: threading.Thread | None = None
        self.running = False  # whether a student is being trained or scored
        self._stop, self._lock = threading.Event(), threading.Lock()
        self._map_lock = threading.Lock()  # sliders and the training thread both draw on the map
        self._drawing = LearningDrawing(MOST_EPOCHS)
        super().__init__(self._make_controls(objective), self._drawing.picture)
        self._map = None if map_results is None else MapDrawing(map_results)
        if self._map is not None:
            self.map_image = picture_image(self._map.picture)
            self.children += (self.map_image,)
        self.objective.observe(lambda _: self._enable(self.running), "value")
        for control in (self.objective, self.alpha, self.temperature, self.width, self.epochs):
            control.observe(self._show_plan, "value")
        self.train_button.on_click(lambda _: self.start())
        self.stop_button.on_click(lambda _: self.stop())
        self._enable()
        self._draw(Curve(""))
        self._show_plan()

    def _make_controls(self, objective: str) -> list[widgets.Widget]:
        self.objective = widgets.Dropdown(
            options=list(self._corpora),
            value=objective,
            description="objective",
            style=STYLE,
            layout=WIDE,
        )
        self.alpha, self.temperature = alpha_slider(), temperature_slider()
        self.width = widgets.IntSlider(
            value=self.settings.width,
            min=8,
            max=48,
            step=8,
            description="width",
            style=STYLE,
            layout=WIDE,
        )
        self.epochs = slider("epochs", self.settings.epochs, 1, MOST_EPOCHS)
        self.train_button = widgets.Button(description="Train", button_style="primary", icon="play")
        self.stop_button = widgets.Button(description="Stop", icon="stop", disabled=True)
        self.bar = widgets.IntProgress(
            value=0, min=0, max=1, description="", layout=widgets.Layout(width="18em")
        )
        self.plan, self.status = widgets.HTML(), widgets.HTML()
        buttons = widgets.HBox([self.train_button, self.stop_button, self.bar])
        return [
            self.objective,
            self.alpha,
            self.temperature,
            self.width,
            self.epochs,
            self.plan,
            buttons,
            self.status,
        ]

    @property
    def chosen(self) -> Try:
        """What the controls say."""
        return Try(
            self.objective.value,
            self.alpha.value,
            self.temperature.value,
            self.width.value,
            self.epochs.value,
        )

    def _n_updates(self, chosen: Try) -> int:
        n_pairs = len(self._corpora[chosen.objective][: self.settings.n_pairs])
        return chosen.epochs * -(-n_pairs // self.settings.batch_size)

    def _compares(self, chosen: Try) -> bool:
        """Whether the student would be one of the map's kind."""
        same = (chosen.width, chosen.epochs) == (self.settings.width, self.settings.epochs)
        return same and chosen.place is not None and self._map.at(*chosen.place) is not None

    def start(self) -> bool:
        """Trains what the controls say; returns False, and does nothing, while a training runs."""
        with self._lock:
            if self.running:
                self.status.value = "One student at a time: this one is still at work."
                return False
            self.running, self.error = True, None
            self._stop.clear()
            self._thread = threading.Thread(target=self._work, args=(self.chosen,), daemon=True)
            self._enable(working=True)
            self._thread.start()
        return True

    def stop(self) -> None:
        """Ends the training after the update at hand."""
        self._stop.set()

    def wait(self, seconds: float | None = None) -> bool:
        """Waits until the thread has ended, or for some seconds; returns whether it has."""
        if self._thread is not None:
            self._thread.join(seconds)
        return self._thread is None or not self._thread.is_alive()

    def _enable(self, working: bool = False) -> None:
        self.train_button.disabled, self.stop_button.disabled = working, not working
        for control in (self.alpha, self.temperature):
            control.disabled = self.objective.value != WORD

    def _show_plan(self, _: dict | None = None) -> None:
        """What the controls ask for, in words and as a ring on the map."""
        chosen, note = self.chosen, ""
        if self._map is not None:
            compares = self._compares(chosen)
            note = (
                ""
                if compares
                else (
                    f"; the map has no place for it (it has width {self.settings.width}, "
                    f"{self.settings.epochs} epochs, τ from {self._map.temperatures[0]:g} to "
                    f"{self._map.temperatures[-1]:g})"
                )
            )
            with self._map_lock:
                self._map.show(self.own, chosen.place if compares else None)
                self.map_image.value = self._map.picture.png()
        self.plan.value = (
            f"To train: {escape(chosen.name)}, {self._n_updates(chosen):,} updates{escape(note)}"
        )

    def _work(self, chosen: Try) -> None:
        torch.set_num_threads(1)  # of this thread; the notebook keeps its own
        curve = Curve(chosen.name)
        try:
            self._train(chosen, curve)
        except (
            Exception
        ) as error:  # shown to the person, and kept: nobody else would see what a thread raises
            self.error = error
            self.status.value = (
                "<b>This try failed</b>: "
                f"{escape(f'{type(error).__name__}: {error}')}<details><summary>where</summary><pre>{escape(traceback.format_exc())}</pre></details>"
            )
        finally:
            self.running = False
            self._enable()

    def _train(self, chosen: Try, curve: Curve) -> None:
        started, drawn = time.perf_counter(), 0.0
        settings = replace(self.settings, width=chosen.width, epochs=chosen.epochs)
        objective = (
            BalancedWordKD(chosen.alpha, chosen.temperature) if chosen.objective == WORD else NLL()
        )

        def watch(progress: Progress) -> bool:
            """Notes and shows the update; True stops the training."""
            nonlocal drawn
            curve.hear(progress, chosen.epochs)
            if (
                time.perf_counter() - drawn > SECONDS_BETWEEN_PICTURES
                or progress.update == progress.n_updates
            ):
                self._report(chosen, progress, curve)
                drawn = time.perf_counter()
            return self._stop.is_set()

        student, _ = train_student(
            settings,
            self._data,
            objective,
            self.seed,
            self.teacher,
            callbacks=[watch],
            corpus=self._corpora[chosen.objective],
        )
        n_done, n_updates = len(curve.updates), self._n_updates(chosen)
        ended = WHOLE if n_done == n_updates else f"stopped at update {n_done} of {n_updates}"
        self._finish(chosen, curve, student, ended, time.perf_counter() - started)

    def _report(self, chosen: Try, progress: Progress, curve: Curve) -> None:
        self.bar.max, self.bar.value = progress.n_updates, progress.update
        self.status.value = (
            f"{escape(chosen.name)}: update {progress.update} of {progress.n_updates}, loss "
            f"{progress.loss:.2f} nats"
        )
        self._draw(curve)

    def _finish(
        self, chosen: Try, curve: Curve, student: Seq2Seq, ended: str, seconds: float
    ) -> None:
        n_test = len(self._data.test[: self.settings.n_test])
        self.status.value = f"{escape(chosen.name)}: translating {n_test} test sentences …"
        score = score_student(self.settings, self._data, student)
        mixed = chosen.objective == WORD
        validity = float("nan") if score.validity is None else 100.0 * score.validity
        row = (
            chosen.objective,
            chosen.alpha if mixed else float("nan"),
            chosen.temperature if mixed else float("nan"),
            chosen.width,
            chosen.epochs,
            curve.validations[-1][1] if curve.validations else float("nan"),
            score.bleu,
            validity,
            seconds,
            ended,
        )
        added = pd.DataFrame([row], columns=list(COLUMNS))
        joined = pd.concat([self.results, added], ignore_index=True) if len(self.results) else added
        self.results = joined.sort_values(
            "BLEU greedy", ascending=False, kind="stable", ignore_index=True
        )
        self.student = student
        place = 1 + int((self.results["BLEU greedy"] > score.bleu).sum())
        self.status.value = (
            f"{escape(chosen.name)} ({ended}): BLEU <b>{score.bleu:.1f}</b>, place {place} of "
            f"{len(self.results)}"
        )
        self._draw(curve)
        self.curves.append(curve)
        if self._map is not None and ended == WHOLE and self._compares(chosen):
            self.own.append(Own(*chosen.place, score.bleu))
            self._show_plan()

    def _draw(self, curve: Curve) -> None:
        self._drawing.show(curve, self.curves)
        shown = self.results.round(2).rename_axis("place")
        shown.index += 1
        table = shown.to_html(border=0, na_rep="–", escape=True)
        for cell in ("<th>", "<td>"):  # none of them can come from what is shown: that is escaped
            table = table.replace(cell, f'{cell[:-1]} style="padding:0 .6em">')
        self.show(table if len(shown) else "No try yet.")
