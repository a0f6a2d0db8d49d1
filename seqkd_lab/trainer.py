"""A training step by step: its epochs, what they are measured by, and its state on disk."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property, partial
from pathlib import Path

import torch
from torch import Tensor

from seqkd_lab.corpus.batching import Batch, batches
from seqkd_lab.corpus.in_ids import encoded_for
from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.distillation.losses import Objective
from seqkd_lab.distillation.teacher_memory import TeacherMemory
from seqkd_lab.estimates import check_batch
from seqkd_lab.finite import DivergenceError, NotFiniteError, check_trained, diverged
from seqkd_lab.micro_batches import add_gradients, own_micro_batches
from seqkd_lab.models.seq2seq import Seq2Seq, evaluated
from seqkd_lab.optimisation import (
    BY_BLEU,
    History,
    Optimisation,
    Progress,
    add_gradient,
    apply_gradient,
    set_rate,
    training_step,
)
from seqkd_lab.processes import ALONE, Job
from seqkd_lab.resuming import AnotherRunError, check_shapes, read_state, write_state
from seqkd_lab.validation import validation_loss

Callback = Callable[[Progress], "bool | None"]
Validation = Callable[[Seq2Seq], float]
"""Measures what BY_BLEU goes by (validation.ValidationBLEU)."""
BatchTransform = Callable[[Seq2Seq, Batch, int], Batch]
"""What becomes of each batch before it is learned from, by the student as it is then and a seed:
`OnPolicy` gives it the student's own targets, `SourceDropout` empties sources."""


