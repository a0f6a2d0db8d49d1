"""What HTML may hold that our own code makes: a short list of elements and attributes."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import mistune

ELEMENTS = frozenset(
    "b u i em sub sup strong code pre p div span br hr ul ol li table thead tbody tr th td details "
    "summary h1 h2 h3 img html head meta title style body".split()
)
ATTRIBUTES = frozenset("style scope role class lang alt src border charset colspan".split())
MARKDOWN = mistune.create_markdown(escape=False, plugins=["table", "strikethrough"])
STYLE = re.compile(r"[\w\s.,:;#%()-]*")
ON_WHOLE_PAGES = frozenset(("html", "head", "meta", "title", "style", "body", "img"))


class Markup(HTMLParser):
    """Reads HTML as a browser does, and notes the first thing that may not be there."""

    def __init__(self, is_page: bool = False, of_markdown: bool = False) -> None:
        super().__init__(convert_charrefs=True)
        self.problem: str | None = None
        self.allowed = ELEMENTS if is_page else ELEMENTS - ON_WHOLE_PAGES
        self.attributes = ATTRIBUTES
        if of_markdown:
            self.allowed |= {"a", "blockquote", "h4", "h5", "h6", "del"}
            self.attributes |= {"href"}  # JupyterLab lets no script stand there
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.allowed:
            self._note(f"<{tag}>")
        for name, value in attrs:
            value = value or ""
            if name not in self.attributes or name == "style" and not STYLE.fullmatch(value):
                self._note(f"<{tag} {name}={value[:60]}>")
            if name == "src" and not value.startswith("data:image/png;base64,"):
                self._note(f"src={value[:60]}")
            if name != "href" and "url(" in value.casefold():
                self._note(f"{name}={value[:60]}")
        if tag not in ("br", "hr", "img", "meta"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self._note(f"</{tag}> closes nothing")

    def handle_comment(self, data: str) -> None:
        self._note(f"<!--{data[:60]}-->")

    def handle_decl(self, decl: str) -> None:
        if decl != "DOCTYPE html":
            self._note(f"<!{decl[:60]}>")

    def unknown_decl(self, data: str) -> None:
        self._note(f"<![{data[:60]}]>")

    def handle_pi(self, data: str) -> None:
        self._note(f"<?{data[:60]}>")

    def _note(self, what: str) -> None:
        self.problem = self.problem or what


def problem_of_html(html: str, is_page: bool = False, of_markdown: bool = False) -> str | None:
    """Return what stands in `html` that our code does not make; None where all is allowed, and
    every element is closed in its turn."""
    reader = Markup(is_page, of_markdown)
    reader.feed(html)
    reader.close()
    return reader.problem or (f"not closed: {reader.open}" if reader.open else None)


def problem_of_markdown(text: str) -> str | None:
    """Return what `text` makes of a page beyond what markdown itself makes; None where nothing
    is."""
    return problem_of_html(MARKDOWN(text).replace("<br />", "<br>"), of_markdown=True)
