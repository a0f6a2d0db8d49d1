"""The Word-KD loss of trained models: its floor, and what softening wastes on impossible words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from seqkd_lab.corpus.batching import Batch, encode, make_batch
from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.corpus.toy import ToyLanguage
from seqkd_lab.corpus.vocabulary import PAD, Vocabulary
from seqkd_lab.distillation.losses import word_kd
from seqkd_lab.lab.shared.digits import percent
from seqkd_lab.lab.shared.lesson import Markdown
from seqkd_lab.lab.shared.next_words import next_id
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.runs.recipes import BASELINE, SEQ_KD, TEACHER, WORD_KD


def whole_batch(
    models: Mapping[str, Seq2Seq], corpus: ParallelCorpus
) -> tuple[Batch, dict[str, Tensor]]:
    """Return all of `corpus` as one batch, and each model's logits (B, T, V) along its targets."""
    teacher = models[TEACHER]
    encoded = encode(corpus, teacher.source_vocabulary, teacher.target_vocabulary)
    batch = make_batch(encoded, list(range(len(corpus))))
    with torch.no_grad():
        return batch, {name: model(batch) for name, model in models.items()}


def word_kd_losses(models: Mapping[str, Seq2Seq], corpus: ParallelCorpus) -> dict[str, float]:
    """Return each model's Word-KD loss along gold at τ = 1, in nats a token; the teacher's own is
    its entropy."""
    batch, logits = whole_batch(models, corpus)
    return {
        name: word_kd(logits[name], logits[TEACHER], batch.target_out).item() for name in models
    }


def losses_table(losses: Mapping[str, float]) -> Markdown:
    """Show each model's Word-KD loss, and how far it lies above the teacher's own."""
    head = "| model | Word-KD loss, nats a token | above the teacher's own |\n|---|---|---|\n"
    floor = losses[TEACHER]
    rows = [f"| {name} | {loss:.3f} | {loss - floor:.3f} |" for name, loss in losses.items()]
    return Markdown(head + "\n".join(rows))


def floor_answer(losses: Mapping[str, float]) -> str:
    """Say where the floor of the loss lies, and whether training on the soft target brought the
    student nearer."""
    floor = losses[TEACHER]
    above = {name: loss - floor for name, loss in losses.items()}
    nearer = (
        "Training on the soft target brought the student nearer to the teacher. "
        if above[WORD_KD] < above[BASELINE]
        else "Here, training on the soft target did not bring the student nearer to the teacher. "
    )
    farthest = (
        f"Seq-KD is the farthest away ({above[SEQ_KD]:.3f}): it learned the teacher's "
        "sentences, not the teacher's distributions along gold."
        if above[SEQ_KD] > max(above[WORD_KD], above[BASELINE])
        else ""
    )
    return (
        f"The floor is the teacher's own entropy, here **{floor:.3f}** nats a token. A student "
        "that equals the teacher has exactly this loss, so “the loss stays above 0” says nothing "
        "against a student. What counts is the distance from the floor, which is KL(teacher ‖ "
        f"student): {above[WORD_KD]:.3f} for Word-KD, {above[BASELINE]:.3f} for the baseline. "
        f"{nearer}{farthest}"
    )


@dataclass(frozen=True)
class Waste:
    """What goes to next words that the language rules out at one τ, mean over positions after
    gold's words.

    target: their probability in the teacher's soft target. pull: their share of Σ_k |∂/∂z_k| on a
    student.
    """

    target: float
    pull: float


def softening_waste(
    models: Mapping[str, Seq2Seq],
    corpus: ParallelCorpus,
    language: ToyLanguage,
    temperatures: Sequence[float],
    student: str = BASELINE,
) -> dict[float, Waste]:
    """Measure, by τ, what softening gives to impossible next words, in the soft target and in the
    gradient."""
    batch, logits = whole_batch({name: models[name] for name in (TEACHER, student)}, corpus)
    real, n_positions = batch.target_out != PAD, batch.target_out.shape[1]
    vocabulary = models[TEACHER].target_vocabulary
    possible = possible_words(corpus, language, vocabulary, n_positions)[real]
    z, v = logits[student][real], logits[TEACHER][real]
    wasted = {}
    for tau in temperatures:
        p, q = (z / tau).softmax(dim=1), (v / tau).softmax(dim=1)
        gradient = (p - q).abs()
        on_impossible = float(gradient.masked_fill(possible, 0.0).sum() / gradient.sum())
        wasted[tau] = Waste(float(q.masked_fill(possible, 0.0).sum(dim=1).mean()), on_impossible)
    return wasted


def possible_words(
    corpus: ParallelCorpus, language: ToyLanguage, vocabulary: Vocabulary, n_positions: int
) -> Tensor:
    """Return (B, T, V): whether the language allows word k after gold's first t words; nothing
    after the end."""
    allowed = torch.zeros(len(corpus), n_positions, len(vocabulary), dtype=torch.bool)
    for b, (source, gold) in enumerate(zip(corpus.source, corpus.target, strict=True)):
        for t in range(len(gold) + 1):
            words = language.next_token(source, gold[:t])
            allowed[b, t, [next_id(vocabulary, word) for word in words]] = True
    return allowed


def waste_answer(waste: Mapping[float, Waste]) -> str:
    """Say what softening gives to impossible next words, and what follows for the upper rows of the
    map."""
    targets = ", ".join(f"{percent(at.target)} at τ = {tau:g}" for tau, at in waste.items())
    pulls = ", ".join(f"{percent(at.pull)} at τ = {tau:g}" for tau, at in waste.items())
    low, high = waste[min(waste)], waste[max(waste)]
    effect = (
        "So at a high τ most of the teaching is about words that cannot stand there, which "
        "fits the poor upper rows. The strength of the pull is not the reason: on this map it "
        "is the same at every τ. A larger student, or more updates, may learn both; the map "
        "does not test that."
        if high.target > low.target and high.pull > low.pull
        else "So here softening does not move the teaching to words that cannot stand there."
    )
    return (
        "The language rules out most words at each position. Of the soft target they have "
        f"{targets}. Of the gradient's size they take {pulls}. {effect}"
    )
