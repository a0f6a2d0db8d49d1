"""What the exposure explorer shows of one student: divergences from the teacher along three
writers' translations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from seqkd_lab.corpus.batching import encode, make_batch
from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.corpus.vocabulary import EOS, SPECIALS
from seqkd_lab.distillation.exposure import WRITERS, PlaceSums, along, written_by
from seqkd_lab.distillation.on_policy import Divergence
from seqkd_lab.models.seq2seq import Seq2Seq

BETAS = tuple(round(0.1 * step, 1) for step in range(11))
"""From forward KL to reverse KL; between them JSD_β divided by β (1 − β), so that nothing jumps."""


@dataclass(frozen=True)
class ShownSentence:
    """One writer's translation: its tokens, "</s>" the last; the divergence (len(BETAS), T) at each
    of them; and there the laws p_T and p_S (T, V) of teacher and student."""

    tokens: tuple[str, ...]
    divergence: Tensor
    teacher: Tensor
    student: Tensor


@dataclass(frozen=True)
class ExposureTable:
    """One student: the mean by place over many sentences, for each of WRITERS and BETAS, and some
    sentences in full.

    words: the target vocabulary's tokens.
    """

    sources: tuple[tuple[str, ...], ...]
    curves: Mapping[str, Sequence[PlaceSums]]
    sentences: Mapping[str, Sequence[ShownSentence]]
    words: tuple[str, ...]

    def curve(self, writer: str, beta: float, least: int = 1) -> list[float]:
        """The mean at each place that at least `least` translations have."""
        sums = self.curves[writer][BETAS.index(beta)]
        return (sums.total / sums.count)[sums.count >= least].tolist()

    def per_token(self, writer: str, beta: float) -> float:
        """The mean over all tokens of all sentences."""
        return self.curves[writer][BETAS.index(beta)].per_token


def exposure_table(
    student: Seq2Seq, teacher: Seq2Seq, corpus: ParallelCorpus, n_shown: int = 12, seed: int = 1
) -> ExposureTable:
    """The table of `student` over the sources of `corpus`, `n_shown` of them in full. Raises
    ValueError without any."""
    if not len(corpus) or n_shown < 1:
        raise ValueError(f"need at least one sentence; got {min(n_shown, len(corpus))}")
    measures = [Divergence(beta, scaled=True).per_token for beta in BETAS]
    written = written_by(student, teacher, corpus, seed)
    curves = {writer: along(student, teacher, written[writer], measures) for writer in WRITERS}
    sentences = {
        writer: [
            shown_sentence(student, teacher, written[writer][i : i + 1])
            for i in range(min(n_shown, len(corpus)))
        ]
        for writer in WRITERS
    }
    return ExposureTable(
        corpus.source[:n_shown], curves, sentences, student.target_vocabulary.tokens
    )


@torch.inference_mode()
def shown_sentence(student: Seq2Seq, teacher: Seq2Seq, pair: ParallelCorpus) -> ShownSentence:
    """The one pair of `pair`, place by place."""
    batch = make_batch(encode(pair, student.source_vocabulary, student.target_vocabulary), [0])
    own, other = student(batch), teacher(batch)
    found = torch.stack(
        [Divergence(beta, scaled=True).per_token(own, batch, other)[0] for beta in BETAS]
    )
    tokens = (*pair.target[0], SPECIALS[EOS])
    return ShownSentence(tokens, found, other[0].softmax(dim=1), own[0].softmax(dim=1))
