"""Meters that mislead, the subject of lesson 15: what its notebook uses."""

from seqkd_lab.distillation.sequence_level import distil_mode
from seqkd_lab.lab.meters.figures import (
    gold_words_figure,
    history_figure,
    meters_frame,
    references_figure,
)
from seqkd_lab.lab.meters.measures import history_of_parts, meters
from seqkd_lab.lab.meters.misleading import PERFECT, gold_words, reference_scores
from seqkd_lab.lab.meters.reading import (
    GOLD,
    PRONOUN,
    SAMPLE,
    TEACHERS_MODE,
    TRUE_MODE,
    read_corpus,
    write_corpora,
)
from seqkd_lab.lab.meters.words import (
    first_against_one,
    history_in_words,
    one_reference_in_words,
    paradox_in_words,
)
from seqkd_lab.lab.shared.translated import translated
