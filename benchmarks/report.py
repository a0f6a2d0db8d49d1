"""The tables that `python -m benchmarks` prints, all of them computed from results.json."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks import ceiling, compiled, drafted, levers
from benchmarks import corpus as toy
from benchmarks.results import NOTHING, Results, Spread, number, rates, ratios, runs, spread, values
from benchmarks.runner import name_of
from benchmarks.tool import BATCH_SIZE, OURS, SIZES, TOOLS, Size
from benchmarks.workloads import SCALES
from seqkd_lab.planning.operations import Shape

WITH_SLIDERS = (
    "01_toy_language",
    "03_teacher_distributions",
    "04_word_level_kd",
    "05_greedy_and_beam",
    "06_sequence_level_kd",
    "07_interpolation",
    "09_pruning",
    "10_speculative_sampling",
    "11_on_policy",
    "12_paced",
    "13_token_importance",
    "14_near_policy",
)
"""The notebooks whose views have sliders."""
MOST_MILLISECONDS = 100
SEARCHES = {"greedy": 1, "beam5": 5, "greedy_single": 1, "beam5_single": 5}


def shape(size: Size, transformer: bool) -> Shape:
    """What the counts of operations need, from the toy corpus."""
    corpus = toy.load()
    source = sum(len(x) + 1 for x, _ in corpus.test) / len(corpus.test)
    target = toy.n_target_tokens(corpus.test) / len(corpus.test)
    n_source, n_target = len(corpus.source_vocabulary), len(corpus.target_vocabulary)
    return Shape(
        size.width, size.layers, n_source, n_target, source, target, size.inner * transformer
    )


def share(
    results: Results, size: str, tool: str, job: str, part: str | None
) -> tuple[float, float]:
    """Of the machine's arithmetic, and of the least time that arithmetic and memory together allow;
    NaN without both.

    Both compare tokens for each CPU second with what one thread can do.
    """
    speed = spread(rates(results, name_of(size, tool, job), part, "tokens"))
    measured = runs(results, "ceiling")
    if speed is NOTHING or not measured:
        return float("nan"), float("nan")
    operations = 1e9 * spread(run["square 2048"] for run in measured).median
    memory = 1e9 * spread(run[ceiling.WEIGHTS] for run in measured).median
    of = shape(SIZES[size], TOOLS[tool].transformer)
    if part is None:
        work = ceiling.training(of, BATCH_SIZE)
    else:
        batch = values(results, name_of(size, tool, job), part, "batch_size")[0]
        work = ceiling.decoding(
            of, SEARCHES[part], round(batch), weight_bytes=1 if "int8" in tool else ceiling.FLOAT
        )
    return speed.median * work.operations / operations, speed.median * work.seconds(
        operations, memory
    )


def percent(shares: tuple[float, float]) -> str:
    """Both shares, or nothing."""
    return "" if shares[0] != shares[0] else f", {100 * shares[0]:.0f}% / {100 * shares[1]:.0f}%"


def cell(results: Results, size: str, tool: str, job: str, part: str | None) -> str:
    """Sentences a CPU second with spread, and the shares of the limit."""
    speed = spread(rates(results, name_of(size, tool, job), part, "sentences"))
    return str(speed) + (
        percent(share(results, size, tool, job, part)) if speed is not NOTHING else ""
    )


def speed_table(results: Results, size: str) -> str:
    """All tools at one size: sentences a CPU second."""
    head = [
        "",
        "training",
        *(name.replace("_single", ", one by one") for name in SEARCHES),
        "peak MiB",
        "start, CPU s",
    ]
    lines = [
        f"### {size}: sentences a CPU second, median (least–most), share of arithmetic / of "
        "arithmetic and memory",
        "",
        row(head),
        row(["---"] * len(head)),
    ]
    for tool, entry in TOOLS.items():
        if size not in entry.sizes:
            continue
        cells = [cell(results, size, tool, "train", None)]
        cells += [cell(results, size, tool, "decode", part) for part in SEARCHES]
        peaks = [
            spread(values(results, name_of(size, tool, job), "peak_mib"))
            for job in ("train", "decode")
        ]
        cells.append(" / ".join("–" if peak is NOTHING else f"{peak.median:.0f}" for peak in peaks))
        cells.append(str(spread(values(results, name_of(size, tool, "decode"), "start", "cpu_s"))))
        lines.append(row([f"{tool}{refusal(results, size, tool)}", *cells]))
    return "\n".join(lines)


def row(cells: Sequence[str]) -> str:
    """A line of a markdown table."""
    return "| " + " | ".join(cells) + " |"


def refusal(results: Results, size: str, tool: str) -> str:
    """Why a tool was not measured, in brackets."""
    reasons = {
        results.get(name_of(size, tool, job), {}).get("refused") for job in ("train", "decode")
    } - {None}
    return f" (not measured: {'; '.join(sorted(reasons))})" if reasons else ""


def tokens_table(results: Results, size: str) -> str:
    """Tokens, since tools with other weights write other lengths; and how far training got."""
    head = [
        "",
        "training tokens/CPU s",
        "greedy tokens/CPU s",
        "beam tokens/CPU s",
        "tokens a sentence",
        "parameters",
        "training: CPU s to a validation loss (nats a token)",
    ]
    title = f"### {size}: tokens (EOS included), parameters, and loss over time"
    lines = [title, "", row(head), row(["---"] * len(head))]
    for tool, entry in TOOLS.items():
        if size not in entry.sizes:
            continue
        decode, train = name_of(size, tool, "decode"), name_of(size, tool, "train")
        speeds = [spread(rates(results, train, None, "tokens"))]
        speeds += [spread(rates(results, decode, part, "tokens")) for part in ("greedy", "beam5")]
        parts = [
            run[part]
            for run in runs(results, decode)
            for part in ("beam5", "beam5_single")
            if part in run
        ]
        lengths = spread(part["tokens"] / part["sentences"] for part in parts)
        parameters = [f"{n:,.0f}" for n in values(results, train, "n_parameters")[:1]] or ["–"]
        lines.append(
            row([tool, *map(str, speeds), str(lengths), *parameters, history(results, size, tool)])
        )
    return "\n".join(lines)


def history(results: Results, size: str, tool: str) -> str:
    """CPU seconds and validation loss after each epoch of the training that made the tool's
    weights."""
    return ", ".join(
        f"{epoch['cpu_s']:.0f} s → {epoch['valid_loss']:.3f}"
        for epoch in epochs(results, size, tool)
    )


def epochs(results: Results, size: str, tool: str) -> list[dict[str, float]]:
    """The epochs of that training: CPU seconds up to their end, and the validation loss there."""
    return [
        epoch
        for run in runs(results, name_of(size, tool, "prepare"))[-1:]
        for epoch in run["history"]
    ]


@dataclass(frozen=True)
class Aim:
    """What the lab wants of itself: ours over theirs (or theirs over ours, `inverse`), in `part` of
    a `job`."""

    what: str
    theirs: str
    job: str
    part: str | None
    at_least: float
    counted: str = "sentences"


AIMS = (
    Aim("beam-5 corpus decoding, times joeynmt", "joeynmt-rnn", "decode", "beam5", 4.0),
    Aim("beam-5 corpus decoding, times OpenNMT-py", "opennmt-rnn", "decode", "beam5", 2.0),
    Aim("greedy in batches, times CTranslate2 int8", "ct2-int8", "decode", "greedy", 1.0, "tokens"),
    Aim("greedy, one by one, times OpenNMT-py", "opennmt-rnn", "decode", "greedy_single", 4.0),
    Aim("beam 5, one by one, times OpenNMT-py", "opennmt-rnn", "decode", "beam5_single", 4.0),
    Aim("training, times joeynmt", "joeynmt-rnn", "train", None, 3.0, "tokens"),
    Aim("training, times OpenNMT-py", "opennmt-rnn", "train", None, 1.8, "tokens"),
)


def ratio(results: Results, size: str, aim: Aim) -> Spread:
    """Ours over theirs, round by round."""
    ours, theirs = (
        rates(results, name_of(size, tool, aim.job), aim.part, aim.counted)
        for tool in (OURS, aim.theirs)
    )
    return ratios(ours, theirs)


def time_to_their_loss(results: Results, size: str, theirs: str) -> Spread:
    """CPU seconds in which a peer's training came to its last validation loss, over ours to the end
    of the first epoch that is not above it: at least so much, since we may have been there within
    that epoch."""
    their_epochs, our_epochs = epochs(results, size, theirs), epochs(results, size, OURS)
    if not their_epochs:
        return NOTHING
    last = their_epochs[-1]
    there = [epoch["cpu_s"] for epoch in our_epochs if epoch["valid_loss"] <= last["valid_loss"]]
    return spread([last["cpu_s"] / there[0]]) if there else NOTHING


def verdict(measured: Spread, at_least: float) -> str:
    """yes where the median reaches the aim, no where it does not; – without a measurement."""
    return "–" if measured is NOTHING else "yes" if measured.median >= at_least else "no"


def aims_table(results: Results, sizes: Sequence[str]) -> str:
    """Every aim with the ratio that was measured."""
    lines = [
        "### Aims",
        "",
        row(["aim", "size", "wanted", "measured", "reached"]),
        row(["---"] * 5),
    ]
    for size in sizes:
        for aim in AIMS:
            if size not in TOOLS[aim.theirs].sizes:
                continue
            measured = ratio(results, size, aim)
            lines.append(
                row(
                    [
                        aim.what,
                        size,
                        f"≥ {aim.at_least:g}",
                        str(measured),
                        verdict(measured, aim.at_least),
                    ]
                )
            )
        for aim in (aim for aim in AIMS if aim.job == "train"):
            measured = time_to_their_loss(results, size, aim.theirs)
            what = f"{aim.what}, to its last validation loss"
            lines.append(
                row(
                    [
                        what,
                        size,
                        f"≥ {aim.at_least:g}",
                        str(measured),
                        verdict(measured, aim.at_least),
                    ]
                )
            )
        for what, part in (
            ("training", None),
            ("batched beam", "beam5"),
            ("batched greedy", "greedy"),
        ):
            job = "train" if part is None else "decode"
            reached = share(results, size, OURS, job, part)[0]
            found = NOTHING if reached != reached else spread([reached])
            what = f"share of the machine's arithmetic, {what}"
            lines.append(row([what, size, "≥ 0.6", str(found), verdict(found, 0.6)]))
    return "\n".join([*lines, *own_aims(results)])


def own_aims(results: Results) -> list[str]:
    """The aims that no peer has a part in."""
    lines = []
    for run in runs(results, "import")[-1:]:
        for module in sorted({"seqkd_lab", "seqkd_lab.runs.store"} & set(run)):
            factor = run[module] / run["torch"]
            lines.append(
                row(
                    [
                        f"import {module}, times import torch",
                        "",
                        "≤ 1.15",
                        number(factor),
                        "yes" if factor <= 1.15 else "no",
                    ]
                )
            )
    for run in runs(results, "tour")[-1:]:
        reached = "yes" if run["wall_s"] <= 180 else "no"
        lines.append(row(["tour, wall-clock seconds", "", "≤ 180", number(run["wall_s"]), reached]))
        small = "yes" if run["largest_process_mib"] <= 700 else "no"
        lines.append(
            row(
                [
                    "tour, MiB of its largest process",
                    "",
                    "≤ 700",
                    number(run["largest_process_mib"]),
                    small,
                ]
            )
        )
    return lines


def scaling_table(results: Results) -> str:
    """Time and memory over the size of the corpus."""
    head = [
        "pairs",
        "CPU s an epoch",
        "µs a pair",
        "MiB before",
        "MiB at the peak",
        "KiB a pair on top",
    ]
    lines = [
        "### The teacher's epoch over corpora of growing size",
        "",
        row(head),
        row(["---"] * len(head)),
    ]
    for n in SCALES:
        for run in runs(results, f"scaling/{n}")[-1:]:
            pairs = run["sentences"]
            on_top = 1024 * (run["peak_mib"] - run["held_mib"]) / pairs
            numbers = (
                run["cpu_s"],
                1e6 * run["cpu_s"] / pairs,
                run["held_mib"],
                run["peak_mib"],
                on_top,
            )
            lines.append(row([f"{pairs:,}", *map(number, numbers)]))
    return "\n".join(lines)


def neighbour_table(results: Results) -> str:
    """Wall-clock time of the same training, alone and beside processes that compute without end."""
    lines = [
        "### A busy neighbour: wall-clock seconds of one training",
        "",
        row(["threads", "alone", "one core busy"]),
        row(["---"] * 3),
    ]
    for threads in (1, 2):
        cells = [
            str(spread(values(results, f"neighbour/{threads}/{busy}", "wall_s"))) for busy in (0, 1)
        ]
        lines.append(row([str(threads), *cells]))
    return "\n".join(lines)


def distil_table(results: Results) -> str:
    """The lab's decoding of the training corpus."""
    lines = [
        "### Decoding the training corpus (similarity to gold included): sentences a CPU second",
        "",
        row(["size", "Seq-KD, K = 5", "Seq-Inter, K = 35, all 35 kept"]),
        row(["---"] * 3),
    ]
    for size in SIZES:
        cells = [
            str(spread(rates(results, f"distil/{size}", part, "sentences")))
            for part in ("mode", "inter")
        ]
        lines.append(row([size, *cells]))
    return "\n".join(lines)


