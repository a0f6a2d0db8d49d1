"""What pyproject.toml cannot say: a wheel carries copies of data/ and notebooks/ within the
package, as seqkd_lab/_data and seqkd_lab/_lessons.

An editable install copies nothing: the package then finds both beside it
(seqkd_lab/installation.py).
"""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

HERE = Path(__file__).resolve().parent
COPIES = {"data": "_data", "notebooks": "_lessons"}
LEFT_OUT = shutil.ignore_patterns(".*", "*.tmp", "unfinished")


class BuildWithCopies(build_py):
    """Builds the modules, then copies the folders that travel with them below the package."""

    def run(self):
        super().run()
        if self.editable_mode:
            return
        for folder, name in COPIES.items():
            copy = Path(self.build_lib) / "seqkd_lab" / name
            # an earlier build's may hold files that the folder lacks today
            shutil.rmtree(copy, ignore_errors=True)
            shutil.copytree(HERE / folder, copy, ignore=LEFT_OUT)


setup(cmdclass={"build_py": BuildWithCopies})
