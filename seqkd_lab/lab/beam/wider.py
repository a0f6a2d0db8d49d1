"""What a wider beam brings: what the search maximises, what it repairs, and what it spoils."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.lab.beam.chance import Difference
from seqkd_lab.lab.beam.outputs import NOISE, Outputs, outputs
from seqkd_lab.lab.shared.score_figures import colour_of
from seqkd_lab.lab.shared.style import SIZE
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.runs.data import Dataset
from seqkd_lab.runs.recipes import BASELINE, SEQ_KD, TEACHER


def over_beams(
    models: Mapping[str, Seq2Seq],
    corpus: ParallelCorpus,
    data: Dataset,
    beam_sizes: Sequence[int],
    watch: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, dict[int, Outputs]]:
    """Outputs by model and beam size. `watch` hears (done, total) searches."""
    found: dict[str, dict[int, Outputs]] = {name: {} for name in models}
    for done, (name, K) in enumerate(((name, K) for name in models for K in beam_sizes), start=1):
        found[name][K] = outputs(models[name], corpus, data, K)
        watch(done, len(models) * len(beam_sizes))
    return found


def less_likely(narrow: Outputs, wide: Outputs) -> list[int]:
    """The sentences for which the wider beam gave a translation that the model finds LESS
    likely."""
    pairs = zip(narrow.found, wide.found, strict=True)
    return [
        place for place, (one, other) in enumerate(pairs) if other.log_prob < one.log_prob - NOISE
    ]


REPAIRED, SPOILED, BOTH_RIGHT, BOTH_WRONG = "repaired", "spoiled", "both valid", "both wrong"

KINDS = (REPAIRED, SPOILED, BOTH_RIGHT, BOTH_WRONG)


def changed(narrow: Outputs, wide: Outputs) -> dict[str, list[int]]:
    """The sentences whose translation a wider beam changed, by what the language says of both."""
    kinds: dict[str, list[int]] = {kind: [] for kind in KINDS}
    name = {
        (False, True): REPAIRED,
        (True, False): SPOILED,
        (True, True): BOTH_RIGHT,
        (False, False): BOTH_WRONG,
    }
    for place, (one, other) in enumerate(zip(narrow.found, wide.found, strict=True)):
        if one.tokens != other.tokens:
            kinds[name[narrow.valid[place], wide.valid[place]]].append(place)
    return kinds


def spoiled_by_likelihood(narrow: Outputs, wide: Outputs) -> list[int]:
    """Of the spoiled ones those that the model finds more probable: the search did its work, the
    model is at fault."""
    rises = [
        other.log_prob > one.log_prob + NOISE
        for one, other in zip(narrow.found, wide.found, strict=True)
    ]
    return [place for place in changed(narrow, wide)[SPOILED] if rises[place]]


MARKS = {TEACHER: "o", BASELINE: "^", SEQ_KD: "D"}

PANELS: tuple[tuple[str, Callable[[Outputs, Outputs], float], tuple[float, float]], ...] = (
    (
        "mean log p(ŷ) gained over greedy (nats)",
        lambda made, greedy: made.log_prob - greedy.log_prob,
        (0.0, 0.5),
    ),
    ("BLEU (0–100)", lambda made, _: made.score.bleu, (84.0, 100.0)),
    (
        "valid translations (% of sentences)",
        lambda made, _: 100.0 * made.score.validity,
        (40.0, 100.0),
    ),
    (
        "length ratio: tokens per reference token",
        lambda made, _: made.score.length_ratio,
        (0.99, 1.005),
    ),
)
"""Title, value (of a search and of the narrowest one) and the scale, which is widened where a value
lies outside."""


def beams_figure(found: Mapping[str, Mapping[int, Outputs]]) -> Figure:
    """Four panels over K (logarithmic), a line a model: what the search maximises, and what it does
    not."""
    figure = Figure(figsize=(12, 7.6), layout="constrained")
    beam_sizes = sorted(next(iter(found.values())))
    for axes, (title, value_of, scale) in zip(figure.subplots(2, 2).flat, PANELS, strict=True):
        values = []
        for name, by_size in found.items():
            line = [value_of(by_size[K], by_size[beam_sizes[0]]) for K in beam_sizes]
            axes.plot(
                beam_sizes,
                line,
                f"{MARKS.get(name, 's')}-",
                color=colour_of(name),
                linewidth=2,
                markersize=8,
                label=name,
                clip_on=False,
            )
            values += line
        axes.set_title(title, fontsize=SIZE)
        axes.set_ylim(min(scale[0], *values), max(scale[1], *values))
        _beam_axis(axes, beam_sizes)
    figure.legend(
        *axes.get_legend_handles_labels(),
        fontsize=SIZE,
        loc="outside lower center",
        ncols=len(found),
    )
    return figure


def _beam_axis(axes, beam_sizes: Sequence[int]) -> None:
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(FixedLocator(list(beam_sizes)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.set_xlabel("K (beam size)", fontsize=SIZE)
    axes.tick_params(labelsize=SIZE - 1)
    axes.grid(color="#dddddd")


def changes_in_words(
    changes: Mapping[str, Mapping[str, Sequence[int]]], n: int, beam_size: int
) -> str:
    """Says for each model how many translations the beam changes, and what becomes of them; a
    markdown list."""
    lines = []
    for name, kinds in changes.items():
        total, repaired, spoiled = (
            sum(map(len, kinds.values())),
            len(kinds[REPAIRED]),
            len(kinds[SPOILED]),
        )
        lines.append(
            f"- **{name}**: a beam of {beam_size} changes {total} of {n} translations. It repairs "
            f"{repaired} and spoils {spoiled}: {_net(repaired - spoiled)}. Of the others, "
            f"{len(kinds[BOTH_RIGHT])} are valid before and after, {len(kinds[BOTH_WRONG])} are "
            "wrong before and after."
        )
    return "\n".join(lines)


def _net(difference: int) -> str:
    if difference == 0:
        return "as many valid ones as before"
    return (
        f"{abs(difference)} {'more' if difference > 0 else 'fewer'} valid "
        f"{_plural('translation', abs(difference))}"
    )


def _plural(noun: str, count: int) -> str:
    return noun if count == 1 else f"{noun}s"


def bigger_in_words(
    by_size: Mapping[int, Outputs], change: Difference, narrow: int, wide: int
) -> str:
    """Says what a wider beam changes: log p, validity, BLEU, and how much of BLEU the length
    explains."""
    one, other = by_size[narrow], by_size[wide]
    gained = other.log_prob - one.log_prob
    verdict = {1: "rises", -1: "falls", 0: "does not change by more than chance"}[change.direction]
    said = (
        f"**From K = {narrow} to K = {wide}.** For the baseline, log p changes by {gained:+.3f} "
        f"nats on average. BLEU {verdict} ({change.value:+.2f}, p = {change.p_value:.2f} where the "
        "sentences are drawn again and again), and the share of valid translations goes from "
        f"{one.score.validity:.1%} to {other.score.validity:.1%}."
    )
    return f"{said} {_length_in_words(one, other, change)}"


def _length_in_words(one: Outputs, other: Outputs, change: Difference) -> str:
    """How much of a change in BLEU the brevity penalty explains, since log p prefers what is
    short."""
    ratios = (
        f"The length ratio goes from {one.score.length_ratio:.4f} to {other.score.length_ratio:.4f}"
    )
    by_length = one.score.bleu * (other.score.brevity_penalty / one.score.brevity_penalty - 1.0)
    if by_length > -0.005:
        return f"{ratios}, which costs no BLEU."
    words = (
        f"{ratios}: the translations become shorter. The brevity penalty, which is a part of BLEU, "
        f"changes it by {by_length:+.2f}"
    )
    if change.value >= 0.0:
        return f"{words}; the words more than make up for it."
    return f"{words}, of {change.value:+.2f} in all."


def less_likely_in_words(pairs: Sequence[tuple[int, int, int]], n: int) -> str:
    """Says how often a wider beam gave a LESS probable translation; pairs of (K, larger K, number
    of sentences)."""
    counts = ", ".join(f"{count} (K = {one} to {other})" for one, other, count in pairs)
    said = f"**Less probable with a larger K.** Of {n} sentences: {counts}."
    if not any(count for *_, count in pairs):
        return said
    return (
        f"{said} A hypothesis that would have won can be pruned by others which only a larger beam "
        "holds. They are more probable at that step and end worse."
    )


def hurt_in_words(
    hurt: Sequence[int], repaired: Sequence[int], narrow: int, wide: int, n: int
) -> str:
    """Weighs what a wider beam spoils, although it finds something more probable, against what it
    repairs."""
    spoiled, better = len(hurt), len(repaired)
    weight = "more than" if spoiled > better else "fewer than" if spoiled < better else "as many as"
    balance = (
        "So the better search hurts here."
        if spoiled > better
        else "So the better search can hurt a sentence where the model is wrong, but on balance it "
        "does not."
    )
    return (
        f"From K = {narrow} to K = {wide}, the baseline's translation of {spoiled} of {n} "
        f"sentences becomes wrong although it becomes more probable. That is {weight} the {better} "
        f"that are repaired. {balance}"
    )
