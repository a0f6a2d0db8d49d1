"""What `seqkd-lab corpus check` sees in two files, and what it says of them."""

from __future__ import annotations

import os
import random
import threading
import unicodedata
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqkd_lab.cli import main
from seqkd_lab.corpus.check import check_files, check_pairs
from seqkd_lab.corpus.check_words import advice, in_words
from seqkd_lab.corpus.cleaning import TRAINING, clean
from seqkd_lab.corpus.parallel import CorpusError, RawPairs, fold
from seqkd_lab.corpus.scripts import ScriptCounter, script_name
from seqkd_lab.corpus.shift import Shift, find_shift
from seqkd_lab.corpus.visible import visible

any_line = st.text(
    st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=60
).map(fold)


def pairs_of(rows) -> RawPairs:
    return RawPairs("n", "train", "CC0", tuple(x for x, _ in rows), tuple(y for _, y in rows))


def sentences(n: int, seed: int = 1) -> list[tuple[str, str]]:
    """Pairs of 3 to 20 words each, whose lengths belong together."""
    rng = random.Random(seed)
    rows = [rng.choices(range(300), k=rng.randint(3, 20)) for _ in range(n)]
    return [(" ".join(f"en{i:x}" for i in row), " ".join(f"das{i:x}" for i in row)) for row in rows]


class TestCounts:
    ROWS = [
        ("One cat sleeps here.", "Eine Katze schläft hier."),
        ("Two dogs run there.", "Zwei Hunde rennen dort."),
        ("One cat sleeps here.", "Eine Katze schläft hier."),
        ("Two dogs run there.", "Da rennen zwei Hunde."),
        ("", "Niemand."),
        ("Nobody.", ""),
        ("", ""),
        ("The same on both sides.", "The same on both sides."),
        ("In 1984 and 7 more.", "In 1985 und 7 mehr."),
        ("At 1,000.5 miles.", "Bei 1.000,5 Meilen."),
        ("See https://a.org/x now.", "Siehe https://a.org/y nun."),
        ("Go to www.a.org.", "Geh zu www.a.org!"),
        ("He sees it all.", "Он видит всё это."),
        ("A small bird.", "Ein kleiner Vogel, Ã¤hnlich."),
        (
            "Short.",
            "Ein sehr langer Satz, der mit seiner Quelle nichts zu tun haben kann, wie man sieht.",
        ),
    ]

    def test_each_kind_of_sign_is_counted_for_itself(self):
        check = check_pairs(pairs_of(self.ROWS))
        assert check.n_pairs == len(self.ROWS)
        assert (check.source.empty, check.target.empty) == ((5, 7), (6, 7))
        assert (check.n_duplicates, check.n_several_targets, check.n_identical) == (1, 1, 1)
        assert (check.n_unequal_length, check.n_numbers_differ, check.n_addresses_differ) == (
            1,
            1,
            1,
        )
        assert check.n_damaged == 1
        assert (check.source.script, check.target.script) == ("Latin", "Latin")
        assert (check.source.other_script, check.target.other_script) == ({}, {13: "Cyrillic"})

    def test_the_oddest_pairs_have_lines_texts_and_reasons(self):
        oddest = {pair.line: pair for pair in check_pairs(pairs_of(self.ROWS)).oddest}
        assert len(oddest) == 5
        assert (oddest[15].source, oddest[15].target) == self.ROWS[14]
        assert "longer than usual" in oddest[15].reasons[0]
        assert oddest[13].reasons == ("target in Cyrillic letters",)
        scores = [pair.score for pair in check_pairs(pairs_of(self.ROWS)).oddest]
        assert scores == sorted(scores, reverse=True)

    def test_numbers_may_be_written_in_the_digits_and_order_of_the_language(self):
        rows = [("On 12/31/2004.", "Am 31.12.2004."), ("Ten: 10, 25.", "عشرة ٢٥ ١٠")]
        assert check_pairs(pairs_of(rows)).n_numbers_differ == 0

    def test_lengths_are_order_statistics_with_the_longest_line(self):
        rows = [("a " * n, "b " * n) for n in (3, 1, 9, 2, 5)]
        side = check_pairs(pairs_of([(fold(x), fold(y)) for x, y in rows])).source
        assert (side.words.median, side.words.longest, side.words.longest_line) == (3, 9, 3)
        assert (side.characters.median, side.characters.longest, side.characters.longest_line) == (
            5,
            17,
            3,
        )

    @given(st.lists(st.tuples(any_line, any_line), max_size=12))
    def test_any_text_is_checked_and_cleaning_is_foretold(self, rows):
        rows = [*rows, ("good", "gut"), *rows[:3]]
        check = check_pairs(pairs_of(rows))
        _, report = clean(pairs_of(rows), TRAINING)
        assert check.cleaning == report
        assert check.n_pairs == len(rows)
        assert max(
            check.n_duplicates, check.n_identical, check.n_unequal_length, check.n_damaged
        ) <= len(rows)
        words = in_words(check)
        assert not any(map(is_hidden, words.replace("\n", "")))


