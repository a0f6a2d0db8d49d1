"""Pruning level by level: which weights fall below the threshold, what that costs in BLEU, what it
saves on disk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from torch import Tensor

from seqkd_lab.compression.pruning import (
    CLASS_BLIND,
    METHODS,
    magnitudes,
    prune_masks,
    weight_classes,
)
from seqkd_lab.lab.shared.picture import BlittedFigure, add_label
from seqkd_lab.lab.shared.style import BLUE, GREY, ORANGE, SIZE, SKY, VERMILION
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.runs.recipes import SEQ_KD, TEACHER
from seqkd_lab.studies.pruning.costs import DENSE, SPARSE, SPARSE_INT8, Cost
from seqkd_lab.studies.pruning.recipes import PRUNED, RETRAINED, Place
from seqkd_lab.studies.pruning.table import Example, PrunedModel, by_seed, pruned_models

WIDEST = 1.2
"""|w| at which the histograms end; larger weights stand in the last bin."""
N_BINS = 48


@dataclass(frozen=True)
class ClassLevel:
    """A weight class at one level: the largest |w| that goes (0: none), and the share of the class
    that goes."""

    threshold: float
    pruned: float


@dataclass(frozen=True)
class PruningLevels:
    """What the explorer shows. histograms: by class, N_BINS shares of its weights by |w|. cuts: by
    method and share, the classes' levels. curves: by method and stage, BLEU by beam at each share
    (mean of the seeds), where measured. left: parameters that are not 0, and files: bytes by form,
    at each share. examples: by sentence, stage and share.
    """

    shares: tuple[float, ...]
    histograms: Mapping[str, np.ndarray]
    cuts: Mapping[tuple[str, float], Mapping[str, ClassLevel]]
    curves: Mapping[tuple[str, str], Mapping[float, float]]
    left: Mapping[float, int]
    teacher_size: int
    files: Mapping[float, Mapping[str, int]]
    examples: Mapping[str, Mapping[tuple[str, float], Example]]


def histogram(magnitudes: np.ndarray) -> np.ndarray:
    """(N_BINS,) the share of the weights in each bin of |w| from 0 to WIDEST."""
    counts, _ = np.histogram(
        np.minimum(magnitudes, WIDEST * (1 - 1e-9)), bins=N_BINS, range=(0.0, WIDEST)
    )
    return counts / max(1, len(magnitudes))


def in_classes(model: Seq2Seq, tensors: Mapping[str, Tensor]) -> dict[str, np.ndarray]:
    """For each weight class of `model` all the numbers of its parameters' `tensors`, in one row."""
    return {
        name: np.concatenate([tensors[member].flatten().numpy() for member in members])
        for name, members in weight_classes(model).items()
    }


def class_levels(model: Seq2Seq, share: float, method: str) -> dict[str, ClassLevel]:
    """Where pruning `model` by `share` cuts each of its weight classes."""
    weights, stays = (
        in_classes(model, magnitudes(model)),
        in_classes(model, prune_masks(model, share, method)),
    )
    return {
        name: ClassLevel(float(weights[name][~stay].max(initial=0.0)), float((~stay).mean()))
        for name, stay in stays.items()
    }


def pruning_levels(student: Seq2Seq, results: Mapping) -> PruningLevels:
    """The explorer's data: `student` as distillation left it, and the results of Table 3
    (read_table3)."""
    models = pruned_models(results)
    rows, costs = by_seed(models), [Cost(**cost) for cost in results["costs"]]
    shares = tuple(cost.share for cost in costs)
    examples: dict[str, dict[tuple[str, float], Example]] = {}
    for one in (Example(**each) for each in results["examples"]):
        examples.setdefault(one.source, {})[one.stage, one.share] = one
    return PruningLevels(
        shares,
        {
            name: histogram(weights)
            for name, weights in in_classes(student, magnitudes(student)).items()
        },
        {
            (method, share): class_levels(student, share, method)
            for method in METHODS
            for share in shares
        },
        {
            (method, stage): _curve(rows, method, stage, shares)
            for method in METHODS
            for stage in (PRUNED, RETRAINED)
        },
        {
            share: rows[0][Place(SEQ_KD, CLASS_BLIND, share, RETRAINED)].n_nonzero
            for share in shares
        },
        results["parameters"][TEACHER],
        {cost.share: cost.file for cost in costs},
        examples,
    )


def _curve(
    rows: Sequence[Mapping[Place, PrunedModel]], method: str, stage: str, shares: Sequence[float]
) -> dict[float, float]:
    places = {share: Place(SEQ_KD, method, share, stage) for share in shares}
    return {
        share: fmean(row[place].beam for row in rows)
        for share, place in places.items()
        if place in rows[0]
    }


