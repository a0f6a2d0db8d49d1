"""A plan in words: a table of its steps, the arithmetic of each line in numbers, memory, disk, what
others reported, and what the plan does not know."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from seqkd_lab.estimates import in_words
from seqkd_lab.planning.needs import disk, fits, memory_of
from seqkd_lab.planning.plan import HOUR, Order, Step
from seqkd_lab.planning.rates import Rates
from seqkd_lab.planning.reported import NOT_REPORTED, beside_opennmt, reported

UNKNOWN = (
    "N devices are taken to be N times as fast in labelling, which needs no exchange between them.",
    "Validation, reading the corpus, saving, and what fails and is repeated are not in the hours.",
    "The epochs are an assumption: Luong et al. 2015 took 10 to 12 for this size, and 13 is the "
    "default of the authors' code. Adam may need fewer.",
    "The lab's LSTM has no input feeding, as the paper's has; that would make training slower.",
    "Translations are taken to be as long as gold. A search that ends early is cheaper.",
    "Memory is a lower bound: intermediate vectors come on top.",
)
"""What a reader must know beside the numbers."""


def plan_in_words(order: Order, steps: Sequence[Step], rates: Rates, source: str, price) -> str:
    """Return the whole plan; `source` says where the rates are from, `price` what an hour of one
    device costs (None: not said)."""
    sections = [
        head(order, rates, source),
        table(steps, order.devices.n, price),
        "Arithmetic\n" + "\n".join(arithmetic(steps, order.devices.n, price)),
        "Memory of each device, at least\n" + "\n".join(memory(steps, rates)),
        f"Disk\n{on_disk(order)}",
        "What others reported\n" + "\n".join(others(order, steps)),
        "What this plan does not know\n" + "\n".join(f"  {line}" for line in unknown(order, rates)),
    ]
    return "\n\n".join(sections)


def head(order: Order, rates: Rates, source: str) -> str:
    """Return what is planned, and of what device the rates are."""
    corpus, n = order.corpus, order.devices.n
    lines = [
        f"{corpus.n_pairs:,} pairs of {corpus.source_length:.1f} and {corpus.target_length:.1f} "
        f"tokens (end of sentence included), {corpus.n_words:,} words a side",
        f"rates: {rates.device_name}, {rates.precision}, {source}",
    ]
    if rates.device == "cpu":
        threads = f"{rates.threads} thread{'s' * (rates.threads != 1)}"
        lines += [
            f"A device here is {threads} of this CPU, not a GPU: the hours say what {n:,} of these "
            "would take.",
            "For a GPU run `python -m benchmarks.device` there, and give its file to --rates.",
        ]
    return "\n".join(lines)


def table(steps: Sequence[Step], n: int, price: float | None) -> str:
    """Return the steps and their sum, in columns, and the sum in days."""
    heads = ["step", "work", "GFLOP each", "a second", "hours on 1", f"hours on {n:,}"]
    rows = [heads + ["cost"] * (price is not None)]
    rows += [_row(step, n, price) for step in steps]
    alone, together = sum(step.hours for step in steps), sum(step.hours_together for step in steps)
    total = ["together", "", "", "", number(alone), number(together)]
    rows.append(total + ([] if price is None else [number(together * n * price)]))
    days = f"That is {number(alone / 24)} days on one device"
    days += f", {number(together / 24)} on {n:,} together." if n > 1 else "."
    return f"{aligned(rows)}\n{days}"


def _row(step: Step, n: int, price: float | None) -> list[str]:
    operations = f"{step.operations / 1e9:.3g}" if step.operations else "–"
    cells = [step.name, f"{step.work:,.0f} {step.unit}", operations, number(step.per_s)]
    cells += [number(step.hours), number(step.hours_together)]
    return cells + ([] if price is None else [number(step.hours_together * n * price)])


def arithmetic(steps: Sequence[Step], n: int, price: float | None) -> list[str]:
    """Return a line for each step: how its numbers come about."""
    lines = []
    for step in steps:
        together = f"; / {step.speed_up:g} = {number(step.hours_together)} h" if n > 1 else ""
        cost = ""
        if price is not None:
            paid = number(step.hours_together * n * price)
            cost = f"; × {n:,} × {price:g} = {paid}"
        lines.append(
            f"  {step.name}: {step.work_in_numbers} = {step.work:,.0f} {step.unit}; "
            f"{step.rate_in_numbers} = {number(step.per_s)} a second; "
            f"{step.work:,.0f} / {number(step.per_s)} / {HOUR} = {number(step.hours)} h{together}"
            f"{cost}"
        )
    return lines


def memory(steps: Sequence[Step], rates: Rates) -> list[str]:
    """Return a line for each step in which a model computes."""
    needs = ((step, memory_of(step)) for step in steps)
    rows = [
        [f"  {step.name}", in_words(need.bytes), fits(need, rates.memory_mib), need.in_numbers]
        for step, need in needs
        if need is not None
    ]
    return [aligned(rows, left=(0, 2, 3))]


def on_disk(order: Order) -> str:
    """Return a line for each thing that lies on disk."""
    rows = [[f"  {name}", in_words(size), how] for name, size, how in disk(order)]
    return aligned(rows, left=(0, 2))


def others(order: Order, steps: Sequence[Step]) -> list[str]:
    """Return what others reported and what it would mean here, and our own comparison."""
    lines = []
    for each in reported(order, steps):
        lines.append(f"  {each.source}: {each.figure}")
        lines.append(f"    → {each.meaning}")
    return [*lines, f"  {beside_opennmt()}", f"  {NOT_REPORTED}"]


def unknown(order: Order, rates: Rates) -> list[str]:
    """Return what the plan does not know, of this order and of any."""
    lines = list(UNKNOWN)
    devices = order.devices
    if devices.n > 1:
        lines.insert(
            0,
            f"How fast {devices.n:,} devices are together: training is taken to be {devices.n:,} × "
            f"{devices.efficiency:g} times as fast (--efficiency). Nobody here has measured it, so "
            + ("at 1 the hours are the least that is possible." * (devices.efficiency == 1))
            + ("put in your own." * (devices.efficiency != 1)),
        )
    if rates.device == "cpu":
        lines.insert(0, "Any GPU: no figure of one is ours yet.")
    return lines


def number(value: float) -> str:
    """Return a number that is not negative with three digits that count, thousands separated."""
    if not value:
        return "0"
    return f"{value:,.{min(max(0, 2 - math.floor(math.log10(value))), 12)}f}"


def aligned(rows: Iterable[Sequence[str]], left: Sequence[int] = (0,)) -> str:
    """Return rows of cells in columns: those at the places `left` to the left, the others to the
    right."""
    rows = [list(row) for row in rows]
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if place in left else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )
