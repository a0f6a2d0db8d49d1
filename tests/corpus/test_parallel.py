"""Text from files: what is read, what is refused and in which words, and what cleaning drops."""

from __future__ import annotations

import gzip
import os
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqkd_lab.corpus.cleaning import (
    HELD_OUT,
    TRAINING,
    CleaningRules,
    clean,
    length_ratio,
    split_by_source,
)
from seqkd_lab.corpus.parallel import CorpusError, ParallelCorpus, RawPairs, fold, group_by_source
from seqkd_lab.corpus.reading import read_aligned, read_lines, read_tsv

words = st.text(st.characters(exclude_categories=("Z", "C")), min_size=1, max_size=4)
sentences = st.lists(words, max_size=5).map(tuple)
token_pairs = st.lists(st.tuples(sentences, sentences), max_size=8)
raw_pairs = st.lists(
    st.tuples(st.sampled_from(["", "a", "a b", "c" * 50]), st.sampled_from(["", "a", "x y"])),
    max_size=12,
)


def corpus_of(pairs) -> ParallelCorpus:
    return ParallelCorpus(
        "n", "train", "CC0", tuple(x for x, _ in pairs), tuple(y for _, y in pairs)
    )


def raw_of(pairs) -> RawPairs:
    return RawPairs("n", "train", "CC0", tuple(x for x, _ in pairs), tuple(y for _, y in pairs))


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


class TestParallelCorpus:
    @given(token_pairs, st.slices(8))
    def test_a_slice_holds_the_pairs_of_the_slice(self, pairs, rows):
        chosen = corpus_of(pairs)[rows]
        assert list(zip(chosen.source, chosen.target, strict=True)) == pairs[rows]

    def test_a_list_of_places_chooses_in_its_order_and_takes_references_along(self):
        corpus = ParallelCorpus(
            "n", "s", "l", (("a",), ("b",)), (("x",), ("y",)), (("x",), ("y", "z"))
        )
        chosen = corpus[[1, 0, 1]]
        assert chosen.source == (("b",), ("a",), ("b",))
        assert chosen.references == (("y", "z"), ("x",), ("y", "z"))

    @given(token_pairs, token_pairs)
    def test_fingerprints_are_equal_just_for_equal_contents(self, pairs, others):
        assert (corpus_of(pairs).fingerprint == corpus_of(others).fingerprint) == (pairs == others)

    def test_fingerprint_sees_token_bounds_sides_and_references_but_no_names(self):
        source, target = (("a", "b"), ("c",)), (("x",), ("y",))
        corpus = ParallelCorpus("n", "train", "l", source, target)
        assert corpus.fingerprint == ParallelCorpus("m", "test", "k", source, target).fingerprint
        different = {
            corpus.fingerprint,
            ParallelCorpus("n", "train", "l", (("a",), ("b", "c")), target).fingerprint,
            ParallelCorpus("n", "train", "l", target, source).fingerprint,
            ParallelCorpus("n", "train", "l", source, target, (("x",), ("y",))).fingerprint,
            corpus[[1, 0]].fingerprint,
        }
        assert len(different) == 5

    def test_with_target_keeps_sources_and_references(self):
        corpus = ParallelCorpus("n", "s", "l", (("a",),), (("x",),), (("x", "z"),))
        distilled = corpus.with_target([["w", "v"]])
        assert (distilled.source, distilled.target) == (corpus.source, (("w", "v"),))
        assert distilled.references == corpus.references

    @pytest.mark.parametrize("token", ["", "two words", "a\n", " "])
    def test_a_token_that_is_empty_or_holds_whitespace_is_refused_with_its_place(self, token):
        with pytest.raises(CorpusError, match="target of sentence 1"):
            ParallelCorpus("n", "s", "l", (("a",), ("b",)), (("x",), (token,)))

    def test_sides_of_different_length_are_refused(self):
        with pytest.raises(CorpusError, match="2 sources and 1 targets"):
            ParallelCorpus("n", "s", "l", (("a",), ("b",)), (("x",),))
        with pytest.raises(CorpusError, match="references for 1 sentences"):
            ParallelCorpus("n", "s", "l", (("a",), ("b",)), (("x",), ("y",)), (("x",),))
        with pytest.raises(CorpusError, match="sentence 0"):
            ParallelCorpus("n", "s", "l", (("a",),), (("x",),), ((),))
        with pytest.raises(CorpusError, match="got 'x'"):
            ParallelCorpus("n", "s", "l", (("a",),), (("x",),), ("x",))
        with pytest.raises(CorpusError, match="1 sources and 0 targets"):
            ParallelCorpus("n", "s", "l", (("a",),), (("x",),)).with_target([])