class TestScripts:
    @pytest.mark.parametrize(
        "letter, name",
        [
            ("a", "Latin"),
            ("ß", "Latin"),
            ("Ａ", "Latin"),
            ("ж", "Cyrillic"),
            ("字", "Chinese or Japanese"),
            ("あ", "Chinese or Japanese"),
            ("ｱ", "Chinese or Japanese"),
            ("한", "Hangul"),
            ("ש", "Hebrew"),
            ("ع", "Arabic"),
            ("ก", "Thai"),
            ("3", None),
            (".", None),
            ("🦊", None),
        ],
    )
    def test_a_letter_has_the_script_of_its_name(self, letter, name):
        assert script_name(letter) == name

    def test_a_line_has_the_script_of_most_of_its_letters_and_a_text_of_most_of_its_lines(self):
        scripts = ScriptCounter()
        lines = [
            "Это длинная строка с именем Bach.",
            "Ещё одна.",
            "A line in English",
            "42",
            "Да",
            "漢字とかな",
        ]
        assert [scripts.add(line) for line in lines] == [
            "Cyrillic",
            "Cyrillic",
            "Latin",
            None,
            None,
            "Chinese or Japanese",
        ]
        assert scripts.main == "Cyrillic"

    @given(st.lists(any_line, max_size=8))
    def test_the_order_of_lines_does_not_matter(self, lines):
        forth, back = ScriptCounter(), ScriptCounter()
        assert [forth.add(line) for line in lines] == [back.add(line) for line in reversed(lines)][
            ::-1
        ]


class TestShift:
    @staticmethod
    def lengths(n: int, seed: int = 3) -> tuple[np.ndarray, np.ndarray]:
        chance = np.random.default_rng(seed)
        source = chance.integers(10, 150, n)
        return source, np.maximum(1, (source * chance.normal(1.1, 0.15, n)).astype(int))

    @pytest.mark.parametrize("n", [1, 5, 20, 100, 700, 3_000])
    @pytest.mark.parametrize("seed", range(5))
    def test_aligned_and_unrelated_files_have_no_shift(self, n, seed):
        source, target = self.lengths(n, seed)
        assert find_shift(source, target) is None
        assert find_shift(source, np.random.default_rng(seed + 100).permutation(target)) is None

    @pytest.mark.parametrize("lines", [-3, -2, -1, 1, 2, 3])
    def test_a_slipped_file_is_seen_with_its_direction(self, lines):
        source, target = self.lengths(1_000)
        assert find_shift(source, np.roll(target, lines)) == Shift(lines, 1, 1_000)

    def test_a_line_lost_in_the_middle_and_gained_later(self):
        source, target = self.lengths(4_000)
        target = np.concatenate([target[:1_000], target[1_001:2_500], [70], target[2_500:]])
        assert find_shift(source, target) == Shift(-1, 1_001, 2_500)

    def test_equal_lengths_say_nothing(self):
        assert find_shift(np.full(600, 7), np.full(600, 9)) is None
        rising = np.arange(1_000)
        assert find_shift(rising, rising + 3) is None, "sorted text fits at every shift"


