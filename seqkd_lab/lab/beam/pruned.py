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
from seqkd_lab.lab.shared.digits import deciding_digits, shown_log_prob
from seqkd_lab.lab.shared.exercises import Folded
from seqkd_lab.models.seq2seq import Seq2Seq


@dataclass(frozen=True)
class Loss:
    """Where a search lost a translation: step and rank count from 1; log p of its beginning, and of
    the last kept."""

    step: int
    words: Words
    rank: int
    log_prob: float
    last_kept: float


def lost_at(trace: SearchTrace, target: Sequence[str]) -> Loss | None:
    """The step at which the last beginning of `target` left the beam; None when it held a place to
    the end.

    Raises ValueError for a target with a word that the model cannot write.
    """
    unknown = [word for word in target if word not in trace.steps[0].tokens]
    if unknown:
        raise ValueError(f"the model has no word {unknown[0]!r}")
    for number, step in enumerate(trace.steps, start=1):
        place = _place_on_path(step, tuple(target))
        if place is None or place in step.kept.tolist():
            continue
        better = int((step.score.flatten() > step.score.flatten()[place]).sum())
        log_prob, last_kept = (float(step.log_prob.flatten()[p]) for p in (place, step.kept[-1]))
        words = (*target, END)[:number]
        return Loss(number, words, max(better, len(step.kept)) + 1, log_prob, last_kept)
    return None


def _place_on_path(step: TraceStep, target: Words) -> int | None:
    """The place (parent · V + token) of the candidate that goes on towards `target`, None where
    there is none."""
    V = step.score.shape[1]
    for parent, (prefix, finished) in enumerate(zip(step.prefixes, step.was_finished, strict=True)):
        if finished and prefix == target:
            return parent * V + PAD
        if (
            not finished
            and prefix == target[: len(prefix)]
            and bool(torch.isfinite(step.score[parent]).any())
        ):
            token = target[len(prefix)] if len(prefix) < len(target) else END
            return parent * V + step.tokens.index(token)
    return None


def losses(
    model: Seq2Seq, source: Sequence[str], target: Sequence[str], most: int = 20
) -> dict[int, Loss]:
    """Where searches with K = 1 … `most` threw `target` away, by K; those that held it to the end
    are not there."""
    lost = {K: lost_at(trace_search(model, source, K), target) for K in range(1, most + 1)}
    return {K: loss for K, loss in lost.items() if loss is not None}


def smallest_beam(lost: Mapping[int, Loss], most: int = 20) -> int | None:
    """The smallest K up to `most` whose search holds the translation to the end; None if there is
    none."""
    return next((K for K in range(1, most + 1) if K not in lost), None)


def step_to_show(lost: dict[int, Loss], beam_size: int) -> int:
    """The step after the one at which this beam lost the translation; 5 where it kept it."""
    return lost[beam_size].step + 1 if beam_size in lost else 5


def example_to_follow(
    model: Seq2Seq,
    repaired: Sequence[int],
    made: Outputs,
    sources: Sequence[tuple[str, ...]],
    language: ToyLanguage,
) -> int:
    """The place of a short sentence that the wide beam `made` repaired: if possible with the most
    probable true translation, and one which a beam of 2 prunes as greedy search does."""
    by_length = sorted(repaired, key=lambda place: len(sources[place])) or [0]
    is_true_mode = [
        place for place in by_length if made.found[place].tokens == language.mode(sources[place])[0]
    ]
    candidates = (is_true_mode or by_length)[:12]
    pruned = (
        place
        for place in candidates
        if lost_at(trace_search(model, sources[place], 2), made.found[place].tokens) is not None
    )
    return next(pruned, candidates[0])


def thrown_away(what: str, loss: Loss | None, beam_size: int) -> str:
    """Says where a beam of `beam_size` lost the translation called `what`, and by how much; plain
    text."""
    if loss is None:
        return f"A beam of {beam_size} keeps {what} to the end."
    digits = deciding_digits([loss.log_prob, loss.last_kept])
    words = " ".join(loss.words).replace(END, "(end)")
    return (
        f"A beam of {beam_size} throws {what} away at step {loss.step}: the prefix “{words}” has "
        f"rank {loss.rank} with log p {shown_log_prob(loss.log_prob, digits)}, and the last one "
        f"that is kept has {shown_log_prob(loss.last_kept, digits)}."
    )


def fate_in_words(what: str, lost: Mapping[int, Loss], beam_size: int) -> str:
    """Says where a beam of `beam_size` lost a translation, and from which K on a beam keeps it;
    plain text."""
    said = thrown_away(what, lost.get(beam_size), beam_size)
    if beam_size not in lost:
        return said
    smallest = smallest_beam(lost)
    if smallest is None:
        return f"{said} Even a beam of {max(lost)} prunes it."
    return f"{said} The smallest beam that keeps it has K = {smallest}."


def pruned_in_words(lost: Mapping[int, Loss], smallest: int) -> str:
    """Says for each K below `smallest` where the translation was thrown away; a markdown list."""
    lines = [f"- {thrown_away('it', lost.get(K), K)}" for K in range(1, smallest)]
    return "\n".join([*lines, f"- A beam of {smallest} keeps it to the end."])


def library_step() -> Folded:
    """Folds away the library's own step of beam search, for B sentences at once."""
    return Folded(
        "The library's version, for B sentences at once", inspect.getsource(keep_best), is_code=True
    )
