"""The one training loop: Adam, a one-cycle schedule, gradient clipping, and checkpoints that resume to the same result.

The paper trains with plain SGD (rate 1, halved late); Adam reaches the same quality on small corpora in a fraction of
the updates, and the order of the objectives is what matters here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor

from seqkd_lab.corpus.batching import Batch, EncodedCorpus, batches, encode
from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.distillation.losses import Objective, nll
from seqkd_lab.distillation.teacher_memory import TeacherMemory
from seqkd_lab.models.checkpoint import load_tensors, read_json, save_tensors, write_json
from seqkd_lab.models.seq2seq import Seq2Seq


@dataclass(frozen=True)
class Optimisation:
    """How long and how fast to learn. batch_size counts sentences; patience (epochs without a better validation
    loss; None: never) stops early and keeps the best epoch."""

    epochs: int = 8
    learning_rate: float = 0.01
    batch_size: int = 64
    warmup: float = 0.1
    clip_norm: float = 1.0
    patience: int | None = None

    def __post_init__(self) -> None:
        if self.epochs < 1 or self.batch_size < 1:
            raise ValueError(f"epochs and batch_size must be at least 1; got {self.epochs} and {self.batch_size}")
        if self.patience is not None and self.patience < 1:
            raise ValueError(f"patience must be at least 1 epoch, or None for never; got {self.patience}")
        if not self.learning_rate > 0.0 or not self.clip_norm > 0.0 or not 0.0 <= self.warmup < 1.0:
            raise ValueError(f"need learning_rate > 0, clip_norm > 0 and 0 ≤ warmup < 1; got {self}")


@dataclass
class Progress:
    """What a callback sees after each update: epoch counts from 1, update from 1 to n_updates, loss in nats a token.

    valid_loss is set on the last update of an epoch. A callback that returns True ends the training there.
    """

    epoch: int
    update: int
    n_updates: int
    loss: float
    learning_rate: float
    valid_loss: float | None = None


@dataclass
class History:
    """One entry for each finished epoch: mean training loss, validation NLL (both nats a token), learning rate, and the
    target tokens that it learned from (EOS counts; on-policy they are the student's own)."""

    train_loss: list[float] = field(default_factory=list)
    valid_loss: list[float] = field(default_factory=list)
    learning_rate: list[float] = field(default_factory=list)
    n_tokens: list[int] = field(default_factory=list)


Callback = Callable[[Progress], "bool | None"]
Rewriting = Callable[[Seq2Seq, Batch, int], Batch]
"""What becomes of each batch before it is learned from, by the student as it is then and a seed: `OnPolicy` gives it
the student's own targets, `SourceDropout` empties sources."""


def one_cycle(progress: float, warmup: float) -> float:
    """The share of the peak learning rate at `progress` in [0, 1]: a linear rise, then half a cosine down to 0."""
    if progress < warmup:
        return progress / warmup
    return 0.5 * (1.0 + math.cos(math.pi * (progress - warmup) / (1.0 - warmup)))


@torch.no_grad()
def validation_loss(model: Seq2Seq, encoded: EncodedCorpus, batch_size: int = 128) -> float:
    """NLL of gold in nats a token, teacher forcing, dropout off."""
    model.eval()
    total, n_tokens = 0.0, 0
    for batch in batches(encoded, batch_size, shuffle_seed=None):
        total += nll(model(batch), batch.target_out).item() * batch.n_tokens
        n_tokens += batch.n_tokens
    return total / n_tokens


def training_step(
    model: Seq2Seq, batch: Batch, objective: Objective,
    optimiser: torch.optim.Optimizer, clip_norm: float,
    teacher_logits: Tensor | None = None,
) -> float:
    """Updates the parameters of `model` once, from one batch.

    Returns the batch's loss before the update, in nats a token. A gradient
    whose norm is larger than `clip_norm` is scaled down to it (Pascanu et al.
    2013). teacher_logits (B, T, V): for objectives that need a teacher.
    """
    optimiser.zero_grad()
    logits = model(batch)  # forward: scores (B, T, V) of every next token
    loss = objective(logits, batch, teacher_logits)
    loss.backward()  # backward: the gradient of the loss, by parameter
    torch.nn.utils.clip_grad_norm_(model.parameters(), clip_norm)
    optimiser.step()  # update: move the parameters against the gradient
    return loss.item()


class Trainer:
    """Trains `model` on `corpus` by `objective`, step by step; all that a resumed run needs is in its state."""

    def __init__(
        self, model: Seq2Seq, corpus: ParallelCorpus, valid: ParallelCorpus, objective: Objective,
        optimisation: Optimisation, seed: int, teacher: Seq2Seq | None = None,
        rewriting: Rewriting | None = None,
    ) -> None:
        if objective.needs_teacher and teacher is None:
            raise ValueError(f"{objective} needs a teacher model")
        if len(corpus) == 0 or len(valid) == 0:
            raise ValueError(f"need pairs to learn from and to validate on; got {len(corpus)} and {len(valid)}")
        self.model, self.objective, self.optimisation, self.seed = model, objective, optimisation, seed
        self.teacher = teacher if objective.needs_teacher else None
        self.rewriting = rewriting
        self.encoded = encode(corpus, model.source_vocabulary, model.target_vocabulary)
        self.valid = encode(valid, model.source_vocabulary, model.target_vocabulary)
        self.optimiser = torch.optim.Adam(model.parameters(), lr=optimisation.learning_rate, fused=True)
        self.updates_per_epoch = math.ceil(len(corpus) / optimisation.batch_size)
        self.epoch, self.history = 0, History()
        self.best: dict[str, Tensor] | None = None

    @property
    def n_updates(self) -> int:
        return self.optimisation.epochs * self.updates_per_epoch

    @cached_property
    def taught(self) -> Callable[[Batch], Tensor]:
        """The teacher's logits (B, T, V) of a batch: remembered from one pass, or asked for each time where the corpus
        is too large for that, or its targets change."""
        if self.rewriting is None and TeacherMemory.holds(self.teacher, self.encoded):
            return TeacherMemory(self.teacher, self.encoded)
        return torch.no_grad()(self.teacher)

    def update(self, batch: Batch, n_done: int) -> float:
        """One update of the weights; returns the loss in nats a token."""
        rate = self.optimisation.learning_rate * one_cycle(n_done / self.n_updates, self.optimisation.warmup)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        return self.step(batch, None if self.teacher is None else self.taught(batch))

    def step(self, batch: Batch, teacher_logits: Tensor | None) -> float:
        """One update at the rate that is set, with what the teacher said of the batch; the loss in nats a token."""
        return training_step(self.model, batch, self.objective, self.optimiser, self.optimisation.clip_norm,
                             teacher_logits)

    def run_epoch(self, callbacks: Sequence[Callback] = ()) -> bool:
        """One pass over the corpus and one validation; returns whether a callback asked to stop."""
        self.model.train()
        if self.teacher is not None:
            self.teacher.eval()
        torch.manual_seed(self.seed * 1_000_003 + self.epoch)  # dropout; so an epoch needs no state but its number
        total, n_tokens = 0.0, 0
        n_done = self.epoch * self.updates_per_epoch
        for batch in batches(self.encoded, self.optimisation.batch_size, shuffle_seed=self.seed * 1_000 + self.epoch):
            if self.rewriting is not None:
                batch = self.rewriting(self.model, batch, self.seed * 1_000_003 + n_done)
            loss = self.update(batch, n_done)
            n_done += 1
            total, n_tokens = total + loss * batch.n_tokens, n_tokens + batch.n_tokens
            rate = self.optimiser.param_groups[0]["lr"]
            is_last = n_done % self.updates_per_epoch == 0
            if is_last:
                self._end_epoch(total / n_tokens, rate, n_tokens)
            valid_loss = self.history.valid_loss[-1] if is_last else None
            epoch = math.ceil(n_done / self.updates_per_epoch)
            seen = Progress(epoch, n_done, self.n_updates, loss, rate, valid_loss)
            if any([callback(seen) for callback in callbacks]):  # a list: every callback hears of every update
                return True
        return False

    def _end_epoch(self, train_loss: float, rate: float, n_tokens: int) -> None:
        valid_loss = validation_loss(self.model, self.valid)
        if self.optimisation.patience is not None and valid_loss < min(self.history.valid_loss, default=math.inf):
            self.best = {name: tensor.clone() for name, tensor in self.model.state_dict().items()}
        self.history.train_loss.append(train_loss)
        self.history.valid_loss.append(valid_loss)
        self.history.learning_rate.append(rate)
        self.history.n_tokens.append(n_tokens)
        self.epoch += 1

    @property
    def finished(self) -> bool:
        """Whether all epochs are done, or the last `patience` of them brought no better validation loss."""
        patience, losses = self.optimisation.patience, self.history.valid_loss
        out_of_patience = patience is not None and losses and len(losses) - 1 - losses.index(min(losses)) >= patience
        return self.epoch >= self.optimisation.epochs or bool(out_of_patience)

    def save(self, directory: Path) -> None:
        """Writes the state after a whole epoch: weights, Adam's moments, best weights, history."""
        tensors = {f"model.{name}": tensor for name, tensor in self.model.state_dict().items()}
        tensors |= {f"best.{name}": tensor for name, tensor in (self.best or {}).items()}
        for number, moments in self.optimiser.state_dict()["state"].items():
            tensors |= {f"adam.{number}.{name}": tensor for name, tensor in moments.items()}
        name = f"epoch-{self.epoch}.safetensors"
        save_tensors(directory / name, tensors)
        write_json(directory / "resume.json", {"epoch": self.epoch, "tensors": name, "history": asdict(self.history)})
        for old in directory.glob("epoch-*.safetensors"):
            if old.name != name:
                old.unlink(missing_ok=True)

    def resume(self, directory: Path) -> bool:
        """Continues from what `save` wrote there; returns False when there is nothing.

        Nor is there when another process, at work on the same model, has put a later epoch in its place meanwhile.
        """
        try:
            saved = read_json(directory / "resume.json")
            tensors = load_tensors(directory / saved["tensors"])
        except FileNotFoundError:
            return False
        self.epoch, self.history = saved["epoch"], History(**saved["history"])
        part: dict[str, dict[str, Tensor]] = {"model": {}, "best": {}, "adam": {}}
        for name, tensor in tensors.items():
            kind, rest = name.split(".", 1)
            part[kind][rest] = tensor
        self.model.load_state_dict(part["model"])
        self.best = part["best"] or None
        state: dict[int, dict[str, Tensor]] = {}
        for name, tensor in part["adam"].items():
            number, moment = name.split(".", 1)
            state.setdefault(int(number), {})[moment] = tensor
        self.optimiser.load_state_dict({**self.optimiser.state_dict(), "state": state})
        return True


def forget(directory: Path) -> None:
    """Removes what `Trainer.save` wrote to `directory`, and nothing that another process is still writing there."""
    for left_over in (directory / "resume.json", *directory.glob("epoch-*.safetensors")):
        left_over.unlink(missing_ok=True)


def train(
    model: Seq2Seq, corpus: ParallelCorpus, valid: ParallelCorpus, objective: Objective, optimisation: Optimisation,
    seed: int, teacher: Seq2Seq | None = None, callbacks: Sequence[Callback] = (), resume_from: Path | None = None,
    rewriting: Rewriting | None = None,
) -> History:
    """Trains `model` in place and returns its history.

    With `resume_from`, the state is saved there after each epoch, and a run that was interrupted continues from its
    last whole epoch to the same result, bit for bit on one machine with one number of threads. A callback that
    returns True stops at once: the weights stay as they are then.
    """
    trainer = Trainer(model, corpus, valid, objective, optimisation, seed, teacher, rewriting)
    if resume_from is not None:
        trainer.resume(resume_from)
    stopped = False
    while not trainer.finished and not stopped:
        stopped = trainer.run_epoch(callbacks)
        if resume_from is not None and not stopped:
            trainer.save(resume_from)
    if trainer.best is not None and not stopped:
        model.load_state_dict(trainer.best)
    model.eval()
    return trainer.history