class TestReadLines:
    @given(
        st.lists(
            st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\n\r\0\ufeff"))
        )
    )
    def test_lines_written_are_lines_read_whatever_they_hold(self, tmp_path_factory, lines):
        content = "".join(line + "\n" for line in lines).encode()
        path = write(tmp_path_factory.mktemp("lines") / "text", content)
        if any(line.strip() for line in lines):
            assert read_lines(path) == lines
        else:
            with pytest.raises(CorpusError, match="empty"):
                read_lines(path)

    @pytest.mark.parametrize(
        "content", [b"", b"\n\n", b"\xef\xbb\xbf", b"\xef\xbb\xbf\r\n", b" \t\n"]
    )
    def test_a_file_without_text_is_refused(self, tmp_path, content):
        path = write(tmp_path / "nothing.txt", content)
        with pytest.raises(CorpusError, match=r"nothing\.txt:1: .*empty"):
            read_lines(path)

    @pytest.mark.parametrize("content", [b"one", b"one\n", b"one\r\n", b"\xef\xbb\xbfone\r\n"])
    def test_one_line_with_any_line_end_and_mark(self, tmp_path, content):
        assert read_lines(write(tmp_path / "text", content)) == ["one"]

    def test_gzip_is_seen_by_content_not_by_name(self, tmp_path):
        assert read_lines(write(tmp_path / "text", gzip.compress(b"one\ntwo"))) == ["one", "two"]
        assert read_lines(write(tmp_path / "text.gz", b"one\ntwo\n")) == ["one", "two"]

    def test_bytes_that_are_not_utf8_are_named_by_file_and_line(self, tmp_path):
        path = write(tmp_path / "latin.txt", "eins\nzwei\nfünf\n".encode("latin-1"))
        with pytest.raises(CorpusError, match=r"latin\.txt:3: not UTF-8 \(byte 0xfc at column 2\)"):
            read_lines(path)

    @pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le"])
    def test_utf16_is_refused(self, tmp_path, encoding):
        with pytest.raises(CorpusError, match=r":1: .*UTF-8"):
            read_lines(write(tmp_path / "text", "one\ntwo\n".encode(encoding)))

    def test_a_gzip_file_cut_short_is_named_with_the_line_where_it_ends(self, tmp_path):
        text = "\n".join(f"{i * 7919 % 10_007} {i * i}" for i in range(20_000)).encode()
        path = write(tmp_path / "cut.gz", gzip.compress(text)[:-20_000])
        with pytest.raises(CorpusError, match=r"cut\.gz:\d+: damaged gzip") as caught:
            read_lines(path)
        line = int(str(caught.value).split("cut.gz:")[1].split(":")[0])
        assert 1 < line < 20_000

    @pytest.mark.parametrize(
        "place, byte", [(-6, 0), (10, 0x07), (2, 0)], ids=["checksum", "data", "header"]
    )
    def test_a_gzip_file_with_changed_bytes_is_damaged(self, tmp_path, place, byte):
        packed = bytearray(gzip.compress(b"one\ntwo\n"))
        assert packed[place] != byte
        packed[place] = byte
        with pytest.raises(CorpusError, match="damaged gzip"):
            read_lines(write(tmp_path / "bad.gz", bytes(packed)))

    @pytest.mark.parametrize(
        "content, said",
        [
            (b"\xfd7zXZ\x00abc", "xz data; unpack it first"),
            (b"BZh91AY&SYabc", "bzip2 data; unpack"),
            (b"\x28\xb5\x2f\xfdabc", "zstd data"),
            (b"PK\x03\x04abc", "a zip archive"),
            (b"%PDF-1.7", "a PDF"),
            ("Zeile\n".encode("utf-16"), "UTF-16, not UTF-8; convert it"),
            (b"\x89PNG\r\n\x1a\n", "not UTF-8"),
            (b"\x7fELF\x02\x00", "holds a zero byte"),
            (b"one\rtwo\rthree", "lines end with CR alone.*tr"),
            (b"one\rtwo\r", "lines end with CR alone"),
            (b"\n\n \n", "all 3 lines are empty"),
            (b"", "the file is empty"),
        ],
    )
    def test_other_kinds_of_files_are_named_with_what_to_do(self, tmp_path, content, said):
        with pytest.raises(CorpusError, match=rf"odd ü\.txt:1: .*{said}"):
            read_lines(write(tmp_path / "odd ü.txt", content))

    @pytest.mark.parametrize(
        "content", [b"BZh, said he.\nPK", b"100%PDF\n", b"a\rb\nc\n", b"one\r", b"one\r\r\n"]
    )
    def test_text_that_looks_like_another_kind_is_read(self, tmp_path, content):
        assert (
            len(read_lines(write(tmp_path / "text", content)))
            == content.rstrip(b"\n").count(b"\n") + 1
        )

    def test_a_pipe_is_read_once_packed_or_not(self, tmp_path):
        for content in (b"one\ntwo", gzip.compress(b"one\ntwo")):
            reading, writing = os.pipe()
            with os.fdopen(writing, "wb") as pipe:
                pipe.write(content)
            assert read_lines(f"/dev/fd/{reading}") == ["one", "two"]
            os.close(reading)

    def test_a_line_without_an_end_is_refused_before_it_fills_the_memory(
        self, tmp_path, monkeypatch
    ):
        monkeypatch.setattr("seqkd_lab.corpus.reading.LONGEST_BYTES", 100)
        for content in (b"ok\n" + b"x" * 200, gzip.compress(b"ok\n" + b"x" * 99 + b"\n")):
            with pytest.raises(CorpusError, match=r"text:2: over .* without a line end"):
                read_lines(write(tmp_path / "text", content))
        with pytest.raises(CorpusError, match="/dev/zero: .*a device"):
            read_lines("/dev/zero")
        assert read_lines(write(tmp_path / "text", b"x" * 98 + b"\nok")) == ["x" * 98, "ok"]

    def test_missing_file_and_folder(self, tmp_path):
        with pytest.raises(CorpusError, match="absent.txt: cannot be read"):
            read_lines(tmp_path / "absent.txt")
        with pytest.raises(CorpusError, match="cannot be read"):
            read_lines(tmp_path)


