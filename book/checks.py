"""Looks through a finished site for links that lead nowhere, and for anything that a page would
load from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

from bs4 import BeautifulSoup

LOADS = {"script": "src", "img": "src", "link": "href", "source": "src", "iframe": "src"}
"""Elements that make a page load something, and the attribute that says what."""
NEVER_LOADED = {"canonical", "index", "search", "prev", "next", "author"}
"""Relations of a <link> that name a page rather than load one."""


@cache
def parsed(page: Path) -> BeautifulSoup:
    """Return a page of the site; it is read once."""
    return BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")


@cache
def anchors(page: Path) -> frozenset[str]:
    """Return the ids in a page, to which a link may lead."""
    return frozenset(str(element["id"]) for element in parsed(page).find_all(id=True))


def problems(site: Path) -> list[str]:
    """Return in words what is wrong with the links of a site, page by page."""
    parsed.cache_clear()
    anchors.cache_clear()
    return [
        f"{page.relative_to(site)}: {fault}"
        for page in sorted(site.rglob("*.html"))
        if "_static" not in page.relative_to(site).parts
        for fault in faults(page, site)
    ]


def faults(page: Path, site: Path) -> Iterator[str]:
    """Tell what is wrong with the links of one page."""
    for element in parsed(page).find_all(["a", *LOADS]):
        address = element.get("href" if element.name == "a" else LOADS[element.name])
        if not address or NEVER_LOADED & set(element.get("rel") or ()):
            continue
        is_elsewhere = bool(urlsplit(address).scheme or urlsplit(address).netloc)
        if is_elsewhere and element.name != "a" and not address.startswith("data:"):
            yield f"loads {address} from elsewhere"
        if not is_elsewhere and (fault := dead(page, address, site)):
            yield fault


def dead(page: Path, address: str, site: Path) -> str | None:
    """Say why an address within the site leads nowhere; None where it leads somewhere."""
    parts = urlsplit(address)
    if address.startswith("/"):
        return f"{address} begins at the root: below another folder it would lead elsewhere"
    target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
    if not target.is_relative_to(site.resolve()) and target != page:
        return f"{address} leads out of the site"
    if not target.is_file():
        return f"{address}: there is no such file"
    fragment = unquote(parts.fragment)
    if fragment and target.suffix == ".html" and fragment not in anchors(target):
        return f"{address}: the page has no such place"
    return None
