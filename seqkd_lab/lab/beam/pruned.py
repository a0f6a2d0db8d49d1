"""Where a search lost a translation, by how much, and which beam keeps it."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch

from seqkd_lab.corpus.toy import ToyLanguage
from seqkd_lab.corpus.vocabulary import PAD
from seqkd_lab.decoding.search import keep_best
from seqkd_lab.decoding.trace import SearchTrace, TraceStep, trace_search
from seqkd_lab.lab.beam.game import END, Words
from seqkd_lab.lab.beam.outputs import Outputs
from seqkd_lab.lab.shared.digits import deciding_digits, shown_number
from seqkd_lab.lab.shared.exercises import Folded
from seqkd_lab.models.seq2seq import Seq2Seq


@dataclass(frozen=True)
class Loss:
    """Where a search lost a translation: step and rank count from 1; log p of its prefix, and of
    the last one that was kept."""

    step: int
    words: Words
    rank: int
    log_prob: float
    last_kept: float


def lost_at(trace: SearchTrace, target: Sequence[str]) -> Loss | None:
    """Return the step at which the last prefix of `target` left the beam; None when it held its
    place to the end.

    Raise ValueError for a target with a word that the model cannot write.
    """
    unknown = [word for word in target if word not in trace.steps[0].tokens]
    if unknown:
        raise ValueError(f"the model has no word {unknown[0]!r}")
    for number, step in enumerate(trace.steps, start=1):
        place = _place_on_path(step, tuple(target))
        if place is None or place in step.kept.tolist():
            continue
        score, log_probs = step.score.flatten(), step.log_prob.flatten()
        better = int((score > score[place]).sum())
        return Loss(
            step=number,
            words=(*target, END)[:number],
            rank=max(better, len(step.kept)) + 1,
            log_prob=float(log_probs[place]),
            last_kept=float(log_probs[step.kept[-1]]),
        )
    return None


def _place_on_path(step: TraceStep, target: Words) -> int | None:
    """Return the place (parent · V + token) of the candidate that continues towards `target`, None
    where there is none."""
    V = step.score.shape[1]
    for parent, (prefix, finished) in enumerate(zip(step.prefixes, step.was_finished, strict=True)):
        if finished and prefix == target:
            return parent * V + PAD
        is_alive = not finished and bool(torch.isfinite(step.score[parent]).any())
        if is_alive and prefix == target[: len(prefix)]:
            token = target[len(prefix)] if len(prefix) < len(target) else END
            return parent * V + step.tokens.index(token)
    return None


def losses(
    model: Seq2Seq, source: Sequence[str], target: Sequence[str], most: int = 20
) -> dict[int, Loss]:
    """Return where searches with K = 1 … `most` threw `target` away, by K; those that held it to
    the end are left out."""
    lost = {K: lost_at(trace_search(model, source, K), target) for K in range(1, most + 1)}
    return {K: loss for K, loss in lost.items() if loss is not None}


def smallest_beam(lost: Mapping[int, Loss], most: int = 20) -> int | None:
    """Return the smallest K up to `most` whose search holds the translation to the end; None if
    there is none."""
    return next((K for K in range(1, most + 1) if K not in lost), None)


def step_to_show(lost: dict[int, Loss], beam_size: int) -> int:
    """Return the step after the one at which this beam lost the translation; 5 where it kept it."""
    return lost[beam_size].step + 1 if beam_size in lost else 5


def example_to_follow(
    model: Seq2Seq,
    repaired: Sequence[int],
    wide: Outputs,
    sources: Sequence[Words],
    language: ToyLanguage,
) -> int:
    """Return the number of a short sentence that the wide beam repaired: if possible with the most
    probable true translation, and one which a beam of 2 prunes as greedy search does."""

    def is_true_mode(number: int) -> bool:
        return wide.hypotheses[number].tokens == language.mode(sources[number])[0]

    def is_pruned_by_two(number: int) -> bool:
        trace = trace_search(model, sources[number], 2)
        return lost_at(trace, wide.hypotheses[number].tokens) is not None

    by_length = sorted(repaired, key=lambda number: len(sources[number])) or [0]
    candidates = (list(filter(is_true_mode, by_length)) or by_length)[:12]
    return next(filter(is_pruned_by_two, candidates), candidates[0])


def thrown_away(translation: str, loss: Loss | None, beam_size: int) -> str:
    """Say where a beam of `beam_size` lost the translation called so, and by how much; plain
    text."""
    if loss is None:
        return f"A beam of {beam_size} keeps {translation} to the end."
    digits = deciding_digits([loss.log_prob, loss.last_kept])
    words = " ".join(loss.words).replace(END, "(end)")
    return (
        f"A beam of {beam_size} throws {translation} away at step {loss.step}: the prefix "
        f"“{words}” has rank {loss.rank} with log p {shown_number(loss.log_prob, digits)}, and "
        f"the last one that is kept has {shown_number(loss.last_kept, digits)}."
    )


def fate_in_words(translation: str, lost: Mapping[int, Loss], beam_size: int) -> str:
    """Say where a beam of `beam_size` lost a translation, and from which K on a beam keeps it;
    plain text."""
    fate = thrown_away(translation, lost.get(beam_size), beam_size)
    if beam_size not in lost:
        return fate
    smallest = smallest_beam(lost)
    if smallest is None:
        return f"{fate} Even a beam of {max(lost)} prunes it."
    return f"{fate} The smallest beam that keeps it has K = {smallest}."


def pruned_in_words(lost: Mapping[int, Loss], smallest: int) -> str:
    """Say for each K below `smallest` where the translation was thrown away; a markdown list."""
    lines = [f"- {thrown_away('it', lost.get(K), K)}" for K in range(1, smallest)]
    return "\n".join([*lines, f"- A beam of {smallest} keeps it to the end."])


def library_step() -> Folded:
    """Fold away the library's own step of beam search, for B sentences at once."""
    source = inspect.getsource(keep_best)
    return Folded("The library's version, for B sentences at once", source, is_code=True)