class TestReadAligned:
    def test_plain_and_gzip_and_normalisation(self, tmp_path):
        source = write(tmp_path / "s", "\ufeffA  cat\tsleeps .\r\nHi\r\n".encode())
        decomposed = unicodedata.normalize("NFD", "schläft\nHallo\n")
        target = write(tmp_path / "t.gz", gzip.compress(decomposed.encode()))
        pairs = read_aligned(source, target, split="valid")
        assert pairs.source == ("A cat sleeps .", "Hi")
        assert pairs.target == (unicodedata.normalize("NFC", "schläft"), "Hallo")
        assert pairs.split == "valid"

    def test_a_unicode_line_separator_does_not_shift_the_alignment(self, tmp_path):
        source = write(tmp_path / "s", "a\u2028b\x85c\x0bd\ne\n".encode())
        pairs = read_aligned(source, write(tmp_path / "t", b"x\ny\n"))
        assert pairs.source == ("a b c d", "e")

    @pytest.mark.parametrize("lines, place", [((2, 3), "t:3"), ((3, 1), "s:2")])
    def test_unequal_numbers_of_lines_name_the_first_line_without_partner(
        self, tmp_path, lines, place
    ):
        source, target = (
            write(tmp_path / name, b"x\n" * n) for name, n in zip("st", lines, strict=True)
        )
        with pytest.raises(
            CorpusError, match=rf"{place}: .*{lines[0]} lines in .*s, {lines[1]} in .*t;"
        ):
            read_aligned(source, target)

    @given(st.text(st.characters(exclude_categories=("Cs",))))
    def test_fold_is_idempotent_nfc_and_without_outer_or_double_spaces(self, text):
        folded = fold(text)
        assert fold(folded) == folded == unicodedata.normalize("NFC", folded)
        assert folded.split(" ") == folded.split() or folded == ""


