"""The one training loop: Adam, a one-cycle schedule, gradient clipping, and checkpoints that resume
to the same result.

The paper trains with plain SGD (rate 1, halved late); Adam reaches the same quality on small
corpora in a fraction of the updates, and the order of the objectives is what matters here.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor

from seqkd_lab.corpus.batching import Batch, EncodedCorpus, batches, encode, limited_batches
from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.distillation.losses import Objective, nll
from seqkd_lab.distillation.teacher_memory import TeacherMemory
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.optimisation import BY_BLEU, History, Optimisation, Progress, set_rate, training_step
from seqkd_lab.resuming import AnotherRunError, check_shapes, forget, read_state, write_state


class DivergenceError(ArithmeticError):
    """A loss that is not a finite number: the training has failed, and its weights are worth
    nothing."""


Callback = Callable[[Progress], "bool | None"]
Validation = Callable[[Seq2Seq], float]
"""Measures what BY_BLEU goes by (validation.ValidationBLEU)."""
BatchTransform = Callable[[Seq2Seq, Batch, int], Batch]
"""What becomes of each batch before it is learned from, by the student as it is then and a seed:
`OnPolicy` gives it the student's own targets, `SourceDropout` empties sources."""


@torch.no_grad()
def validation_loss(model: Seq2Seq, encoded: EncodedCorpus, batch_size: int = 128) -> float:
    """NLL of gold in nats a token, teacher forcing, dropout off.

    Batches have at most `batch_size` sentences, and fewer where they are long (limited_batches).
    """
    model.eval()
    total, n_tokens = 0.0, 0
    for batch in limited_batches(encoded, batch_size):
        total += nll(model(batch), batch.target_out).item() * batch.n_tokens
        n_tokens += batch.n_tokens
    return total / n_tokens


