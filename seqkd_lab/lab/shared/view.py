"""The frame of all views: a box of controls above a picture and its numbers in text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from html import escape
from typing import Any, ClassVar

from matplotlib.figure import Figure

from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.corpus.visible import visible, visible_lines
from seqkd_lab.installation import pip
from seqkd_lab.lab.shared.picture import DOTS_PER_INCH, BlittedFigure

IPYWIDGETS = "install 'ipywidgets>=8.1,<9'"
try:
    import ipywidgets as widgets
    from traitlets import TraitError, validate
except ImportError as error:
    raise ImportError(
        "the views need ipywidgets, which is not installed: "
        f"{pip(IPYWIDGETS)}, then restart the kernel. The figures alone need no widgets."
    ) from error

STYLE = {"description_width": "9em"}
WIDE = widgets.Layout(width="46em", max_width="100%")
LETTERS = 90
NOBODY = ""
"""The value of a list of students for none of them: to a list the value None would mean that
nothing is chosen."""


class VisibleHTML(widgets.HTML):
    """HTML whose texts hold no control characters, marks of direction or halves of characters.

    Those would turn the words around them, and half a character cannot be sent to a browser at
    all.
    """

    @validate("value")
    def _make_visible(self, proposal: Any) -> str:
        return visible_lines(proposal["value"])


class View(widgets.VBox):
    """Controls above `image` (the picture as PNG) and `text` (its numbers in words, for those who
    do not see it).

    A subclass names its controls, makes its drawing, calls `redraw` at the end of its constructor,
    and defines `draw`. The wiring is written here, once: every control becomes an attribute of its
    name, and a change of its value redraws the view. `rows` arranges the controls (default: one
    below the other).

    A page without a kernel (the book) shows the view at all values of its controls, which the class
    attributes describe: `order`, `thinned` and `begins_anew`.
    """

    order: ClassVar[tuple[str, ...]] = ()
    """Names of controls, each after those that its values depend on (default: as they were
    named)."""
    thinned: ClassVar[Mapping[str, slice]] = {}
    """Control -> which of its values such a page has, where all of them would be too many."""
    begins_anew: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    """Control -> the controls whose values the view chooses anew when that one changes."""
    is_in_controls: ClassVar[bool] = True
    """Whether the controls alone say what is shown; where it is False, such a page has the still
    twin."""
    is_live = True
    """False while the view is read out for such a page: then nothing is sent to a front end."""

    def __init__(
        self,
        controls: Mapping[str, widgets.Widget],
        picture: BlittedFigure,
        rows: Sequence[widgets.Widget] | None = None,
    ) -> None:
        self.picture, self.image = picture, picture_image(picture)
        self.text = VisibleHTML()
        self.named = dict(controls)
        super().__init__([*(rows or self.named.values()), self.image, self.text])
        for name, control in self.named.items():
            setattr(self, name, control)
            if control.has_trait("value"):
                control.observe(self.redraw, "value")

    def draw(self) -> str:
        """Update the drawing to what the controls say, and return its words (HTML, escaped)."""
        raise NotImplementedError

    def redraw(self, _: object = None) -> None:
        """Draw, and show the picture and its words; an event of a control may be given."""
        self.show(self.draw())

    def show(self, text: str) -> None:
        """Send the picture as it is now, and `text` (HTML, escaped by its maker) below it."""
        self.words = text
        if not self.is_live:
            return
        self.image.value = self.picture.png()
        self.text.value = f'<div style="font-size:15px; line-height:1.5">{text}</div>'

    def stations(self, name: str, also: Sequence[Any] = ()) -> list[Any]:
        """Return the values of a control, at the present ones of the others, that a page without a
        kernel offers; those in `also` are among them."""
        every = values_of(self.named[name])
        chosen = every[self.thinned.get(name, slice(None))]
        return [value for value in every if value in chosen or value in also]

    def still(self, **values: Any) -> Figure:
        """Set some controls by name, and return the figure as it then is: the view's still twin.

        Raise ValueError for a name that is no control, and for a value that the control cannot
        have.
        """
        settable = {name: box for name, box in self.named.items() if box.has_trait("value")}
        for name, value in values.items():
            if name not in settable:
                raise ValueError(f"no control is called {name!r}; there are {', '.join(settable)}")
            try:
                settable[name].value = value
            except TraitError as error:
                raise ValueError(f"{name} cannot be {value!r}: {error}") from error
            if settable[name].value != value:
                raise ValueError(
                    f"{name} cannot be {value!r}: it stays at {settable[name].value!r}"
                )
        return self.picture.figure


def values_of(control: widgets.Widget) -> list[Any]:
    """Return all values that a control can have, in their order; none for a button or a text."""
    if isinstance(control, widgets.Checkbox):
        return [control.value] if control.disabled else [False, True]
    if isinstance(control, widgets.IntSlider):
        last = control.min if control.disabled else control.max
        return list(range(control.min, last + 1, control.step))
    if isinstance(control, widgets.FloatSlider):
        n_steps = round((control.max - control.min) / control.step)
        return [round(control.min + step * control.step, 10) for step in range(n_steps + 1)]
    return [value for _, value in labelled(control)]


def labelled(control: widgets.Widget) -> list[tuple[str, Any]]:
    """Return the label and the value of each option of a list; none for another control."""
    options = list(getattr(control, "options", ()))
    if all(isinstance(option, (tuple, list)) and len(option) == 2 for option in options):
        return [(label, value) for label, value in options]
    return [(str(option), option) for option in options]


@contextmanager
def unheard(control: widgets.Widget, handler: Callable) -> Iterator[None]:
    """Set `control` inside without calling `handler`: for a control that follows another one, whose
    own handler draws.

    So one event draws once, when all controls say what is shown.
    """
    control.unobserve(handler, "value")
    try:
        yield
    finally:
        control.observe(handler, "value")


def picture_image(picture: BlittedFigure) -> widgets.Image:
    """Return an empty image as wide as `picture`, narrower on a narrow page."""
    width = round(picture.figure.get_figwidth() * DOTS_PER_INCH)
    return widgets.Image(format="png", layout=widgets.Layout(width=f"{width}px", max_width="100%"))


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return an HTML table; every cell is escaped."""
    top = "".join(
        f'<th scope="col" style="text-align:left; padding:0 .8em">{escape(cell)}</th>'
        for cell in head
    )
    body = "".join(
        "<tr>"
        + "".join(f'<td style="padding:0 .8em">{escape(cell)}</td>' for cell in row)
        + "</tr>"
        for row in rows
    )
    first_row = f"<tr>{top}</tr>" if head else ""
    return f'<table style="border-collapse:collapse">{first_row}{body}</table>'