class TestFiles:
    def write(self, folder, rows):
        paths = folder / "s ü.txt", folder / "t.txt"
        for path, side in zip(paths, zip(*rows, strict=True), strict=True):
            path.write_text("".join(line + "\n" for line in side), encoding="utf-8")
        return paths

    def test_the_command_prints_what_was_seen(self, tmp_path, capsys):
        rows = sentences(300)
        rows[16] = ("\x1b[2Jevil \u202etext", "Это строка")
        assert main(["corpus", "check", *map(str, self.write(tmp_path, rows))]) == 0
        printed = capsys.readouterr().out
        assert "300 pairs" in printed and "s ü.txt" in printed
        assert "line 17: " in printed and "Cyrillic" in printed
        assert "\x1b" not in printed and "\u202e" not in printed
        assert r"\x1b[2Jevil \u202etext" in printed

    def test_files_of_different_length_are_refused_with_the_place_where_they_part(
        self, tmp_path, capsys
    ):
        rows = sentences(2_000)
        source, target = self.write(tmp_path, rows)
        lines = target.read_text(encoding="utf-8").splitlines(keepends=True)
        target.write_text("".join(lines[:1_000] + lines[1_001:]), encoding="utf-8")
        assert main(["corpus", "check", str(source), str(target)]) == 2
        said = capsys.readouterr().err
        assert "s ü.txt:2000: line without a partner" in said
        assert "they part near line 1,001" in said

    def test_a_shift_is_said_first(self, tmp_path):
        rows = sentences(600)
        slipped = list(zip([x for x, _ in rows[1:]], [y for _, y in rows[:-1]], strict=True))
        check = check_files(*self.write(tmp_path, slipped))
        assert check.shift == Shift(1, 1, 599)
        assert next(advice(check)).startswith("From line 1 to line 599")

    def test_a_pipe_is_read(self, tmp_path):
        rows = sentences(30)
        source, target = self.write(tmp_path, rows)
        pipe = tmp_path / "pipe"
        os.mkfifo(pipe)
        writer = threading.Thread(target=pipe.write_bytes, args=(source.read_bytes(),))
        writer.start()
        assert check_files(pipe, target) == replace(
            check_files(source, target),
            source=replace(check_files(source, target).source, path=str(pipe)),
        )
        writer.join()

    def test_what_is_no_text_is_named(self, tmp_path):
        source, _ = self.write(tmp_path, sentences(3))
        (tmp_path / "x.docx").write_bytes(b"PK\x03\x04rest")
        with pytest.raises(CorpusError, match=r"x\.docx:1: this is a zip archive"):
            check_files(source, tmp_path / "x.docx")


class TestAdvice:
    def test_a_large_clean_text_needs_none(self):
        check = check_pairs(pairs_of(sentences(6_000)))
        assert list(advice(check)) == ["Nothing stands in the way of a training."]

    def test_few_pairs_paragraphs_and_repetitions_are_said(self):
        long = " ".join(["word"] * 150)
        said = " ".join(
            advice(check_pairs(pairs_of([*sentences(50), *sentences(50), (long, long)])))
        )
        assert "are few" in said and "50% of the pairs are repetitions" in said
        assert "Line 101 of the source has 150 words" in said

    def test_a_text_without_spaces_is_no_obstacle(self):
        rows = [(x, "字" * (len(x) // 3 + 1)) for x, _ in sentences(50)]
        assert "written without spaces (Chinese or Japanese)" in " ".join(
            advice(check_pairs(pairs_of(rows)))
        )


@given(st.text(st.characters(exclude_categories=("Cs",))))
def test_visible_text_moves_no_cursor_and_keeps_every_printable_letter(text):
    shown = visible(text)
    assert not any(map(is_hidden, shown))
    assert visible(shown) == shown
    if not any(map(is_hidden, text)):
        assert shown == text


def is_hidden(character: str) -> bool:
    """Return whether Unicode counts a character among those that control, format or end a line;
    some signs of a script count as formats, too."""
    kind = unicodedata.category(character)
    return kind in ("Cc", "Zl", "Zp") or kind == "Cf" and not is_sign(character)


def is_sign(character: str) -> bool:
    """Return whether a format character belongs to a script, or joins its letters."""
    scripts = ("ARABIC", "SYRIAC", "KAITHI", "EGYPTIAN", "ZERO WIDTH JOINER", "ZERO WIDTH NON")
    name = unicodedata.name(character, "")
    return name.startswith(scripts) and name != "ARABIC LETTER MARK"


def test_long_text_is_cut():
    assert visible("abcdef", 3) == "abc…"
    assert visible("abc", 3) == "abc"