class PruningDrawing:
    """Left: the weights of each class by size, and where the level cuts. Right: BLEU over the
    levels; bytes on disk."""

    def __init__(self, levels: PruningLevels) -> None:
        self._levels = levels
        figure = Figure(figsize=(12, 6), layout="constrained")
        grid = figure.add_gridspec(2, 2, width_ratios=(1.15, 1), height_ratios=(1.7, 1))
        weights = figure.add_subplot(grid[:, 0])
        curve, files = figure.add_subplot(grid[0, 1]), figure.add_subplot(grid[1, 1])
        self._gone, self._cuts, self._shares = self._draw_weights(weights)
        self._dots, self._numbers, self._others = self._draw_curves(curve)
        self._bars, self._bytes = self._draw_files(files)
        for axes in (weights, curve, files):
            axes.tick_params(labelsize=SIZE - 1)
            axes.set_axisbelow(True)
        animated = [
            *self._gone,
            *self._cuts,
            *self._shares,
            *self._others,
            *self._dots,
            *self._numbers,
            *self._bars,
            *self._bytes,
        ]
        self.picture = BlittedFigure(figure, animated)

    def _draw_weights(self, axes) -> tuple[list, list, list]:
        """A row for each class: its histogram, and what moves over it: the part that goes, its
        edge, its share."""
        edges = np.linspace(0.0, WIDEST, N_BINS + 1)
        gone, cuts, shares = [], [], []
        names = list(self._levels.histograms)
        for row, name in enumerate(names):
            base, heights = len(names) - 1 - row, self._levels.histograms[name]
            axes.stairs(
                base + 0.8 * heights / heights.max(), edges, baseline=base, fill=True, color=SKY
            )
            axes.axhline(base, color=GREY, linewidth=0.8)
            gone.append(
                axes.add_patch(
                    Rectangle((0.0, base), 0.0, 0.85, color=VERMILION, alpha=0.45, linewidth=0)
                )
            )
            cuts += axes.plot([0.0, 0.0], [base, base + 0.85], color=VERMILION, linewidth=2.5)
            shares.append(
                add_label(
                    axes, WIDEST * 0.985, base + 0.42, ha="right", bbox={"facecolor": "white"}
                )
            )
        axes.set(xlim=(0.0, WIDEST), ylim=(-0.05, len(names)))
        axes.set_yticks(
            [len(names) - 1 - row + 0.4 for row in range(len(names))],
            [name.replace("_", "\n") for name in names],
            fontsize=SIZE - 1,
        )
        axes.set_xlabel(f"|w| (the last bin: {WIDEST:g} and more)", fontsize=SIZE)
        axes.set_title("the weights of each class; shaded: pruned", fontsize=SIZE)
        return gone, cuts, shares

    def _draw_curves(self, axes) -> tuple[list, list, list]:
        """The class-blind curves, still; a dot on each, its number, and the curve of another
        method, which move."""
        levels = self._levels
        looks = (
            (RETRAINED, BLUE, "-", "o", "retrained"),
            (PRUNED, ORANGE, "--", "s", "pruned only"),
        )
        dots, numbers = [], []
        for stage, colour, line, mark, label in looks:
            curve = levels.curves[CLASS_BLIND, stage]
            axes.plot(
                [100 * share for share in curve],
                list(curve.values()),
                line,
                color=colour,
                linewidth=2.5,
                label=label,
            )
            dots += axes.plot([], [], mark, color=colour, markersize=11)
            numbers.append(add_label(axes, 0.0, 0.0, ha="center", bbox={"facecolor": "white"}))
        others = axes.plot(
            [], [], ":", color=VERMILION, linewidth=2.5, label="pruned only, other method"
        )
        axes.set(xlim=(-4, 104), ylim=(-6, 112), yticks=range(0, 101, 25))
        axes.set_xlabel("pruned, % of all parameters", fontsize=SIZE)
        axes.set_ylabel("BLEU, K = 5", fontsize=SIZE)
        axes.set_title("class-blind, mean of the seeds", fontsize=SIZE)
        axes.legend(fontsize=SIZE - 2, loc="lower left")
        axes.grid(color="#dddddd")
        return dots, numbers, others

    def _draw_files(self, axes) -> tuple[list, list]:
        """Bytes of the student's file: as it is, without zeros, and with 8 bits; the first stands
        still."""
        forms = (
            (DENSE, "with zeros", GREY),
            (SPARSE, "without zeros", BLUE),
            (SPARSE_INT8, "and in 8 bits", SKY),
        )
        most = self._levels.files[self._levels.shares[0]][SPARSE]
        bars, numbers = [], []
        for row, (_, _, colour) in enumerate(forms):
            bars.append(axes.barh(row, 0.0, 0.7, color=colour)[0])
            numbers.append(add_label(axes, 0.0, row))
        axes.set(xlim=(0.0, 1.25 * most / 1000), ylim=(2.6, -0.6))
        axes.set_yticks(range(3), [label for _, label, _ in forms], fontsize=SIZE - 1)
        axes.set_xlabel("the student's file, thousand bytes", fontsize=SIZE)
        axes.grid(axis="x", color="#dddddd")
        self._forms = [form for form, _, _ in forms]
        return bars, numbers

    def show(self, share: float, method: str) -> None:
        """Draws the level `share` of `method`; curves and files are those of class-blind
        pruning."""
        levels = self._levels
        for gone, cut, label, one in zip(
            self._gone, self._cuts, self._shares, levels.cuts[method, share].values(), strict=True
        ):
            edge = min(one.threshold, WIDEST)
            gone.set_width(edge)
            cut.set_xdata([edge, edge])
            label.set_text(f"{one.pruned:.0%} go")
        for dot, number, stage, shift in zip(
            self._dots, self._numbers, (RETRAINED, PRUNED), (9, -9), strict=True
        ):
            value = levels.curves[CLASS_BLIND, stage][share]
            dot.set_data([100 * share], [value])
            number.set(x=100 * share, y=value + (shift if value > 30 else 9), text=f"{value:.1f}")
        other = {} if method == CLASS_BLIND else levels.curves[method, PRUNED]
        self._others[0].set_data([100 * share for share in other], list(other.values()))
        for bar, number, form in zip(self._bars, self._bytes, self._forms, strict=True):
            thousands = levels.files[share][form] / 1000
            bar.set_width(thousands)
            number.set(x=thousands + 15, text=f"{thousands:,.0f}")


def pruning_figure(levels: PruningLevels, share: float = 0.8, method: str = CLASS_BLIND) -> Figure:
    """Still twin of the PruningExplorer."""
    drawing = PruningDrawing(levels)
    drawing.show(share, method)
    return drawing.picture.figure
