"""A progress bar that a learner does not take for an error: JupyterLab paints red what is printed
on stderr."""

from __future__ import annotations

import sys
from typing import Any

from tqdm import tqdm


def in_notebook_with_widgets() -> bool:
    """Return whether this code runs in a kernel whose front end may show ipywidgets."""
    try:
        import ipywidgets  # noqa: F401
        from IPython import get_ipython
    except ImportError:
        return False
    return type(get_ipython()).__name__ == "ZMQInteractiveShell"


class Bar:
    """A progress bar that is moved by (done, total): a widget in a notebook, a line on stdout
    elsewhere."""

    def __init__(self, label: str) -> None:
        if in_notebook_with_widgets():
            from tqdm.notebook import tqdm as notebook_tqdm

            self.bar = notebook_tqdm(desc=label, mininterval=0.5)
        else:
            self.bar = tqdm(desc=label, mininterval=0.5, file=sys.stdout)

    @property
    def done(self) -> int:
        """The amount reported so far."""
        return self.bar.n

    def move(self, done: int, total: int) -> None:
        """Show that `done` of `total` is finished."""
        if self.bar.total != total:
            done_so_far = self.bar.n
            self.bar.reset(total)  # only so does a widget show another total
            self.bar.update(done_so_far)
        self.bar.update(done - self.bar.n)

    def __enter__(self) -> Bar:
        return self

    def __exit__(self, *exception: Any) -> None:
        self.bar.close()
