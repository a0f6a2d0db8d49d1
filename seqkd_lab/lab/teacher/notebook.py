"""The names that notebook 02 uses: the model's parts, what attention looks at, a step of training,
and losses read with care."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.corpus.toy import ToyLanguage
from seqkd_lab.lab.teacher.architecture import architecture_figure
from seqkd_lab.lab.teacher.attention import (
    alignments,
    decoding_step,
    hits_elsewhere,
    position_of,
    read_pair,
)
from seqkd_lab.lab.teacher.attention_picture import attention_figure, pairs_to_show
from seqkd_lab.lab.teacher.attention_words import (
    ANOTHER_WORD,
    alignment_answer,
    alignment_table,
    articles_answer,
    looked_at,
    pronoun_answer,
    weights_in_words,
)
from seqkd_lab.lab.teacher.loss_figures import (
    curve_figure,
    means_figure,
    memory_figure,
    padding_figure,
)
from seqkd_lab.lab.teacher.loss_measures import (
    batch_of,
    committed_history,
    floor,
    gap,
    perplexities,
    perplexity_of,
    watched_training,
)
from seqkd_lab.lab.teacher.loss_words import (
    ABOVE,
    BELOW,
    FALLS,
    RISES,
    STAYS,
    below_floor,
    change,
    curve_in_words,
    gaps_table,
    left_answer,
    means_answer,
    memory_in_words,
    middle_answer,
    perplexity_in_words,
    right_answer,
    share_of_way,
)
from seqkd_lab.lab.teacher.masks import (
    NO_MASK,
    PaddingCounted,
    losses_over_padding,
    means_over_batches,
    readings_over_padding,
)
from seqkd_lab.models.lstm import LSTMSeq2Seq, LSTMSpec
from seqkd_lab.optimisation import Optimisation, training_step
from seqkd_lab.runs.recipes import TEACHER

if TYPE_CHECKING:  # the view needs ipywidgets, which may be missing
    from seqkd_lab.lab.teacher.view import AttentionView


def make_view(
    model: LSTMSeq2Seq, pairs: ParallelCorpus, language: ToyLanguage, position: int
) -> AttentionView:
    """Build the view of `pairs`, opened before the first one's target word `position`. Raise
    ImportError without ipywidgets."""
    from seqkd_lab.lab.teacher.view import AttentionView

    return AttentionView(model, pairs, language, position)
