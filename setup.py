"""What pyproject.toml cannot say: a wheel carries a copy of data/ within the package, as
seqkd_lab/_data.

An editable install copies nothing: the package then finds data/ beside it
(seqkd_lab/installation.py).
"""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

HERE = Path(__file__).resolve().parent


class BuildWithData(build_py):
    """Builds the modules, then copies data/ below the package."""

    def run(self):
        super().run()
        if not self.editable_mode:
            copy = Path(self.build_lib) / "seqkd_lab" / "_data"
            shutil.rmtree(
                copy, ignore_errors=True
            )  # an earlier build's: it may hold files that data/ lacks today
            shutil.copytree(
                HERE / "data", copy, ignore=shutil.ignore_patterns(".*", "*.tmp", "unfinished")
            )


setup(cmdclass={"build_py": BuildWithData})
