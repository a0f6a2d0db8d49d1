"""The form of a question: controls that the keyboard reaches (Tab, arrows, Enter); a still text
without ipywidgets."""

from __future__ import annotations

from html import escape
from typing import Any, Protocol

from seqkd_lab.corpus.visible import visible_lines
from seqkd_lab.lab.shared.predictions.questions import Choice, Kind, Ranking
from seqkd_lab.lab.shared.widget_bundle import widget_bundle

NOT_CHOSEN = ""
"""The value of a list's first choice: a browser shows a list whose value is None as blank."""
SURE = (
    ("how sure are you?", NOT_CHOSEN),
    ("a guess, 25%", 25.0),
    ("as likely as not, 50%", 50.0),
    ("rather sure, 75%", 75.0),
    ("sure, 95%", 95.0),
)


class Recorder(Protocol):
    """What a form asks of the recorder."""

    def answer(self, key: str, typed: Any, confidence: Any = None) -> Any: ...

    def answered(self, key: str) -> str | None: ...


class Form:
    """One question's form.

    `controls` (one for a choice or a number, one a place for a ranking), `confidence`, `button` and
    `note` are ipywidgets; `view` holds them all. Without ipywidgets all are None (controls is
    empty) and the form is a text that says which call answers the question.
    """

    def __init__(self, predictions: Recorder, key: str, question: str, kind: Kind) -> None:
        self.predictions, self.key, self.question, self.kind = predictions, key, question, kind
        self.controls: tuple = ()
        self.view: Any = None  # without ipywidgets there is none
        try:
            import ipywidgets
        except ImportError:
            return
        self._build(ipywidgets)

    def _build(self, widgets: Any) -> None:
        self.controls = controls_for(self.kind, widgets)
        self.confidence = widgets.Dropdown(options=SURE, value=NOT_CHOSEN, layout={"width": "14em"})
        self.button = widgets.Button(description="Record", tooltip="Record this prediction")
        self.note = widgets.HTML()
        answered = self.predictions.answered(self.key)
        if answered is not None:
            self.note.value = visible_lines(escape(f"Recorded: {answered}."))
        self.button.on_click(lambda _: self.record())
        head = widgets.HTML(f"<b>Predict:</b> {escape(self.question)}")
        self.view = widgets.VBox(
            [head, *self.controls, widgets.HBox([self.confidence, self.button]), self.note]
        )

    def typed(self) -> Any:
        """Return what the controls hold."""
        values = [control.value for control in self.controls]
        if isinstance(self.kind, Ranking):
            return [value for value in values if value != NOT_CHOSEN]
        return "" if values[0] is None else values[0]

    def record(self) -> None:
        """Record what the controls hold, and say so beneath them."""
        confidence = None if self.confidence.value == NOT_CHOSEN else self.confidence.value
        note = self.predictions.answer(self.key, self.typed(), confidence)
        self.note.value = visible_lines(note._repr_html_())

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        texts = {"text/plain": repr(self), "text/html": self._repr_html_()}
        return widget_bundle(self.view) | texts

    def _repr_html_(self) -> str:
        call = f"predictions.answer({self.key!r}, …)"
        how = f"Answer with {escape(self.kind.how_to)}: <code>{escape(call)}</code>"
        if answered := self.predictions.answered(self.key):
            how += f"<br>Recorded: {escape(answered)}."
        return f"<p><b>Predict:</b> {escape(self.question)}<br>{how}</p>"

    def __repr__(self) -> str:
        answered = self.predictions.answered(self.key)
        recorded = f"\nRecorded: {answered}." if answered else ""
        return (
            f"Predict: {self.question}\nAnswer with {self.kind.how_to}: "
            f"predictions.answer({self.key!r}, …){recorded}"
        )


def controls_for(kind: Kind, widgets: Any) -> tuple:
    """Return the controls that hold an answer of this kind, empty at first."""
    if isinstance(kind, Choice):
        return (
            widgets.RadioButtons(
                options=list(kind.options), value=None, layout={"width": "max-content"}
            ),
        )
    if isinstance(kind, Ranking):
        options = [("…", NOT_CHOSEN), *((item, item) for item in kind.items)]
        return tuple(
            widgets.Dropdown(
                options=options,
                value=NOT_CHOSEN,
                description=f"{rank}.",
                layout={"width": "max-content"},
            )
            for rank in range(1, len(kind.items) + 1)
        )
    return (
        widgets.Text(
            placeholder=kind.how_to,
            description=getattr(kind, "unit", ""),
            style={"description_width": "initial"},
            layout={"width": "32em"},
        ),
    )
