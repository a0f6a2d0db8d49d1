"""A student's learning curve beside those of the tries before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from matplotlib.figure import Figure

from seqkd_lab.lab.shared.picture import BlittedFigure, add_label
from seqkd_lab.lab.shared.style import BLUE, GREY, VERMILION, panels, styled
from seqkd_lab.optimisation import Progress

MOST_NATS = 6.5  # ln of a vocabulary of 665 words: a model that knows nothing
SMOOTHING = 20  # updates


@dataclass
class Curve:
    """One try: how far it is and its training loss at each update, how far and gold NLL at each
    validation (nats a token). How far is in epochs, or in what else the whole is measured in.
    The training loss is of the try's own objective; validation is NLL of gold, which compares."""

    name: str = ""
    updates: list[tuple[float, float]] = field(default_factory=list)
    validations: list[tuple[float, float]] = field(default_factory=list)

    def hear(self, progress: Progress, whole: float) -> None:
        """Record an update, and the validation that came with it; `whole` is how far the training
        goes in all."""
        done = progress.update / progress.n_updates * whole
        self.updates.append((done, progress.loss))
        if progress.valid_loss is not None:
            self.validations.append((done, progress.valid_loss))

    def smoothed(self) -> list[tuple[float, float]]:
        """Return the training loss as the mean of the latest SMOOTHING updates, at every fifth
        update at most."""
        losses = [loss for _, loss in self.updates]
        updates = range(0, len(losses), max(1, len(losses) // 200))
        recent = [losses[max(0, i - SMOOTHING + 1) : i + 1] for i in updates]
        return [
            (self.updates[i][0], sum(last) / len(last))
            for i, last in zip(updates, recent, strict=True)
        ]


class LearningDrawing:
    """Training loss and validation of the try at hand, validation of the earlier ones in grey;
    fixed scales.

    Word-KD's own loss has a factor that depends on τ and may lie above the scale: then its latest
    number stands at the top.
    """

    @styled
    def __init__(self, most_epochs: int) -> None:
        figure, axes = panels(9, 4.2)
        axes.set(xlim=(0.0, most_epochs * 1.12), ylim=(0.0, MOST_NATS))
        axes.set(xlabel="epochs", ylabel="nats a token")
        (self._earlier,) = axes.plot(
            [], [], "o-", color=GREY, alpha=0.6, label="earlier tries: NLL of gold"
        )
        (self._training,) = axes.plot([], [], "-", color=BLUE, label="its own loss in training")
        (self._validation,) = axes.plot(
            [], [], "s-", color=VERMILION, linewidth=2.5, label="NLL of gold, validation"
        )
        self._number = add_label(axes, 0.0, 0.0, color=VERMILION)
        self._above = add_label(axes, 0.1, MOST_NATS - 0.35, color=BLUE)
        axes.legend(loc="upper right")
        self.picture = BlittedFigure(
            figure, [self._earlier, self._training, self._validation, self._number, self._above]
        )

    def show(self, curve: Curve, earlier: Sequence[Curve] = ()) -> None:
        """Draw `curve` as far as it has come."""
        gap = [(float("nan"), float("nan"))]
        old = [point for other in earlier for point in [*other.validations, *gap]]
        for line, points in (
            (self._earlier, old),
            (self._training, curve.smoothed()),
            (self._validation, curve.validations),
        ):
            line.set_data([x for x, _ in points], [y for _, y in points])
        latest = curve.smoothed()[-1][1] if curve.updates else 0.0
        self._above.set_text(f"▴ its own loss: {latest:.1f}" if latest > MOST_NATS else "")
        x, y = curve.validations[-1] if curve.validations else (0.0, 0.0)
        self._number.set(
            x=x + 0.15, y=min(y, MOST_NATS) + 0.3, text=f"{y:.2f}" if curve.validations else ""
        )


@styled
def learning_figure(curve: Curve, earlier: Sequence[Curve] = (), most_epochs: int = 10) -> Figure:
    """Draw the still twin of the StudentTrainer: one learning curve beside earlier ones."""
    drawing = LearningDrawing(most_epochs)
    drawing.show(curve, earlier)
    axes = drawing.picture.figure.axes[0]
    axes.set_title(curve.name)
    if not earlier:  # a legend names what is drawn, and nothing else
        axes.legend(handles=axes.lines[1:], loc="upper right")
    return drawing.picture.figure
