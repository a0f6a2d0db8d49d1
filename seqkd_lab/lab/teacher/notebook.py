"""Lesson 02, the teacher: the model's parts, what attention looks at, a step of training, and
losses read with care."""

from seqkd_lab.lab.teacher.attention import alignments, decoding_step, position_of, read_pair
from seqkd_lab.lab.teacher.figures import architecture_figure, attention_figure
from seqkd_lab.lab.teacher.loss_figures import (
    curve_figure,
    means_figure,
    memory_figure,
    padding_figure,
)
from seqkd_lab.lab.teacher.loss_measures import floor, gap, watched_training
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
from seqkd_lab.lab.teacher.measures import (
    batch_of,
    committed_history,
    hits_elsewhere,
    perplexities,
    perplexity_of,
)
from seqkd_lab.lab.teacher.shown import make_view, pairs_to_show
from seqkd_lab.lab.teacher.words import (
    ANOTHER_WORD,
    alignment_answer,
    alignment_table,
    articles_answer,
    looked_at,
    pronoun_answer,
    weights_in_words,
)
from seqkd_lab.models.lstm import LSTMSpec
from seqkd_lab.runs.committed import committed_seed
from seqkd_lab.runs.recipes import TEACHER
from seqkd_lab.training import Optimisation, training_step
