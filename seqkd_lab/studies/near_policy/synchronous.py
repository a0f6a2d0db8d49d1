"""The synchronous loop that near-policy distillation is compared with: the Trainer, as the
on-policy lesson uses it, up to a number of tokens."""

from __future__ import annotations

from collections.abc import Callable

from seqkd_lab.corpus.batching import Batch
from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.distillation.generation import GENERATE, SCORE, TRAIN, TRAINER, Timeline
from seqkd_lab.distillation.near_policy import Run
from seqkd_lab.distillation.on_policy import Divergence, OnPolicy
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.optimisation import Optimisation
from seqkd_lab.trainer import BatchTransform, Trainer


class SynchronousTrainer(Trainer):
    """A Trainer that draws each batch from the student, scores all words by the teacher, and learns
    by forward KL; it records who did what when, and what it took.

    The learning rate stays as the optimiser has it, unless `before_update` changes it.
    """

    def __init__(
        self,
        student: Seq2Seq,
        teacher: Seq2Seq,
        corpus: ParallelCorpus,
        optimisation: Optimisation,
        seed: int,
        draw: BatchTransform = OnPolicy(1.0),  # noqa: B008
    ) -> None:
        valid = corpus[:1]  # one pair: the score of an epoch is not used
        super().__init__(
            student, corpus, valid, Divergence(0.0), optimisation, seed, teacher, self._drawn
        )
        self.draw, self.timeline, self.taken = draw, Timeline(TRAINER), Run()
        self.before_update: Callable[[int], None] = lambda n_tokens: None

    def learn(self, n_tokens: int, before_update: Callable[[int], None] | None = None) -> Run:
        """Train up to `n_tokens` tokens, and return what it took; `before_update` is called with
        the tokens so far before each batch is drawn."""
        if before_update is not None:
            self.before_update = before_update
        while not self.run_epoch([lambda _: self.taken.n_tokens >= n_tokens]):
            pass
        self.model.eval()
        self.taken.events = self.timeline.events
        return self.taken

    def update(self, batch: Batch, n_done: int) -> float:
        """Score and learn from one drawn batch; return its loss in nats a token."""
        with self.timeline.record(SCORE, n_done):
            teacher_logits = self.teacher_logits_of(batch)
        with self.timeline.record(TRAIN, n_done):
            loss = self.step(batch, teacher_logits)
        taken = self.taken
        taken.loss.append(loss)
        taken.staleness.append(0)
        taken.n_tokens += batch.n_tokens
        taken.n_drawn += len(batch)
        taken.n_kept += len(batch)
        return loss

    def _drawn(self, model: Seq2Seq, batch: Batch, seed: int) -> Batch:
        self.before_update(self.taken.n_tokens)
        with self.timeline.record(GENERATE, self.taken.n_updates):
            return self.draw(model, batch, seed)