def sliders_table(results: Results) -> str:
    """Key to picture in the browser, beside a slider that answers with text alone."""
    lines = [
        "### Sliders in JupyterLab: milliseconds from the key to the changed picture, median "
        "(least–most)",
        "",
        row(["notebook", "slider", "picture", "text alone", "wanted", "reached"]),
        row(["---"] * 6),
    ]
    for name in WITH_SLIDERS:
        for run in runs(results, f"sliders/{name}")[-1:]:
            for slider, times in run["sliders"].items():
                taken = spread(times)
                reached = (
                    "changes text alone"
                    if not times
                    else "yes"
                    if taken.median <= MOST_MILLISECONDS
                    else "no"
                )
                cells = [
                    name,
                    slider,
                    str(taken),
                    str(spread(run["bare"])),
                    f"≤ {MOST_MILLISECONDS}",
                    reached,
                ]
                lines.append(row(cells))
    return "\n".join(lines)


def everything(results: Results, sizes: Sequence[str]) -> str:
    """All tables, of whatever was measured."""
    tables = [ceiling.table(run) for run in runs(results, "ceiling")[-1:]]
    for size in sizes:
        tables += [speed_table(results, size), tokens_table(results, size)]
    tables += [
        aims_table(results, sizes),
        distil_table(results),
        scaling_table(results),
        neighbour_table(results),
    ]
    tables.append(sliders_table(results))
    return "\n\n".join(
        [*tables, levers.table(results), compiled.table(results), drafted.table(results)]
    )