def slider(
    description: str, value: int, least: int, most: int, continuous: bool = True
) -> widgets.IntSlider:
    """Return a slider of whole numbers; with continuous=False it changes when it is let go."""
    control = widgets.IntSlider(
        value=value,
        min=least,
        max=max(most, least + 1),
        description=description,
        style=STYLE,
        layout=WIDE,
        continuous_update=continuous,
    )
    end_at(control, most)
    return control


def end_at(control: widgets.IntSlider, last: int) -> None:
    """Let a slider end at `last`; a value beyond it becomes the last one.

    A browser cannot draw a slider of one place, so that one is switched off, with a second place
    that is not reached.
    """
    control.value = min(control.value, last)
    control.max = max(last, control.min + 1)
    control.disabled = last == control.min


def alpha_slider(value: float = 0.5) -> widgets.FloatSlider:
    """Return a slider of α from 0 to 1."""
    return widgets.FloatSlider(
        value=value, min=0.0, max=1.0, step=0.05, description="α", style=STYLE, layout=WIDE
    )


def temperature_slider(value: float = 1.0) -> widgets.SelectionSlider:
    """Return a slider of τ from 1/4 to 8, each step about the same factor; a choice of numbers, so
    that τ = 1 is met exactly."""
    options = [
        (f"{tau:g}", tau) for tau in (0.25, 0.35, 0.5, 0.7, 1.0, 1.4, 2.0, 2.8, 4.0, 5.6, 8.0)
    ]
    return widgets.SelectionSlider(
        options=options, value=value, description="τ (temperature)", style=STYLE, layout=WIDE
    )


def sentence_chooser(sources: Sequence[Sequence[str]]) -> widgets.Dropdown:
    """Return a list of sentences; its value is the sentence's index. Raise ValueError when there
    are none."""
    if not sources:
        raise ValueError("the view needs at least one sentence to show")
    options = [
        (f"{number}: {shortened(' '.join(source))}", number - 1)
        for number, source in enumerate(sources, 1)
    ]
    return widgets.Dropdown(
        options=options, value=0, description="sentence", style=STYLE, layout=WIDE
    )


def student_chooser(names: Iterable[str], nobody: bool) -> widgets.Dropdown:
    """Return a list of students; with `nobody` the first choice is NOBODY. Raise ValueError for an
    empty list."""
    options = [("none", NOBODY)] if nobody else []
    options += [(shortened(name), name) for name in names]
    if not options:
        raise ValueError("the view needs at least one student")
    return widgets.Dropdown(
        options=options, index=0, description="student", style=STYLE, layout=WIDE
    )


def shortened(text: str) -> str:
    """Return at most LETTERS letters of a text, as a list or a picture may show it."""
    return visible(text if len(text) <= LETTERS else f"{text[: LETTERS - 1]}…")


def first(corpus: ParallelCorpus, n_sentences: int) -> ParallelCorpus:
    """Return the first pairs of a corpus. Raise ValueError when there are none."""
    if n_sentences < 1 or not len(corpus):
        raise ValueError(f"need at least one sentence; got {n_sentences} of {len(corpus)}")
    return corpus[:n_sentences]


def prefix_html(target: Sequence[str], position: int) -> str:
    """Return the target with what is read so far in bold and the next word underlined."""
    words = [*map(escape, target), "(end)"]
    read, rest = " ".join(words[:position]), " ".join(words[position + 1 :])
    return f"<b>{read}</b> <u>{words[position]}</u> <span style='color:#666'>{rest}</span>"