class TestReadTsv:
    EXPORT = (
        "Go.\tVe.\tCC-BY 2.0 (A)\nHi.\tHola.\tCC-BY 2.0 (B)\nGo.\tVete.\tCC-BY 2.0 "
        "(C)\nGo.\tVe.\tCC-BY 2.0 (D)\n"
    )

    def test_anki_export_keeps_attribution(self, tmp_path):
        pairs = read_tsv(write(tmp_path / "spa.tsv", self.EXPORT.encode()), licence="CC-BY 2.0 FR")
        assert pairs.source == ("Go.", "Hi.", "Go.", "Go.")
        assert pairs.target == ("Ve.", "Hola.", "Vete.", "Ve.")
        assert pairs.attribution == tuple(f"CC-BY 2.0 ({name})" for name in "ABCD")
        assert pairs[1:2].attribution == ("CC-BY 2.0 (B)",)
        assert (pairs.references, pairs.licence) == (None, "CC-BY 2.0 FR")

    def test_grouping_gathers_distinct_targets_and_all_names(self, tmp_path):
        pairs = read_tsv(write(tmp_path / "spa.tsv", self.EXPORT.encode()), group=True)
        assert pairs.source == ("Go.", "Hi.")
        assert pairs.target == ("Ve.", "Hola.")
        assert pairs.references == (("Ve.", "Vete."), ("Hola.",))
        assert pairs.attribution == ("CC-BY 2.0 (A); CC-BY 2.0 (C); CC-BY 2.0 (D)", "CC-BY 2.0 (B)")

    def test_two_columns_have_no_attribution_and_columns_can_be_chosen(self, tmp_path):
        pairs = read_tsv(write(tmp_path / "two", b"a\tb\n"), source_column=1, target_column=0)
        assert (pairs.source, pairs.target, pairs.attribution) == (("b",), ("a",), None)

    @pytest.mark.parametrize("bad", [b"no tab here", b""])
    def test_a_line_without_tab_is_named(self, tmp_path, bad):
        path = write(tmp_path / "bad.tsv", b"a\tb\n" + bad + b"\nc\td\n")
        with pytest.raises(CorpusError, match=r"bad\.tsv:2: 1 column\(s\) where 2 are needed"):
            read_tsv(path)

    @given(raw_pairs)
    def test_grouping_keeps_every_source_and_every_target_once(self, pairs):
        grouped = group_by_source(raw_of(pairs))
        assert list(grouped.source) == list(dict.fromkeys(x for x, _ in pairs))
        for source, known in zip(grouped.source, grouped.references, strict=True):
            assert len(set(known)) == len(known)
            assert set(known) - {""} == {y for x, y in pairs if x == source} - {""}


