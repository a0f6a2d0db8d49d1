"""What lesson 01 shows: all translations of a sentence, its kinds of choice, and what each costs if
forgotten."""

from seqkd_lab.corpus.toy import ToyLanguage
from seqkd_lab.lab.language.ambiguity import some_sources, surprises, sweep
from seqkd_lab.lab.language.cost_words import (
    all_at_0,
    curve_in_words,
    explained,
    noun_at_0,
    sums_in_words,
)
from seqkd_lab.lab.language.figures import (
    kinds_figure,
    strength_figure,
    translations_figure,
    words_figure,
)
from seqkd_lab.lab.language.kinds import TENSE_SOURCE, kinds_table
from seqkd_lab.lab.language.measures import (
    SIZES,
    costs,
    draws,
    expected_share,
    expected_surprise,
    size_of,
)
from seqkd_lab.lab.language.ticket_words import (
    broken_in_words,
    choices_in_words,
    clauses_in_words,
    entropy_in_words,
    forgetful_in_words,
    mode_in_words,
    mode_of,
    paid_again,
    ticket_costs,
)
from seqkd_lab.lab.language.view import strength_panel
