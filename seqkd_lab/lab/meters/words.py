"""Lesson 15's explanations: sentences that quote what was measured and are true of it."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import fmean

from seqkd_lab.lab.meters.measures import Meters
from seqkd_lab.lab.meters.misleading import PERFECT, GoldWords, References
from seqkd_lab.lab.meters.reading import CORPORA, GOLD, SAMPLE, TEACHERS_MODE, TRUE_MODE
from seqkd_lab.lab.shared.lesson import Markdown
from seqkd_lab.lab.shared.predictions import largest
from seqkd_lab.runs.recipes import BASELINE, SEQ_KD, TEACHER


def history_in_words(meters: Mapping[str, Meters]) -> Markdown:
    """Say how much of gold's history each corpus keeps, and what the simpler corpus has lost."""
    kept = {name: meters[name].all_history / meters[GOLD].all_history for name in CORPORA[1:]}
    lines = [
        f"Of gold's history, the sample keeps {kept[SAMPLE]:.0%}, the teacher's mode "
        f"{kept[TEACHERS_MODE]:.0%} and the language's mode {kept[TRUE_MODE]:.0%}."
    ]
    if kept[TEACHERS_MODE] < kept[SAMPLE]:
        lines.append(
            "The teacher wrote both the sample and its mode. So a corpus does not become simpler "
            "because the teacher writes it. It becomes simpler because it is the *mode*."
        )
    if kept[TEACHERS_MODE] > kept[TRUE_MODE]:
        lines.append(
            "The teacher's mode is not the language's mode. Where two choices are almost equally "
            "probable, the teacher sometimes takes the one and sometimes the other."
        )
    lines.append(
        f"Simplicity has a price: gold has {meters[GOLD].n_words} distinct words, the teacher's "
        f"mode {meters[TEACHERS_MODE].n_words}."
    )
    return Markdown(" ".join(lines))


def paradox_in_words(words: Mapping[str, GoldWords]) -> Markdown:
    """Say what gold's words cost the baseline and Seq-KD, by whether the teacher wrote them too."""
    baseline, seq_kd = words[BASELINE], words[SEQ_KD]
    lines = [
        f"**Perplexity.** Of gold it is {baseline.perplexity:.2f} for the baseline and "
        f"{seq_kd.perplexity:.2f} for Seq-KD. A word that the teacher did not write costs the "
        f"baseline {baseline.differing:.2f} nats and Seq-KD {seq_kd.differing:.2f}. A word that it "
        f"did write costs {baseline.agreeing:.2f} and {seq_kd.agreeing:.2f}."
    ]
    if seq_kd.differing > baseline.differing:
        lines.append(
            "Seq-KD learned to be sure of *one* translation. Where gold took another valid "
            "choice, it finds gold's word improbable, and the mean remembers this."
        )
    if seq_kd.agreeing > baseline.agreeing:
        lines.append(
            "After such a word, the student stands in a place that it would never have reached "
            "itself; this is why the other words cost it more, too."
        )
    if seq_kd.perplexity > baseline.perplexity:
        lines.append(
            "A worse perplexity says here that the model knows less variety. It does not say that "
            "its translations are worse."
        )
    return Markdown(" ".join(lines))


def one_reference_in_words(references: References) -> Markdown:
    """Say how a translator without mistakes fares against one reference, and who scores more."""
    means = {name: fmean(scores) for name, scores in references.alone.items()}
    above = [name for name in references.all if means[name] > means[PERFECT]]
    lines = [
        "**One reference.** The perfect translator draws from the true distribution and never "
        f"makes a mistake. Against one reference it scores {means[PERFECT]:.1f} BLEU, because "
        "another valid translation shares few words with its own."
    ]
    if above:
        named = " and ".join(f"{name} ({means[name]:.1f})" for name in above)
        lines.append(
            f"Above it: {named}, mistakes and all. A system that writes the most probable words is "
            "close to every draw."
        )
    names = [name for name in (TEACHER, BASELINE, SEQ_KD) if name in references.all]
    agree, n = references.same_order(names)
    of_models = (
        "between models it misleads less"
        if agree > 0.9 * n
        else "it misleads about the models, too"
    )
    lines.append(
        f"So one reference misleads about a translator that varies as the truth does. In {agree} "
        f"of {n} single references, the models have the order that all references give: "
        f"{of_models}."
    )
    lines.append(
        "Judge by many references, or by validity where the truth is known. With real text there "
        "is usually neither."
    )
    return Markdown(" ".join(lines))


def first_against_one(references: References) -> str:
    """Return the system that scores most against one reference, CANNOT_TELL where another is not
    decidedly below it: the 95% interval of the difference over the references contains 0."""
    return largest(references.alone)
