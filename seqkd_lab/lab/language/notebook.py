"""The names that notebook 01 uses: all translations of a sentence, its kinds of choice, and the
cost of forgetting each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seqkd_lab.corpus.toy import ToyLanguage
from seqkd_lab.lab.language.ambiguity import Sweep, some_sources, surprises, sweep
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
from seqkd_lab.lab.language.words import (
    all_at_0,
    broken_in_words,
    choices_in_words,
    clauses_in_words,
    curve_in_words,
    entropy_in_words,
    explained,
    forgetful_in_words,
    mode_in_words,
    mode_of,
    noun_at_0,
    paid_again,
    sums_in_words,
    ticket_costs,
)

if TYPE_CHECKING:  # the view needs ipywidgets, which may be missing
    from seqkd_lab.lab.language.view import StrengthPanel


def strength_panel(measured: Sweep) -> StrengthPanel:
    """Build the panel of kinds and strengths. Raise ImportError without ipywidgets."""
    from seqkd_lab.lab.language.view import StrengthPanel

    return StrengthPanel(measured)
