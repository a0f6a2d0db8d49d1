"""The repository's own documents as pages: every Markdown file at its root but README.md, which the
first page stands for, and that of the benchmarks."""

from __future__ import annotations

import re
import shutil
from pathlib import Path, PurePosixPath

from seqkd_lab.lab.shared.plan import lessons

name = "reference"
ROOT = Path(__file__).resolve().parents[2]
LINK = re.compile(r"(?<!!)\[([^\]]*)\]\(([^)\s]+)\)")
PICTURE = re.compile(r"(!\[[^\]]*\])\(([^):\s]+)\)")
COMMENT = re.compile(r"<!--.*?-->\n?", re.DOTALL)
"""For whoever edits a document; with "--" in it, it would be no HTML either."""
CODE_BLOCK = re.compile(r"(^```.*?^```\s*?$)", re.DOTALL | re.MULTILINE)


def documents() -> dict[PurePosixPath, str]:
    """Return by its path in the repository the page of each document."""
    files = [path for path in sorted(ROOT.glob("*.md")) if path.stem != "README"]
    pages = {PurePosixPath(path.name): path.stem.lower() for path in files}
    return pages | {PurePosixPath("benchmarks/README.md"): "benchmarks"}


def write(source: Path) -> None:
    """Write the documents below `source`, with links that lead to pages."""
    for document, page in documents().items():
        text = (ROOT / document).read_text(encoding="utf-8")
        path = source / name / f"{page}.md"
        for picture in PICTURE.finditer(text):
            shutil.copy(ROOT / document.parent / picture[2], path.parent)
        path.write_text(with_links(text, document.parent), encoding="utf-8", newline="\n")


def with_links(text: str, folder: PurePosixPath) -> str:
    """Return Markdown whose links, relative to `folder`, lead to the site's pages; a link to what
    has no page becomes its words. Blocks of code stay as they are."""
    parts = CODE_BLOCK.split(text)
    parts[::2] = [LINK.sub(lambda link: _link(link, folder), part) for part in parts[::2]]
    parts[::2] = [COMMENT.sub("", PICTURE.sub(_picture, part)) for part in parts[::2]]
    return "".join(parts)


def _picture(picture: re.Match) -> str:
    return f"{picture[1]}({PurePosixPath(picture[2]).name})"


def _link(link: re.Match, folder: PurePosixPath) -> str:
    words, address = link[1], link[2]
    if address.startswith("#") or re.match(r"[a-z]+:", address):
        return link[0]
    path, sign, anchor = address.partition("#")
    target = PurePosixPath(*_resolved(folder / path))
    if target in documents():
        return f"[{words}]({documents()[target]}.md{sign}{anchor})"
    pages = {lesson.file for lesson in lessons()} | {"glossary.md", "instructors.md"}
    if target.parent == PurePosixPath("notebooks") and target.name in pages:
        return f"[{words}](../lessons/{target.name}{sign}{anchor})"
    return words


def _resolved(path: PurePosixPath) -> list[str]:
    """Return the parts of a path without "..": of a path that leaves the repository what is
    left."""
    parts: list[str] = []
    for part in path.parts:
        if part == "..":
            parts = parts[:-1]
        else:
            parts.append(part)
    return parts
