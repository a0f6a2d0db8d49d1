"""The lab itself as a Tool: its public training loop and search, as its own commands call them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from benchmarks.corpus import Corpus, Pair, Sentence
from benchmarks.tool import BATCH_SIZE, CLIP_NORM, WARMUP, Size
from seqkd_lab.corpus.batching import encode
from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.corpus.vocabulary import Vocabulary
from seqkd_lab.decoding.search import search
from seqkd_lab.distillation.losses import NLL
from seqkd_lab.models.checkpoint import load_model, save_model
from seqkd_lab.models.lstm import LSTMSeq2Seq, LSTMSpec
from seqkd_lab.optimisation import Optimisation, Progress
from seqkd_lab.training import train
from seqkd_lab.validation import validation_loss


def parallel(pairs: Sequence[Pair], split: str = "train") -> ParallelCorpus:
    """Pairs as the lab's own kind of corpus."""
    source, target = tuple(x for x, _ in pairs), tuple(y for _, y in pairs)
    return ParallelCorpus(name="toy", split=split, licence="CC0-1.0", source=source, target=target)


def new_model(size: Size, corpus: Corpus) -> LSTMSeq2Seq:
    """Random weights, always the same."""
    torch.manual_seed(1)
    vocabularies = Vocabulary(corpus.source_vocabulary), Vocabulary(corpus.target_vocabulary)
    return LSTMSeq2Seq(LSTMSpec(width=size.width, layers=size.layers), *vocabularies)


class SeqKDLab:
    """A Tool."""

    def __init__(self, size: Size, corpus: Corpus, folder: Path | None) -> None:
        self.size, self.corpus = size, corpus
        self.model = new_model(size, corpus) if folder is None else load_model(folder)
        self.model.eval()

    def n_parameters(self) -> int:
        return self.model.n_parameters()

    def train(
        self, pairs: Sequence[Pair], epochs: int, seen: Callable[[int], None] | None = None
    ) -> None:
        def watch(progress: Progress) -> None:
            if progress.valid_loss is not None and seen is not None:
                seen(progress.epoch)

        optimisation = Optimisation(epochs, self.size.rates[0], BATCH_SIZE, WARMUP, CLIP_NORM)
        one = parallel(
            self.corpus.valid[:1], "valid"
        )  # the loop validates after each epoch: here on one pair only
        train(self.model, parallel(pairs), one, NLL(), optimisation, seed=1, callbacks=[watch])

    def validation_loss(self, pairs: Sequence[Pair]) -> float:
        encoded = encode(
            parallel(pairs), self.model.source_vocabulary, self.model.target_vocabulary
        )
        loss = validation_loss(self.model, encoded)
        self.model.train()  # called between epochs, too
        return loss

    def translate(
        self, sources: Sequence[Sentence], beam_size: int, batch_size: int
    ) -> list[list[str]]:
        found = search(self.model, sources, beam_size, batch_size=batch_size)
        return [list(n_best[0].tokens) for n_best in found]

    def save(self, folder: Path) -> None:
        save_model(folder, self.model)
