"""The interactive views: controls from ipywidgets, pictures from seqkd_lab.lab.figures. Each is a
box to display.

Every view works on tables made beforehand, so that a control answers at once; its still twin is in
lab.figures.
"""

try:
    import ipywidgets  # noqa: F401
except ImportError as error:
    raise ImportError(
        "the views need ipywidgets, which is not installed: pip install 'seqkd-lab[lab]', then "
        "restart the kernel. "
        "The pictures alone need no widgets: see seqkd_lab.lab.figures"
    ) from error

from seqkd_lab.lab.widgets.beam import BeamExplorer
from seqkd_lab.lab.widgets.choice import ChoiceExplorer
from seqkd_lab.lab.widgets.drafting import DraftingStepper
from seqkd_lab.lab.widgets.exposure import ExposureExplorer
from seqkd_lab.lab.widgets.interpolation import InterpolationExplorer
from seqkd_lab.lab.widgets.lens import CorpusLens
from seqkd_lab.lab.widgets.mass import ModeMass
from seqkd_lab.lab.widgets.memory import MemoryDial
from seqkd_lab.lab.widgets.near_policy import TimelineExplorer
from seqkd_lab.lab.widgets.paced import PacedExplorer
from seqkd_lab.lab.widgets.pruning import PruningExplorer
from seqkd_lab.lab.widgets.temperature import TemperatureExplorer
from seqkd_lab.lab.widgets.token_importance import TokenExplorer
from seqkd_lab.lab.widgets.trainer import StudentTrainer

__all__ = [
    "BeamExplorer",
    "ChoiceExplorer",
    "CorpusLens",
    "DraftingStepper",
    "ExposureExplorer",
    "InterpolationExplorer",
    "MemoryDial",
    "ModeMass",
    "PacedExplorer",
    "PruningExplorer",
    "StudentTrainer",
    "TemperatureExplorer",
    "TokenExplorer",
    "TimelineExplorer",
]
