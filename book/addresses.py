"""Where a lesson can be run: on Binder or Colab, where the project's public address is known, and
from the notebook beside the page."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from html import escape
from pathlib import Path
from urllib.parse import quote

from book import ROOT

VARIABLE = "SEQKD_LAB_REPOSITORY"
"""This environment variable names the public repository: https://github.com/OWNER/NAME@BRANCH."""
DEFAULT_BRANCH = "main"
OWNER_AND_NAME = r"(?P<owner>[A-Za-z0-9][A-Za-z0-9-]{0,38})/(?P<name>[A-Za-z0-9._-]{1,100}?)"
PUBLIC = re.compile(
    rf"https://github\.com/{OWNER_AND_NAME}(?:\.git)?/?(?:@(?P<branch>[A-Za-z0-9._/-]{{1,200}}))?"
)
REMOTE = re.compile(
    rf"(?:https://(?:[^@/]*@)?|(?:ssh://)?git@)github\.com[/:]{OWNER_AND_NAME}(?:\.git)?/?"
)
LESSON_FILE = re.compile(r"\d\d_\w+\.ipynb", re.ASCII)


@dataclass(frozen=True)
class Repository:
    """A public repository on GitHub, and the branch from which the lessons are opened."""

    owner: str
    name: str
    branch: str = DEFAULT_BRANCH

    def __post_init__(self) -> None:
        names = (self.name, *self.branch.split("/"))
        if any(not name.strip(".") or name.startswith(("-", ".")) for name in names):
            raise ValueError(f"{self.owner}/{self.name}@{self.branch} is no repository and branch")

    def binder(self, lesson_file: str) -> str:
        """Return the address that starts the lesson in JupyterLab on mybinder.org."""
        branch = quote(self.branch, safe="")
        address = f"https://mybinder.org/v2/gh/{self.owner}/{self.name}/{branch}"
        return f"{address}?urlpath=lab/tree/notebooks/{checked(lesson_file)}"

    def colab(self, lesson_file: str) -> str:
        """Return the address that opens the lesson in Google Colab."""
        address = f"https://colab.research.google.com/github/{self.owner}/{self.name}"
        return f"{address}/blob/{quote(self.branch)}/notebooks/{checked(lesson_file)}"


def repository(root: Path = ROOT) -> Repository | None:
    """Return the public repository: the one that SEQKD_LAB_REPOSITORY names, else git's origin
    where that lies on GitHub, else None.

    Raise ValueError for a variable that does not name one.
    """
    named = os.environ.get(VARIABLE, "").strip()
    if not named:
        return from_remote(git_origin(root))
    match = PUBLIC.fullmatch(named)
    try:
        return Repository(match["owner"], match["name"], match["branch"] or DEFAULT_BRANCH)
    except (TypeError, ValueError):
        raise ValueError(
            f"the environment variable {VARIABLE} is {named[:200]!r}; set it to "
            "https://github.com/OWNER/NAME, with @BRANCH after it where that is not "
            f"{DEFAULT_BRANCH}, or unset it"
        ) from None


def from_remote(address: str) -> Repository | None:
    """Return the repository of a git remote, without the user and the password that may stand in
    it; None where it does not lie on GitHub."""
    match = REMOTE.fullmatch(address)
    try:
        return match and Repository(match["owner"], match["name"])
    except ValueError:
        return None


def git_origin(root: Path) -> str:
    """Return the address of git's remote `origin`, "" where there is none or no git."""
    if not (root / ".git").exists():  # a folder above may be a repository, but another one
        return ""
    command = ["git", "-C", str(root), "remote", "get-url", "origin"]
    try:
        return subprocess.run(command, capture_output=True, text=True).stdout.strip()
    except OSError:
        return ""


def checked(lesson_file: str) -> str:
    """Return the name of a lesson's notebook. Raise ValueError for another text."""
    if not LESSON_FILE.fullmatch(lesson_file):
        raise ValueError(f"{lesson_file!r} is no lesson's notebook, such as 06_seq_kd.ipynb")
    return lesson_file


def buttons(lesson_file: str) -> str:
    """Return the links that open a lesson, as HTML: Binder and Colab where the public repository
    is known, and the notebook itself."""
    public = repository()
    links = []
    if public is not None:
        links = [
            link(public.binder(lesson_file), "Open in Binder"),
            link(public.colab(lesson_file), "Open in Colab"),
        ]
    download = f"../notebooks/{checked(lesson_file)}"
    links.append(f'<a href="{escape(download)}" download>Download the notebook</a>')
    how = "" if public else "<p>In a copy of the project, <code>make lab</code> opens it.</p>"
    return f'<div class="lesson-buttons"><p>{" ".join(links)}</p>{how}</div>'


def link(address: str, text: str) -> str:
    """Return a link to another site as HTML."""
    return f'<a href="{escape(address)}" rel="noopener noreferrer">{escape(text)}</a>'