class TestCleaning:
    @given(raw_pairs)
    def test_kept_and_dropped_make_up_what_was_read(self, pairs):
        pairs = pairs + [(f"good {i}", f"gut {i}") for i in range(20)]
        for rules in (
            TRAINING,
            HELD_OUT,
            CleaningRules(max_characters=8),
            CleaningRules(max_ratio=1.5),
        ):
            kept, report = clean(raw_of(pairs), rules)
            assert report.read == len(pairs)
            assert report.kept == len(kept)
            assert report.kept + sum(report.dropped.values()) == report.read
            rest = iter(pairs)
            assert all(pair in rest for pair in zip(kept.source, kept.target, strict=True)), (
                "order changed"
            )

    def test_every_reason_is_counted_under_its_own_name(self):
        good = [(f"sentence number {i}", f"Satz Nummer {i}") for i in range(100)]
        empty, long = [("", "x"), ("x", "")], [("x" * 10_000, "y"), ("x", "y" * 401)]
        bad = empty + long + [("x" * 60, "y"), ("Tom", "Tom"), good[7]]
        kept, report = clean(raw_of(good[:50] + bad + good[50:]))
        assert list(zip(kept.source, kept.target, strict=True)) == good
        assert report.dropped == dict.fromkeys(
            [
                "empty source",
                "empty target",
                "source longer than 400 characters",
                "length ratio over 3",
                "target longer than 400 characters",
                "target identical to source",
                "duplicate pair",
            ],
            1,
        )
        assert "107 pairs read, 100 kept" in str(report)
        for reason in report.dropped:
            assert f"1 {reason}" in str(report)

    def test_held_out_text_loses_only_empty_pairs_and_documents(self):
        pairs = [("x" * 4_000, "y"), ("Tom", "Tom"), ("Tom", "Tom"), ("", "x"), ("a", "")]
        pairs += [("x" * 4_001, "y"), ("x", "y" * 2**20)]
        kept, report = clean(raw_of(pairs), HELD_OUT)
        assert list(zip(kept.source, kept.target, strict=True)) == pairs[:3]
        assert report.dropped == {
            "empty source": 1,
            "empty target": 1,
            "source longer than 4000 characters": 1,
            "target longer than 4000 characters": 1,
        }

    def test_the_ratio_is_relative_to_what_is_usual_between_the_two_languages(self):
        dense = [(f"{i} {'word ' * 20}".strip(), f"{i}{'字' * 20}") for i in range(50)]
        kept, report = clean(raw_of(dense), CleaningRules(max_ratio=2.0))
        assert (len(kept), report.dropped) == (50, {})

    @pytest.mark.slow
    @given(st.integers(0, 5_000), st.integers(0, 5_000), st.floats(0.2, 5.0))
    def test_the_ratio_is_symmetric_and_at_least_one(self, n_source, n_target, usual):
        assert length_ratio(n_source, n_target, usual) >= 1.0
        assert length_ratio(n_source, n_target, usual) == pytest.approx(
            length_ratio(n_target, n_source, 1 / usual)
        )

    def test_nothing_left_is_an_error_that_tells_why(self):
        with pytest.raises(CorpusError, match="2 target identical to source; nothing is left"):
            clean(raw_of([("a", "a"), ("b", "b")]))

    def test_attribution_follows_its_pair(self):
        pairs = RawPairs(
            "n", "s", "l", ("a b", "", "c d"), ("x y", "y", "z z"), attribution=("A", "B", "C")
        )
        assert clean(pairs)[0].attribution == ("A", "C")


class TestSplitBySource:
    PAIRS = raw_of([(f"s{i % 20}", f"t{i}") for i in range(50)])

    def test_splits_share_no_source_and_lose_no_pair(self):
        splits = split_by_source(self.PAIRS, 3, 4, seed=1)
        assert [split.split for split in splits] == ["train", "valid", "test"]
        assert [len(set(split.source)) for split in splits] == [13, 3, 4]
        assert sorted(y for split in splits for y in split.target) == sorted(self.PAIRS.target)
        assert len({x for split in splits for x in set(split.source)}) == 20

    def test_the_seed_decides(self):
        assert split_by_source(self.PAIRS, 3, 4, seed=1) == split_by_source(
            self.PAIRS, 3, 4, seed=1
        )
        assert split_by_source(self.PAIRS, 3, 4, seed=1) != split_by_source(
            self.PAIRS, 3, 4, seed=2
        )

    @pytest.mark.parametrize("n_valid, n_test", [(0, 4), (3, 0), (10, 10)])
    def test_splits_that_leave_nothing_are_refused(self, n_valid, n_test):
        with pytest.raises(CorpusError, match="20 distinct"):
            split_by_source(self.PAIRS, n_valid, n_test, seed=1)
