"""Lesson 06, sequence-level distillation: what its notebook uses, from the distilled corpus to the
beam's gain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.corpus.toy import ToyLanguage
from seqkd_lab.distillation.sequence_level import distil_mode
from seqkd_lab.lab.seq_kd.budget import budget_figure, budget_in_words, budget_table
from seqkd_lab.lab.seq_kd.certainty import (
    beam_in_words,
    beam_share,
    certainty_figure,
    tendency_in_words,
)
from seqkd_lab.lab.seq_kd.lens import ChoiceShares, compare_pair, lens_figure
from seqkd_lab.lab.seq_kd.mass import mass_curves, mass_figure
from seqkd_lab.lab.seq_kd.memory import memory_figure
from seqkd_lab.lab.seq_kd.students import (
    equal_targets,
    joined,
    most_valid,
    seeds_figure,
    ticket_pair,
    ticket_translations,
    token_ratio,
    token_ratio_range,
    train_students,
    valid_range,
    write_corpora,
)
from seqkd_lab.lab.seq_kd.words import (
    seeds_in_words,
    tense_in_words,
    three_in_words,
    ticket_students_in_words,
    ticket_target_in_words,
)
from seqkd_lab.lab.shared.score_figures import scores_figure
from seqkd_lab.lab.shared.scores import p_mode_range, scores
from seqkd_lab.lab.shared.translated import translated
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.runs.committed import results_path
from seqkd_lab.runs.recipes import BASELINE, SEQ_KD, TEACHER
from seqkd_lab.runs.results import rows_by_seed
from seqkd_lab.runs.study import by_seed, read_later
from seqkd_lab.studies.live import CORPORA, GOLD, LIVE, MODE, SAMPLES, fast
from seqkd_lab.studies.memory import reading as memory_study

if TYPE_CHECKING:
    from seqkd_lab.lab.seq_kd.views import CorpusLens, MemoryDial, ModeMass


def make_lens(
    gold: ParallelCorpus,
    distilled: ParallelCorpus,
    language: ToyLanguage,
    n_pairs: int,
    choice: str,
) -> CorpusLens:
    """Make the lens over the first pairs, with the shares of one choice's options."""
    from seqkd_lab.lab.seq_kd.views import CorpusLens  # needs ipywidgets

    lens = CorpusLens(gold, distilled, language, n_pairs)
    lens.choice.value = choice
    return lens


def make_dial(results: Mapping) -> MemoryDial:
    """Make the memory dial of the results of the memory study."""
    from seqkd_lab.lab.seq_kd.views import MemoryDial

    return MemoryDial(results)


def make_mass(
    models: Mapping[str, Seq2Seq], language: ToyLanguage, sources: Sequence[tuple[str, ...]]
) -> ModeMass:
    """Make the view of cumulative probabilities of whole translations."""
    from seqkd_lab.lab.seq_kd.views import ModeMass

    return ModeMass(models, language, sources)
