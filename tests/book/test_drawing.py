"""Figures as SVG: well-formed, the same each time, and with the texts of the figure."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure

from book.drawing import document, drawn, shortened
from book.player import attribute, figure_html
from seqkd_lab.lab.shared.picture import make_visible

AROUND = '<svg xmlns="http://www.w3.org/2000/svg">{}</svg>'


def figure_of(text: str = "0.4912 nats") -> Figure:
    figure = Figure(figsize=(4, 3), layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 1, 2], [0.1, 0.52345678, 0.3], "o-", label="a line")
    axes.bar([0, 1], [0.25, 0.5], hatch="//")
    axes.bar([2], [0.5], hatch="..")
    axes.text(0.5, 0.25, text, parse_math=False)
    axes.legend()
    return figure


def svg_of(figure: Figure) -> str:
    still = drawn([figure], figure, "p-")
    return AROUND.format(document(still.elements, list(still.definitions.values())))


def test_all_that_is_referred_to_is_defined_once_and_every_id_has_the_prefix():
    svg = svg_of(figure_of())
    ids = re.findall(r'\bid="([^"]+)"', svg)
    references = set(re.findall(r'(?:url\(|href=")#([^)"]+)', svg))
    assert len(ids) == len(set(ids)) and references and references <= set(ids)
    assert all(name.startswith("p-") for name in ids)
    assert "pattern" in svg and "clipPath" in svg


def test_equal_figures_give_the_same_svg_and_a_figure_keeps_its_resolution():
    figure = figure_of()
    figure.set_dpi(123)
    assert svg_of(figure) == svg_of(figure_of())
    assert figure.dpi == 123


@pytest.mark.filterwarnings("ignore:Glyph")  # a font need not have every character
@settings(max_examples=30)
@given(st.text(min_size=1, max_size=30))
def test_any_text_stands_in_the_svg_as_it_is(text):
    figure = figure_of(text)
    make_visible(figure)
    root = ElementTree.fromstring(svg_of(figure))
    texts = {"".join(element.itertext()) for element in root.iter() if element.tag.endswith("text")}
    (shown,) = (artist.get_text() for artist in figure.axes[0].texts)
    for line in filter(str.strip, shown.splitlines()):
        assert any(line.strip() in drawn_text for drawn_text in texts), (line, texts)


@pytest.mark.parametrize("text", ["0.49123", "x=1.234", "M 0.12345 1.98", "d=&quot;0.5555&quot;"])
def test_numbers_between_tags_keep_their_digits(text):
    svg = f'<g><text x="1.23456" y="2">{text}</text><path d="M 0.12345 1.98765"/></g>'
    short = shortened(svg, "p-")
    assert f">{text}</text>" in short
    assert 'x="1.2"' in short and 'd="M 0.1 2"' in short


@settings(max_examples=30)
@given(st.text(max_size=60))
def test_words_of_a_picture_cannot_leave_their_attribute(words):
    html = figure_html(figure_of(), words, "p")
    label = re.search(r'aria-label="([^"]*)"', html)
    assert label and label[1] == attribute(words)
    assert "<" not in label[1] and ">" not in label[1]
