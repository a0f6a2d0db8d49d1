"""Pictures of what the lab shows, each a function that returns a matplotlib Figure: the views'
still twins.

The data behind a picture and the drawing of it stand in one module a subject, without ipywidgets;
the views in seqkd_lab.lab.widgets put controls to them.
"""

from seqkd_lab.lab.figures.beam_tree import beam_figure
from seqkd_lab.lab.figures.choice import choice_figure
from seqkd_lab.lab.figures.drafting import drafting_figure
from seqkd_lab.lab.figures.exposure import exposure_figure
from seqkd_lab.lab.figures.learning import learning_figure
from seqkd_lab.lab.figures.lens import lens_figure
from seqkd_lab.lab.figures.mass import mass_figure
from seqkd_lab.lab.figures.memory import memory_figure
from seqkd_lab.lab.figures.mixing import interpolation_figure
from seqkd_lab.lab.figures.near_policy import near_policy_figure
from seqkd_lab.lab.figures.next_words import temperature_figure
from seqkd_lab.lab.figures.paced import paced_figure
from seqkd_lab.lab.figures.pruning import pruning_figure
from seqkd_lab.lab.figures.token_importance import importance_figure

__all__ = [
    "beam_figure",
    "choice_figure",
    "drafting_figure",
    "exposure_figure",
    "importance_figure",
    "interpolation_figure",
    "learning_figure",
    "lens_figure",
    "mass_figure",
    "memory_figure",
    "near_policy_figure",
    "paced_figure",
    "pruning_figure",
    "temperature_figure",
]
