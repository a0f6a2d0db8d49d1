"""The views of lesson 06, made only where ipywidgets is installed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.corpus.toy import ToyLanguage
from seqkd_lab.models.seq2seq import Seq2Seq

if TYPE_CHECKING:
    from seqkd_lab.lab.seq_kd.lens_view import CorpusLens
    from seqkd_lab.lab.seq_kd.mass_view import ModeMass
    from seqkd_lab.lab.seq_kd.memory_view import MemoryDial


def make_lens(
    gold: ParallelCorpus,
    distilled: ParallelCorpus,
    language: ToyLanguage,
    n_pairs: int,
    choice: str,
) -> CorpusLens:
    """Makes the lens over the first pairs, with the shares of one choice's options."""
    from seqkd_lab.lab.seq_kd.lens_view import CorpusLens  # needs ipywidgets

    lens = CorpusLens(gold, distilled, language, n_pairs)
    lens.choice.value = choice
    return lens


def make_dial(results: Mapping) -> MemoryDial:
    """Makes the memory dial of the results of the memory study."""
    from seqkd_lab.lab.seq_kd.memory_view import MemoryDial

    return MemoryDial(results)


def make_mass(
    models: Mapping[str, Seq2Seq], language: ToyLanguage, sources: Sequence[tuple[str, ...]]
) -> ModeMass:
    """Makes the view of cumulative probabilities of whole translations."""
    from seqkd_lab.lab.seq_kd.mass_view import ModeMass

    return ModeMass(models, language, sources)
