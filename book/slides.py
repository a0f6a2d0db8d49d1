"""Slides of the lessons, made from their finished pages: nothing is typed again, and no list says
what becomes a slide.

A section is a slide with its heading and its first sentence; each picture or view in it is one
more, with its caption. All prose of a section is folded into notes. Views are the same
elements as in the page, and the same player.js moves them. Without JavaScript all slides stand
below each other.
"""

from __future__ import annotations

import re
from html import escape
from pathlib import Path

from bs4 import BeautifulSoup, Tag

SLIDES = "slides"
LESSONS = "lessons"
PICTURE = ".seqkd-view, .seqkd-picture"
SENTENCE = re.compile(r"[^:]+?[.!?](?=\s|$)")
"""One that announces nothing below it: without a colon."""
PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>{title} · slides</title>
<link rel="icon" href="../_static/icon.svg">
<link rel="stylesheet" href="../_static/book.css">
<link rel="stylesheet" href="../_static/slides.css">
<script defer src="../_static/player.js"></script><script defer src="../_static/slides.js"></script>
</head><body data-lesson="{lesson}"><main>
{slides}
</main><nav aria-label="Slides"><a href="{lesson}">Lesson</a>
<span class="progress" role="status"></span></nav></body></html>
"""


def write_slides(site: Path) -> int:
    """Write slides/NAME.html for each lesson of a finished site; return how many there are."""
    (site / SLIDES).mkdir(exist_ok=True)
    pages = sorted((site / LESSONS).glob("[0-9][0-9]_*.html"))
    for page in pages:
        text = slides_of(page.read_text(encoding="utf-8"), page.name)
        (site / SLIDES / page.name).write_text(text, encoding="utf-8", newline="\n")
    return len(pages)


def slides_of(page: str, name: str) -> str:
    """Return the slides of the lesson whose page is called `name`."""
    article = BeautifulSoup(page, "html.parser").select_one("article")
    if article is None or article.h1 is None:
        raise ValueError(f"{name}: the page has no article with a heading to make slides of")
    lead_links_to_lesson(article, name)
    title = heading(article.h1)
    slides = [slide(f"<h1>{escape(title)}</h1>", goal(article))]
    for section in article.select("section > section"):
        slides += slides_of_section(section)
    lesson = f"../{LESSONS}/{name}"
    return PAGE.format(title=escape(title), lesson=escape(lesson), slides="\n".join(slides))


def slides_of_section(section: Tag) -> list[str]:
    """Return the slides of one section: without a picture one, else one for each."""
    own = section.find(re.compile("h[2-6]"), recursive=False)
    head = f"<h2>{escape(heading(own))}</h2>" if own is not None else ""
    paragraphs = [p for p in section.find_all("p", recursive=False) if not is_navigation(p)]
    notes = "".join(map(str, paragraphs))
    folded = f'<details class="notes"><summary>Notes</summary>{notes}</details>' if notes else ""
    pictures = [p for p in section.select(PICTURE) if is_of(p, section)]
    if not pictures:
        return [slide(head, said(paragraphs), folded)] if paragraphs else []
    slides = [slide(head, str(picture), caption(picture)) for picture in pictures]
    slides[0] = slides[0].replace("</section>", f"{folded}</section>")
    return slides


def slide(*parts: str) -> str:
    """Return a slide of parts that are HTML already."""
    return f'<section class="slide">{"".join(parts)}</section>'


def is_of(picture: Tag, section: Tag) -> bool:
    """Return whether a picture is no part of a view, and stands in no smaller section."""
    return picture.find_parent("section") is section and not picture.find_parent(
        class_=("seqkd-view", "notes")
    )


def caption(picture: Tag) -> str:
    """Return the words that stand for a picture; those of a view are already below it."""
    drawing = picture.select_one("svg[aria-label]")
    is_view = "seqkd-view" in (picture.get("class") or ())
    if drawing is None or is_view:
        return ""
    return f'<p class="sentence">{escape(str(drawing["aria-label"]))}</p>'


def said(paragraphs: list[Tag]) -> str:
    """Return the first sentence with which one of the paragraphs begins; its code and emphasis
    become text."""
    for paragraph in paragraphs:
        if match := SENTENCE.match(" ".join(paragraph.get_text().split())):
            return f'<p class="sentence">{escape(match[0])}</p>'
    return ""


def goal(article: Tag) -> str:
    """Return the table at a lesson's beginning, which says what one can do after it."""
    table = article.select_one("table")
    return str(table) if table is not None else ""


def heading(element: Tag) -> str:
    """Return a heading's words, without the sign that links to it."""
    for link in element.select("a.headerlink"):
        link.decompose()
    return " ".join(element.get_text().split())


def is_navigation(paragraph: Tag) -> bool:
    """Return whether a paragraph leads to the lessons before and after."""
    return paragraph.get_text().strip().startswith(("←", "next:"))


def lead_links_to_lesson(article: Tag, name: str) -> None:
    """Let links within the lessons work from the folder of the slides."""
    for link in article.select("a[href]"):
        address = str(link["href"])
        if address.startswith("#"):
            link["href"] = f"../{LESSONS}/{name}{address}"
        elif not re.match(r"[a-z]+:|\.\./", address):
            link["href"] = f"../{LESSONS}/{address}"