class Trainer:
    """Trains `model` on `corpus` by `objective`, step by step; all that a resumed run needs is in
    its state."""

    def __init__(
        self,
        model: Seq2Seq,
        corpus: ParallelCorpus,
        valid: ParallelCorpus,
        objective: Objective,
        optimisation: Optimisation,
        seed: int,
        teacher: Seq2Seq | None = None,
        batch_transform: BatchTransform | None = None,
        validation: Validation | None = None,
    ) -> None:
        if optimisation.best_by == BY_BLEU and validation is None:
            raise ValueError(f"best_by={BY_BLEU!r} needs `validation`, which measures it")
        if objective.needs_teacher and teacher is None:
            raise ValueError(f"{objective} needs a teacher model")
        if len(corpus) == 0 or len(valid) == 0:
            raise ValueError(
                f"need pairs to learn from and to validate on; got {len(corpus)} and {len(valid)}"
            )
        self.model, self.objective, self.optimisation, self.seed = (
            model,
            objective,
            optimisation,
            seed,
        )
        self.teacher = teacher if objective.needs_teacher else None
        self.batch_transform, self.validation = batch_transform, validation
        self.encoded = encode(corpus, model.source_vocabulary, model.target_vocabulary)
        self.valid = encode(valid, model.source_vocabulary, model.target_vocabulary)
        self.optimiser = torch.optim.Adam(
            model.parameters(), lr=optimisation.learning_rate, fused=True
        )
        self.updates_per_epoch = math.ceil(len(corpus) / optimisation.batch_size)
        self.epoch, self.history = 0, History()
        self.best: dict[str, Tensor] | None = None

    @property
    def n_updates(self) -> int:
        return self.optimisation.epochs * self.updates_per_epoch

    @cached_property
    def teacher_logits_of(self) -> Callable[[Batch], Tensor]:
        """The teacher's logits (B, T, V) of a batch: remembered from one pass, or asked for each
        time where the corpus is too large for that, or its targets change."""
        if self.batch_transform is None and TeacherMemory.holds(self.teacher, self.encoded):
            return TeacherMemory(self.teacher, self.encoded)
        return torch.no_grad()(self.teacher)

    def update(self, batch: Batch, n_done: int) -> float:
        """One update of the weights; returns the loss in nats a token."""
        set_rate(self.optimiser, self.optimisation, n_done / self.n_updates)
        return self.step(batch, None if self.teacher is None else self.teacher_logits_of(batch))

    def step(self, batch: Batch, teacher_logits: Tensor | None) -> float:
        """One update at the rate that is set, with what the teacher said of the batch; the loss in
        nats a token."""
        return training_step(
            self.model,
            batch,
            self.objective,
            self.optimiser,
            self.optimisation.clip_norm,
            teacher_logits,
        )

    def run_epoch(self, callbacks: Sequence[Callback] = ()) -> bool:
        """One pass over the corpus and one validation; returns whether a callback asked to stop."""
        self.model.train()
        if self.teacher is not None:
            self.teacher.eval()
        torch.manual_seed(
            self.seed * 1_000_003 + self.epoch
        )  # dropout; so an epoch needs no state but its number
        total, n_tokens = 0.0, 0
        n_done = self.epoch * self.updates_per_epoch
        for batch in batches(
            self.encoded, self.optimisation.batch_size, shuffle_seed=self.seed * 1_000 + self.epoch
        ):
            if self.batch_transform is not None:
                batch = self.batch_transform(self.model, batch, self.seed * 1_000_003 + n_done)
            loss = self.update(batch, n_done)
            n_done += 1
            self._check_finite(loss, f"the loss of update {n_done} (epoch {self.epoch + 1})")
            total, n_tokens = total + loss * batch.n_tokens, n_tokens + batch.n_tokens
            rate = self.optimiser.param_groups[0]["lr"]
            is_last = n_done % self.updates_per_epoch == 0
            if is_last:
                self._end_epoch(total / n_tokens, rate, n_tokens)
            valid_loss = self.history.valid_loss[-1] if is_last else None
            epoch = math.ceil(n_done / self.updates_per_epoch)
            seen = Progress(epoch, n_done, self.n_updates, loss, rate, valid_loss)
            if any(
                [callback(seen) for callback in callbacks]
            ):  # a list: every callback hears of every update
                return True
        return False

    def _check_finite(self, loss: float, what: str) -> None:
        if not math.isfinite(loss):
            raise DivergenceError(
                f"the training diverged: {what} is {loss}. Take a smaller learning rate "
                f"(--learning-rate; it was {self.optimisation.learning_rate:g}); no model was saved"
            )

    def _end_epoch(self, train_loss: float, rate: float, n_tokens: int) -> None:
        valid_loss = validation_loss(self.model, self.valid)
        self.epoch += 1
        self._check_finite(valid_loss, f"the validation loss after epoch {self.epoch}")
        self.history.train_loss.append(train_loss)
        self.history.valid_loss.append(valid_loss)
        self.history.learning_rate.append(rate)
        self.history.n_tokens.append(n_tokens)
        if self.validation is not None:
            self.history.valid_bleu.append(self.validation(self.model))
        if (
            self.optimisation.keeps_best
            and self.history.kept_epoch(self.optimisation) == self.epoch
        ):
            self.best = {name: tensor.clone() for name, tensor in self.model.state_dict().items()}

    @property
    def finished(self) -> bool:
        """Whether all epochs are done, or the last `patience` of them brought no better validation
        score."""
        patience = self.optimisation.patience
        since_best = self.epoch - self.history.best_epoch(self.optimisation.best_by)
        return self.epoch >= self.optimisation.epochs or (
            patience is not None and since_best >= patience > 0
        )

    def save(self, directory: Path, key: str = "") -> None:
        """Writes the state after a whole epoch: weights, Adam's moments, best weights, history; and
        the run's key."""
        tensors = {f"model.{name}": tensor for name, tensor in self.model.state_dict().items()}
        tensors |= {f"best.{name}": tensor for name, tensor in (self.best or {}).items()}
        for number, moments in self.optimiser.state_dict()["state"].items():
            tensors |= {f"adam.{number}.{name}": tensor for name, tensor in moments.items()}
        write_state(directory, key, self.epoch, self.history.as_dict(), tensors)

    def resume(self, directory: Path, key: str = "") -> bool:
        """Continues from what `save` wrote there under the same key; returns False when there is
        nothing.

        Raises AnotherRunError for what another run left there, or what is damaged; the model is as
        it was then.
        """
        state = read_state(directory, key)
        if state is None:
            return False
        own = self.model.state_dict()
        for weights in (state.model, state.best or own):
            check_shapes(directory, weights, own)
        try:
            history = History(**state.history)
            moments = {**self.optimiser.state_dict(), "state": state.adam}
            self.optimiser.load_state_dict(moments)
        except (TypeError, ValueError, KeyError) as error:
            raise AnotherRunError(
                f"{directory} holds an unfinished run that is damaged ({error})"
            ) from error
        self.epoch, self.history, self.best = state.epoch, history, state.best or None
        self.model.load_state_dict(state.model)
        return True


def train(
    model: Seq2Seq,
    corpus: ParallelCorpus,
    valid: ParallelCorpus,
    objective: Objective,
    optimisation: Optimisation,
    seed: int,
    teacher: Seq2Seq | None = None,
    callbacks: Sequence[Callback] = (),
    resume_from: Path | None = None,
    batch_transform: BatchTransform | None = None,
    validation: Validation | None = None,
    key: str = "",
) -> History:
    """Trains `model` in place and returns its history.

    With `resume_from`, the state is saved there after each epoch, and a run that was interrupted
    continues from its last whole epoch to the same result, bit for bit on one machine with one
    number of threads. `key` says what run that is (hash of settings, data, teacher); what another
    key left there is replaced, with a warning. A callback that returns True stops at once: the
    weights stay as they are then. Raises DivergenceError at the first loss that is not finite.
    """
    trainer = Trainer(
        model, corpus, valid, objective, optimisation, seed, teacher, batch_transform, validation
    )
    if resume_from is not None:
        _resume_or_forget(trainer, resume_from, key)
    stopped = False
    try:
        while not trainer.finished and not stopped:
            stopped = trainer.run_epoch(callbacks)
            if resume_from is not None and not stopped:
                trainer.save(resume_from, key)
    except DivergenceError:
        if resume_from is not None:
            forget(resume_from)  # the same run would diverge again
        raise
    if trainer.best is not None and not stopped:
        model.load_state_dict(trainer.best)
    model.eval()
    return trainer.history


def _resume_or_forget(trainer: Trainer, directory: Path, key: str) -> None:
    try:
        trainer.resume(directory, key)
    except AnotherRunError as error:
        warnings.warn(f"{error}: it is replaced, and the training starts anew", stacklevel=3)
        forget(directory)
