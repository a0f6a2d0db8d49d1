"""What a check of a corpus says to people: a table, counts, the oddest pairs, and advice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from seqkd_lab.corpus.check import ODD_RATIO, CorpusCheck, OddPair, Side
from seqkd_lab.corpus.cleaning import TRAINING
from seqkd_lab.corpus.visible import visible

FEW_PAIRS, ENOUGH_PAIRS = 5_000, 20_000
LONG_LINE = 100
"""Words of a line that is more than a sentence."""
MANY_DUPLICATES, MANY_ODD, MANY_DROPPED = 0.05, 0.02, 0.1
UNSPACED = ("Chinese or Japanese", "Thai", "Lao", "Khmer", "Myanmar", "Tibetan")
MOST_SHOWN = 100


def in_words(check: CorpusCheck) -> str:
    """Return the whole report, several lines."""
    parts = [
        f"{check.n_pairs:,} pairs: {check.source.path} and {check.target.path}",
        _table(check),
        _counts(check),
        f"What cleaning would drop from training text:\n  {check.cleaning}",
        _oddest(check),
        "Advice:\n" + "\n".join(f"  - {sentence}" for sentence in advice(check)),
    ]
    return "\n\n".join(filter(None, parts))


def _table(check: CorpusCheck) -> str:
    sides = (check.source, check.target)
    rows: list[tuple[str, ...]] = [("", "source", "target")]
    for unit in ("characters", "words"):
        lengths = [getattr(side, unit) for side in sides]
        rows += [
            (f"{unit} a line: median", *(f"{of.median:,}" for of in lengths)),
            ("  95% of the lines have at most", *(f"{of.percentile_95:,}" for of in lengths)),
            (
                "  the longest line",
                *(f"{of.longest:,} (line {of.longest_line:,})" for of in lengths),
            ),
        ]
    rows += [
        ("script", *(side.script or "none" for side in sides)),
        ("lines in another script", *(_numbered(tuple(side.other_script)) for side in sides)),
        ("empty lines", *(_numbered(side.empty) for side in sides)),
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    return "\n".join(
        f"{name:{widths[0]}}  {ours:>{widths[1]}}  {theirs:>{widths[2]}}"
        for name, ours, theirs in rows
    )


def _numbered(lines: tuple[int, ...]) -> str:
    return f"{len(lines):,} (first: line {lines[0]:,})" if lines else "0"


def _counts(check: CorpusCheck) -> str:
    counts = {
        "repeated pairs": check.n_duplicates,
        "sources with several targets": check.n_several_targets,
        "pairs whose sides are the same": check.n_identical,
        f"pairs over {ODD_RATIO:g} times longer or shorter than usual": check.n_unequal_length,
        "pairs whose numbers differ": check.n_numbers_differ,
        "pairs whose web addresses differ": check.n_addresses_differ,
        "pairs with damaged letters": check.n_damaged,
    }
    width = max(map(len, counts))
    return "\n".join(
        f"{name:{width}}  {count:>9,}  {count / check.n_pairs:6.2%}"
        for name, count in counts.items()
    )


def _oddest(check: CorpusCheck) -> str:
    if not check.oddest:
        return ""
    return "The oddest pairs:\n" + "\n".join(map(_odd_pair, check.oddest))


def _odd_pair(pair: OddPair) -> str:
    source, target = (visible(text, MOST_SHOWN) for text in (pair.source, pair.target))
    return f"  line {pair.line:,}: {'; '.join(pair.reasons)}\n    {source}\n    {target}"


def advice(check: CorpusCheck) -> Iterator[str]:
    """Yield what to do, in plain sentences; at least one."""
    sentences = [*_on_alignment(check), *_on_text(check), *_on_size(check)]
    yield from sentences or ["Nothing stands in the way of a training."]


def _on_alignment(check: CorpusCheck) -> Iterator[str]:
    if check.shift is not None:
        further = "later" if check.shift.lines > 0 else "earlier"
        n = abs(check.shift.lines)
        yield (
            f"From line {check.shift.first:,} to line {check.shift.last:,}, the lengths fit better "
            f"when the target is taken {n} line{'s' * (n > 1)} {further}. One file has probably "
            "lost or gained a line. Compare the files around there, and align them before "
            "anything else."
        )
    odd = (
        check.n_unequal_length
        + check.n_damaged
        + len({*check.source.other_script, *check.target.other_script})
    )
    if odd > MANY_ODD * check.n_pairs:
        yield (
            f"{odd / check.n_pairs:.1%} of the pairs look wrong by length, script or damaged "
            "letters. Read some of them: a model learns such pairs, too."
        )
    if check.n_numbers_differ > MANY_DUPLICATES * check.n_pairs:
        yield (
            "Many pairs have different numbers on the two sides. This is usual where numbers are "
            "spelt out. Otherwise the pairs may not belong together."
        )


def _on_text(check: CorpusCheck) -> Iterator[str]:
    for name, side in (("source", check.source), ("target", check.target)):
        yield from _on_side(name, side)
    if check.n_damaged:
        yield (
            "Letters such as “Ã¤” or “\ufffd” come from a wrong encoding. Convert the original "
            "file again."
        )
    if check.n_duplicates > MANY_DUPLICATES * check.n_pairs:
        yield (
            f"{check.n_duplicates / check.n_pairs:.0%} of the pairs are repetitions, which "
            "training drops. Make sure that no pair of the training text is in the validation or "
            "test text."
        )
    dropped = check.n_pairs - check.cleaning.kept
    if dropped > MANY_DROPPED * check.n_pairs:
        yield f"Cleaning would drop {dropped / check.n_pairs:.0%} of the pairs; see above why."


def _on_side(name: str, side: Side) -> Iterator[str]:
    if side.words.percentile_95 > LONG_LINE:
        yield (
            f"Many lines of the {name} are paragraphs. Divide them into sentences: training drops "
            f"lines of over {TRAINING.max_characters} characters."
        )
    elif side.words.longest > LONG_LINE:
        yield (
            f"Line {side.words.longest_line:,} of the {name} has {side.words.longest:,} words. In "
            "validation or test text, divide such a line into sentences: it takes much time and "
            "memory."
        )
    if side.script in UNSPACED:
        yield (
            f"The {name} is written without spaces ({side.script}). That is no obstacle: subwords "
            "cut it, and the tokeniser of BLEU follows its script."
        )


def _on_size(check: CorpusCheck) -> Iterator[str]:
    if check.cleaning.kept < FEW_PAIRS:
        yield (
            f"{check.cleaning.kept:,} pairs are few: expect a model that knows phrases rather than "
            f"the language, and no gain from distillation. {ENOUGH_PAIRS:,} pairs are a good "
            "beginning."
        )
    if Path(check.source.path) == Path(check.target.path):
        yield "Both files are the same file."
