"""What a wider beam brings: what the search maximises, what it repairs, and what it spoils."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import product

from matplotlib.figure import Figure

from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.lab.beam.chance import Difference
from seqkd_lab.lab.beam.outputs import Outputs, outputs
from seqkd_lab.lab.shared.digits import NOISE
from seqkd_lab.lab.shared.style import panels, plain_ticks, role_of, styled
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.runs.data import Dataset

REPAIRED = "repaired"
SPOILED = "spoiled"
BOTH_RIGHT = "both valid"
BOTH_WRONG = "both wrong"
KINDS = {
    (False, True): REPAIRED,
    (True, False): SPOILED,
    (True, True): BOTH_RIGHT,
    (False, False): BOTH_WRONG,
}
"""By what the language says of the narrow beam's translation and of the wide beam's."""


def over_beams(
    models: Mapping[str, Seq2Seq],
    corpus: ParallelCorpus,
    data: Dataset,
    beam_sizes: Sequence[int],
    watch: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, dict[int, Outputs]]:
    """Return Outputs by model and beam size. `watch` is called with (done, total) searches."""
    by_model: dict[str, dict[int, Outputs]] = {name: {} for name in models}
    searches = list(product(models, beam_sizes))
    for done, (name, K) in enumerate(searches, start=1):
        by_model[name][K] = outputs(models[name], corpus, data, K)
        watch(done, len(searches))
    return by_model


def _gains(narrow: Outputs, wide: Outputs) -> list[float]:
    """Return by how much each translation of the wider beam is more probable, in nats."""
    pairs = zip(narrow.hypotheses, wide.hypotheses, strict=True)
    return [after.log_prob - before.log_prob for before, after in pairs]


def less_likely(narrow: Outputs, wide: Outputs) -> list[int]:
    """Return the sentences for which the wider beam gave a translation that the model finds LESS
    likely."""
    return [number for number, gain in enumerate(_gains(narrow, wide)) if gain < -NOISE]


def changed(narrow: Outputs, wide: Outputs) -> dict[str, list[int]]:
    """Return the sentences whose translation a wider beam changed, by what the language says of
    both."""
    kinds: dict[str, list[int]] = {kind: [] for kind in KINDS.values()}
    pairs = zip(narrow.hypotheses, wide.hypotheses, strict=True)
    for number, (before, after) in enumerate(pairs):
        if before.tokens != after.tokens:
            kinds[KINDS[narrow.valid[number], wide.valid[number]]].append(number)
    return kinds


def spoiled_by_likelihood(narrow: Outputs, wide: Outputs) -> list[int]:
    """Return those of the spoiled sentences that the model finds more probable: the search did its
    work, the model is at fault."""
    gains = _gains(narrow, wide)
    return [number for number in changed(narrow, wide)[SPOILED] if gains[number] > NOISE]


PANELS: tuple[tuple[str, Callable[[Outputs, Outputs], float], tuple[float, float]], ...] = (
    (
        "mean log p(ŷ) gained over greedy (nats)",
        lambda outputs, greedy: outputs.log_prob - greedy.log_prob,
        (0.0, 0.5),
    ),
    ("BLEU (0–100)", lambda outputs, _: outputs.score.bleu, (84.0, 100.0)),
    (
        "valid translations (% of sentences)",
        lambda outputs, _: outputs.valid_percent,
        (40.0, 100.0),
    ),
    (
        "length ratio: tokens per reference token",
        lambda outputs, _: outputs.score.length_ratio,
        (0.99, 1.005),
    ),
)
"""Title, value (of a search and of the narrowest one) and the scale, which is widened where a value
lies outside."""


@styled
def beams_figure(by_model: Mapping[str, Mapping[int, Outputs]]) -> Figure:
    """Draw four panels over K (logarithmic), a line a model: what the search maximises, and what it
    does not."""
    figure, grid = panels(12, 7.6, 2, 2)
    beam_sizes = sorted(next(iter(by_model.values())))
    for axes, (title, value_of, (low, high)) in zip(grid.flat, PANELS, strict=True):
        for name, by_size in by_model.items():
            role, narrowest = role_of(name), by_size[beam_sizes[0]]
            values = [value_of(by_size[K], narrowest) for K in beam_sizes]
            axes.plot(beam_sizes, values, markersize=8, label=name, clip_on=False, **role.line)
            low, high = min(low, *values), max(high, *values)
        axes.set(title=title, xscale="log", xlabel="K (beam size)", ylim=(low, high))
        plain_ticks(axes.xaxis, beam_sizes)
    handles = axes.get_legend_handles_labels()
    figure.legend(*handles, loc="outside lower center", ncols=len(by_model))
    return figure


def plural(noun: str, count: int) -> str:
    """Return a noun as it stands after `count`."""
    return noun if count == 1 else f"{noun}s"


def changes_in_words(
    changes: Mapping[str, Mapping[str, Sequence[int]]], n: int, beam_size: int
) -> str:
    """Say for each model how many translations the beam changes, and what becomes of them; a
    markdown list."""
    lines = []
    for name, kinds in changes.items():
        counts = {kind: len(sentences) for kind, sentences in kinds.items()}
        lines.append(
            f"- **{name}**: a beam of {beam_size} changes {sum(counts.values())} of {n} "
            f"translations. It repairs {counts[REPAIRED]} and spoils {counts[SPOILED]}: "
            f"{_net(counts[REPAIRED] - counts[SPOILED])}. Of the others, {counts[BOTH_RIGHT]} are "
            f"valid before and after, {counts[BOTH_WRONG]} are wrong before and after."
        )
    return "\n".join(lines)


def _net(difference: int) -> str:
    if difference == 0:
        return "as many valid ones as before"
    count = abs(difference)
    return f"{count} {'more' if difference > 0 else 'fewer'} valid {plural('translation', count)}"


def bigger_in_words(
    by_size: Mapping[int, Outputs], change: Difference, narrow: int, wide: int
) -> str:
    """Say what a wider beam changes: log p, validity, BLEU, and how much of BLEU the length
    explains."""
    before, after = by_size[narrow], by_size[wide]
    verdict = {1: "rises", -1: "falls", 0: "does not change by more than chance"}[change.direction]
    return (
        f"**From K = {narrow} to K = {wide}.** For the baseline, log p changes by "
        f"{after.log_prob - before.log_prob:+.3f} nats on average. BLEU {verdict} "
        f"({change.value:+.2f}, p = {change.p_value:.2f} where the sentences are drawn again and "
        f"again), and the share of valid translations goes from {before.score.validity:.1%} to "
        f"{after.score.validity:.1%}. {_length_in_words(before, after, change)}"
    )


def _length_in_words(before: Outputs, after: Outputs, change: Difference) -> str:
    """Say how much of a change in BLEU the brevity penalty explains, since log p prefers what is
    short."""
    short, long = after.score, before.score
    ratios = f"The length ratio goes from {long.length_ratio:.4f} to {short.length_ratio:.4f}"
    by_length = long.bleu * (short.brevity_penalty / long.brevity_penalty - 1.0)
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
    """Say how often a wider beam gave a LESS probable translation; pairs of (K, larger K, number
    of sentences)."""
    counts = ", ".join(f"{count} (K = {K} to {larger})" for K, larger, count in pairs)
    why = (
        " A hypothesis that would have won can be pruned by others which only a larger beam "
        "holds. They are more probable at that step and end worse."
        if any(count for *_, count in pairs)
        else ""
    )
    return f"**Less probable with a larger K.** Of {n} sentences: {counts}.{why}"


def hurt_in_words(
    hurt: Sequence[int], repaired: Sequence[int], narrow: int, wide: int, n: int
) -> str:
    """Weigh what a wider beam spoils, although it finds something more probable, against what it
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