class Trainer:
    """A training of `model` on `corpus` by `objective`, step by step; a resumed run needs
    only what `save` writes."""

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
        job: Job = ALONE,
    ) -> None:
        if optimisation.micro_batches < job.size:
            raise ValueError(
                f"{job.size} processes need as many micro-batches at least; got "
                f"{optimisation.micro_batches}"
            )
        if optimisation.best_by == BY_BLEU and validation is None:
            raise ValueError(f"best_by={BY_BLEU!r} needs `validation`, which measures it")
        if objective.needs_teacher and teacher is None:
            raise ValueError(f"{objective} needs a teacher model")
        if len(corpus) == 0 or len(valid) == 0:
            raise ValueError(
                f"need pairs to learn from and to validate on; got {len(corpus)} and {len(valid)}"
            )
        self.model, self.seed = model, seed
        self.objective, self.optimisation = objective, optimisation
        self.teacher = teacher if objective.needs_teacher else None
        self.batch_transform, self.validation = batch_transform, validation
        vocabularies = model.source_vocabulary, model.target_vocabulary
        self.encoded = encoded_for(corpus, *vocabularies)
        self.valid = encoded_for(valid, *vocabularies)
        check_batch(
            optimisation.batch_size,
            len(corpus),
            self.encoded.n_target_tokens,
            len(model.target_vocabulary),
        )
        self.optimiser = torch.optim.Adam(
            model.parameters(), lr=optimisation.learning_rate, fused=True
        )
        self.updates_per_epoch = math.ceil(len(corpus) / optimisation.batch_size)
        self.job, self.replica = job, job.replica(model)
        self.epoch, self.history = 0, History()
        self.best: dict[str, Tensor] | None = None

    @property
    def n_updates(self) -> int:
        """Return the number of updates of all epochs."""
        return self.optimisation.epochs * self.updates_per_epoch

    @cached_property
    def teacher_logits_of(self) -> Callable[[Batch], Tensor]:
        """Return what gives the teacher's logits (B, T, V) of a batch: a memory of one pass, or the
        teacher itself where the corpus is too large for that, or its targets change."""
        assert self.teacher is not None, f"{self.objective} needs no teacher"
        if self.batch_transform is None and TeacherMemory.holds(self.teacher, self.encoded):
            return TeacherMemory(self.teacher, self.encoded)
        return partial(evaluated, self.teacher)

    def update(self, batch: Batch, n_done: int) -> float:
        """Update the weights once, after `n_done` updates; return the loss in nats a token."""
        set_rate(self.optimiser, self.optimisation, n_done / self.n_updates)
        return self.step(batch, None if self.teacher is None else self.teacher_logits_of(batch))

    def step(self, batch: Batch, teacher_logits: Tensor | None) -> float:
        """Update the weights once at the rate that is set, with the teacher's logits of the batch;
        return the loss in nats a token."""
        return training_step(
            self.model,
            batch,
            self.objective,
            self.optimiser,
            self.optimisation.clip_norm,
            teacher_logits,
        )

    def run_epoch(self, callbacks: Sequence[Callback] = ()) -> bool:
        """Pass over the corpus once and validate; return whether a callback asked to stop."""
        self.model.train()
        if self.teacher is not None:
            self.teacher.eval()
        # of dropout: an epoch needs no state but its number
        torch.manual_seed(self.seed * 1_000_003 + self.epoch)
        total, n_tokens, epoch = 0.0, 0, self.epoch + 1
        for n_done, batch in self._batches():
            with self._diverging(f"in update {n_done + 1} (epoch {epoch})", batch):
                loss, n_learned = self._learn(batch, n_done)
            total, n_tokens = total + loss * n_learned, n_tokens + n_learned
            rate, valid_loss = self.optimiser.param_groups[0]["lr"], None
            if (n_done + 1) % self.updates_per_epoch == 0:
                valid_loss = self._end_epoch(total / n_tokens, rate, n_tokens)
            seen = Progress(epoch, n_done + 1, self.n_updates, loss, rate, valid_loss)
            # a list, so that every callback is called with every update
            if any([callback(seen) for callback in callbacks]):
                return True
        return False

    def _batches(self) -> Iterator[tuple[int, Batch]]:
        """Yield the batches of this epoch, each with the number of updates before it."""
        shuffle_seed = self.seed * 1_000 + self.epoch
        shuffled = batches(self.encoded, self.optimisation.batch_size, shuffle_seed)
        yield from enumerate(shuffled, start=self.epoch * self.updates_per_epoch)

    def _learn(self, batch: Batch, n_done: int) -> tuple[float, int]:
        """Update the weights once, after `n_done` updates, from the batch or from the micro-batches
        that are this process's; return the whole batch's loss in nats a token, and its tokens."""
        if self.optimisation.micro_batches > 1:
            return self._learn_together(batch, n_done)
        batch = self._transformed(batch.to(self.model.device), self.seed * 1_000_003 + n_done)
        return self.update(batch, n_done), batch.n_tokens

    def _learn_together(self, batch: Batch, n_done: int) -> tuple[float, int]:
        """Do the same by micro-batches, whose gradients are added up first."""
        n = self.optimisation.micro_batches
        seed = (self.seed * 1_000_003 + n_done) * self.optimisation.batch_size
        own = own_micro_batches(self.job, self.encoded, batch, n, seed)
        own = [micro_batch.placed(self.model.device, self._transformed) for micro_batch in own]
        set_rate(self.optimiser, self.optimisation, n_done / self.n_updates)
        self.optimiser.zero_grad()
        learned = add_gradients(self.job, self.replica, own, self._add_gradient)
        apply_gradient(self.model, self.optimiser, self.optimisation.clip_norm)
        return learned

    def _add_gradient(self, batch: Batch, weight: float) -> float:
        teacher_logits = None if self.teacher is None else self.teacher_logits_of(batch)
        return add_gradient(self.replica, batch, self.objective, teacher_logits, weight)

    def _transformed(self, batch: Batch, draws: int) -> Batch:
        """Return `batch` as it is learned from; `draws` is the seed of what is drawn for it."""
        if self.batch_transform is None:
            return batch
        return self.batch_transform(self.model, batch, draws)

    @contextmanager
    def _diverging(self, where: str, batch: Batch | None = None) -> Iterator[None]:
        """Add to what is not finite in the body where it happened, at which pairs, and at which
        learning rate."""
        try:
            yield
        except (DivergenceError, NotFiniteError) as error:
            pairs = () if batch is None else (batch.rows + 1).tolist()
            raise diverged(error, where, self.optimisation.learning_rate, pairs) from error

    def _end_epoch(self, train_loss: float, rate: float, n_tokens: int) -> float:
        """Validate, enter the epoch in the history, keep its weights where they are the best;
        return the validation loss."""
        self.epoch += 1
        with self._diverging(f"at the end of epoch {self.epoch}"):
            valid_loss = validation_loss(self.model, self.valid, job=self.job)
            check_trained(self.model)
            valid_bleu = self._valid_bleu()
        self.history.train_loss.append(train_loss)
        self.history.valid_loss.append(valid_loss)
        self.history.learning_rate.append(rate)
        self.history.n_tokens.append(n_tokens)
        if valid_bleu is not None:
            self.history.valid_bleu.append(valid_bleu)
        best = self.history.kept_epoch(self.optimisation)
        if self.optimisation.keeps_best and best == self.epoch:
            self.best = {name: tensor.clone() for name, tensor in self.model.state_dict().items()}
        return valid_loss

    def _valid_bleu(self) -> float | None:
        measure = self.validation
        return None if measure is None else self.job.agreed(lambda: measure(self.model))

    @property
    def finished(self) -> bool:
        """Return whether all epochs are done, or the last `patience` of them brought no better
        validation score."""
        patience = self.optimisation.patience
        since_best = self.epoch - self.history.best_epoch(self.optimisation.best_by)
        return self.epoch >= self.optimisation.epochs or (
            patience is not None and since_best >= patience > 0
        )

    def save(self, directory: Path, key: str = "") -> None:
        """Write the state after a whole epoch: weights, Adam's moments, best weights, history; and
        the run's key. Of several processes, which all have the same, the first one writes it."""
        if not self.job.is_first:
            return
        tensors = {f"model.{name}": tensor for name, tensor in self.model.state_dict().items()}
        tensors |= {f"best.{name}": tensor for name, tensor in (self.best or {}).items()}
        for number, moments in self.optimiser.state_dict()["state"].items():
            tensors |= {f"adam.{number}.{name}": tensor for name, tensor in moments.items()}
        write_state(directory, key, self.epoch, self.history.as_dict(), tensors)

    def resume(self, directory: Path, key: str = "") -> bool:
        """Continue from what `save` wrote there under the same key; return False when there is
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
