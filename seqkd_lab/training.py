"""The one training loop: Adam, a one-cycle schedule, gradient clipping, and checkpoints that resume
to the same result.

The paper trains with plain SGD (rate 1, halved late); Adam reaches the same quality on small
corpora in a fraction of the updates, and the order of the objectives is what matters here.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.distillation.losses import Objective
from seqkd_lab.finite import DivergenceError
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.optimisation import History, Optimisation
from seqkd_lab.processes import ALONE, Job
from seqkd_lab.resuming import AnotherRunError, forget
from seqkd_lab.trainer import BatchTransform, Callback, Trainer, Validation


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
    job: Job = ALONE,
) -> History:
    """Train `model` in place and return its history.

    With `resume_from`, the state is saved there after each epoch, and a run that was interrupted
    continues from its last whole epoch to the same result, bit for bit on one machine with one
    number of threads. `key` says what run that is (hash of settings, data, teacher); what another
    key left there is replaced, with a warning. A callback that returns True stops at once: the
    weights stay as they are then. The processes of `job` train one model together and end with the
    same weights. Raises DivergenceError at the first loss that is not finite; the
    state of the last whole epoch before it stays in `resume_from`.
    """
    trainer = Trainer(
        model,
        corpus,
        valid,
        objective,
        optimisation,
        seed,
        teacher,
        batch_transform,
        validation,
        job,
    )
    if resume_from is not None:
        with job.first_alone():
            _resume_or_forget(trainer, resume_from, key)
    stopped = False
    try:
        while not trainer.finished and not stopped:
            stopped = trainer.run_epoch(callbacks)
            if resume_from is not None and not stopped:
                trainer.save(resume_from, key)
    except DivergenceError as error:
        raise _with_what_is_kept(error, trainer, resume_from) from error
    if trainer.best is not None and not stopped:
        model.load_state_dict(trainer.best)
    model.eval()
    return trainer.history


def _with_what_is_kept(
    error: DivergenceError, trainer: Trainer, directory: Path | None
) -> DivergenceError:
    """Return `error` with the epoch whose state is kept in `directory`, if there is one."""
    n_whole = len(trainer.history.valid_loss)
    if directory is None or not n_whole:
        return error
    return DivergenceError(
        f"{error}; the state after epoch {n_whole}, the last whole one, is kept in {directory}",
        error.pairs,
    )


def _resume_or_forget(trainer: Trainer, directory: Path, key: str) -> None:
    try:
        trainer.resume(directory, key)
    except AnotherRunError as error:
        warnings.warn(
            f"{error}: it is replaced, and the training starts from scratch", stacklevel=3
        )
        forget(directory)
