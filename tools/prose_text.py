"""Markdown as a reader reads it: headings, paragraphs, list items and table cells, without code and
formulas."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

HOLE = "▯"
"""Replaces a code span, a formula or a quotation of the toy language."""
LONG_STRING = 5
"""A string literal with more words than this is taken for prose."""
HEADING = re.compile(r"\s{0,3}(#{1,6})\s+(.*)")
ITEM = re.compile(r"\s*(?:[-*+]|\d+[.)])\s+(.*)")
FOLD, UNFOLD = "<details", "</details"
ABBREVIATION = re.compile(
    r"(?:^|[\s(“])(?:e\.g|i\.e|cf|vs|resp|approx|dr|prof|mr|mrs)\.$", re.IGNORECASE
)
MAY_END = re.compile(r"(?:^|[\s(“])(?:al|etc)\.$")
BEFORE_NUMBER = re.compile(r"(?:^|[\s(“])(?:p|pp|no|v|fig|eq|sec|ch)\.$", re.IGNORECASE)
SENTENCE_END = re.compile(r"[.?!…]+[)\]”\"’»]*(?=\s)")
TOY_QUOTE = re.compile(r"\*[^*]+\s[.?]\*|“[^”]+\s[.?]”")
QUOTE = re.compile(r"“[^”]*”|„[^“”]*[“”]|\"[^\"]*\"|(?<=: )\*[^*]+\*")
"""What is quoted: in quotation marks, or in italics after a colon."""
NUMBER_OR_SYMBOL = re.compile(
    r"[^A-Za-zÄÖÜäöüß▯]*|(?![aAI]\b)[A-Za-zÄÖÜäöü][′'’]?|ln|log|exp|argmax|max|min"
)
IN_FORMULA = re.compile(r"[=≥≤<>≈∝Σ∑·‖|−+×^_₍₎₊ⱼₖŷỹ/]")


@dataclass(frozen=True)
class Block:
    """A heading (level 1 to 6), a paragraph, a list item or a table cell (level 0), on one line,
    with its * marks."""

    text: str
    level: int = 0
    in_table: bool = False
    folded: bool = False


def without_code(markdown: str) -> str:
    """Takes out code, formulas, comments, the targets of links and the lines that lead from lesson
    to lesson."""
    kept = re.sub(r"^(```|~~~).*?^\1[^\n]*$", "", markdown, flags=re.MULTILINE | re.DOTALL)
    kept = re.sub(r"<!--.*?-->", "", kept, flags=re.DOTALL)
    kept = re.sub(r"(`+)(?!`).+?(?<!`)\1(?!`)", HOLE, kept, flags=re.DOTALL)
    kept = re.sub(r"\$\$.+?\$\$|\$[^$\n]+\$", HOLE, kept, flags=re.DOTALL)
    kept = re.sub(r"^.*\[index\]\([^)]*\).*$", "", kept, flags=re.MULTILINE)
    kept = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", kept)
    return re.sub(r"\b\d\d · [^\n|;:,.]+", HOLE, kept)  # a lesson's title is no use of its words


def blocks(markdown: str) -> list[Block]:
    """Splits a markdown cell into its blocks, in their order; what a <details> element folds is
    marked as such."""
    result: list[Block] = []
    paragraph: list[str] = []
    folded = False
    for line in [*without_code(markdown).splitlines(), ""]:
        item = ITEM.fullmatch(line)
        if item or _is_boundary(line):
            result += _block(" ".join(paragraph), folded=folded)
            paragraph.clear()
        if _is_boundary(line):
            result += _one_line(line, folded or FOLD in line)
        else:
            paragraph.append(item[1] if item else line.lstrip("> "))
        if FOLD in line or UNFOLD in line:
            folded = line.rfind(FOLD) > line.rfind(UNFOLD)
    return result


def _is_boundary(line: str) -> bool:
    """Whether a paragraph cannot go on over this line."""
    return (
        not line.strip()
        or bool(HEADING.fullmatch(line))
        or line.lstrip().startswith(("|", FOLD, UNFOLD))
    )


def _one_line(line: str, folded: bool) -> list[Block]:
    """The blocks of a heading, of a table's row, or of a line with the tag that opens or closes a
    fold."""
    heading = HEADING.fullmatch(line)
    if heading:
        return _block(heading[2], level=len(heading[1]), folded=folded)
    if line.lstrip().startswith("|"):
        cells = line.strip().strip("|").replace(r"\|", " ").split("|")
        return [block for cell in cells for block in _block(cell, in_table=True, folded=folded)]
    return _block(line, folded=folded)


def _block(text: str, **kind: int) -> list[Block]:
    """A list of one block, on one line and without tags; an empty list if nothing is left to
    read."""
    text = " ".join(re.sub(r"</?[A-Za-z][^>]*>", " ", text).split())
    return [Block(text, **kind)] if re.search(r"\w|▯|\?", text) else []


def bold(block: Block) -> list[str]:
    """Returns the words in bold."""
    return re.findall(r"\*\*(?!\s)(.+?)(?<!\s)\*\*", block.text)


def unmarked(text: str) -> str:
    """The text without the marks of emphasis."""
    return text.replace("*", "")


def sentences(block: Block) -> list[str]:
    """The sentences of a block; a quoted sentence of the toy language counts as one word, a table's
    list as several."""
    text = unmarked(TOY_QUOTE.sub(HOLE, block.text))
    result, start = [], 0
    for mark in SENTENCE_END.finditer(text):
        if _ends_sentence(text[start : mark.end()], text[mark.end() :].lstrip()):
            result.append(text[start : mark.end()])
            start = mark.end()
    result.append(text[start:])
    if block.in_table:
        result = [part for sentence in result for part in sentence.split(";")]
    return [sentence.strip() for sentence in result if sentence.strip()]


def _ends_sentence(before: str, after: str) -> bool:
    """Whether the mark at the end of `before` closes a sentence, given what follows."""
    if ABBREVIATION.search(before) or BEFORE_NUMBER.search(before) and after[:1].isdigit():
        return False
    if MAY_END.search(before):
        return after[:1].isupper()
    goes_on = re.match(r"[a-zäöü]{2,}\b", after) is not None
    is_plain_stop = re.search(r"(?<!\.)\.\W*$", before) is not None
    return is_plain_stop or not goes_on


def n_words(sentence: str) -> int:
    """How many words a sentence has; a formula, a number or a row of symbols counts as one."""
    count, in_formula = 0, False
    for token in sentence.split():
        bare = token.strip(".,;:?!()[]“”\"’'…")
        symbol = (
            bool(IN_FORMULA.search(bare))
            or NUMBER_OR_SYMBOL.fullmatch(bare) is not None
            or "(" in bare
        )
        if not symbol:
            count += 1
        elif not in_formula and re.search(r"\w", bare):
            count += 1
        in_formula = symbol and (in_formula or bool(re.search(r"\w", bare)))
    return count


def without_quotes(block: Block) -> Block:
    """The block without its quotations."""
    return replace(block, text=QUOTE.sub(HOLE, block.text))


def literals(source: str) -> Iterator[tuple[int, str]]:
    """The string literals of Python code that are prose, with their lines; holes where an f-string
    has values.

    Code that does not parse, such as a cell with a magic command, has none.
    """
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return
    pieces = {
        piece for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for piece in node.values
    }
    for node in ast.walk(tree):
        text = None
        if isinstance(node, ast.JoinedStr):
            text = "".join(
                part.value if isinstance(part, ast.Constant) else HOLE for part in node.values
            )
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in pieces:
            text = node.value
        if text and len(text.split()) > LONG_STRING:
            yield node.lineno, text


def context(text: str, match: re.Match, width: int = 40) -> str:
    """The words around a match, for a report."""
    start, end = max(match.start() - width, 0), min(match.end() + width, len(text))
    return f"{'…' if start else ''}{text[start:end]}{'…' if end < len(text) else ''}"
