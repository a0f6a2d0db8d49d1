"""Forward translation: source text without targets, what is dropped of it, and the parts that an
interrupt keeps."""

from __future__ import annotations

import gzip
import io
import random
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqkd_lab.corpus.parallel import CorpusError, ParallelCorpus
from seqkd_lab.decoding.search import search
from seqkd_lab.distillation import forward_translation
from seqkd_lab.distillation.distilled import write_distilled
from seqkd_lab.distillation.forward_translation import (
    Translated,
    added,
    clean_sources,
    drop_failures,
    forward_translate,
    read_sources,
    read_translated,
    warn_of_ratio,
    write_translated,
)
from seqkd_lab.distillation.sequence_level import distil_mode

RNG = random.Random(3)
SOURCES = tuple(
    tuple(RNG.choices(["ant", "bee", "cat", "dog"], k=RNG.randint(1, 6))) for _ in range(30)
)
MADE = Translated((("a", "b"), ("c",)), (("x", "<unk>"), ()), (-1.5, -0.25))


class TestSources:
    def test_plain_and_packed_files_and_standard_input_in_order(self, tmp_path, monkeypatch):
        (tmp_path / "a.txt").write_bytes(b"\xef\xbb\xbfone\r\ntwo\n")
        (tmp_path / "b.gz").write_bytes(gzip.compress("drei\u2028vier\n".encode()))
        monkeypatch.setattr(
            "sys.stdin",
            SimpleNamespace(buffer=io.BufferedReader(io.BytesIO(b"\xef\xbb\xbffive\n"))),
        )
        assert read_sources([tmp_path / "a.txt", tmp_path / "b.gz", "-"]) == [
            "one",
            "two",
            "drei\u2028vier",
            "five",
        ]

    def test_input_that_is_not_utf_8_is_named(self, monkeypatch):
        monkeypatch.setattr(
            "sys.stdin", SimpleNamespace(buffer=io.BufferedReader(io.BytesIO(b"\xff\n")))
        )
        with pytest.raises(CorpusError, match="standard input:1: not UTF-8"):
            read_sources(["-"])

    def test_what_is_dropped_is_counted_by_reason(self):
        kept, dropped = clean_sources(["b  a", "", " \t", "x" * 401, "a", "b a", "a", "\u2581"])
        assert kept == ["b a", "a"]
        assert (
            str(dropped)
            == "8 sentences read, 2 kept; dropped: 3 empty, 2 duplicate, 1 longer than 400 "
            "characters"
        )

    @given(st.lists(st.text(max_size=12), min_size=1))
    def test_kept_and_dropped_add_up_and_a_second_cleaning_changes_nothing(self, lines):
        try:
            kept, dropped = clean_sources(lines)
        except CorpusError:
            return
        assert dropped.kept + sum(dropped.reasons.values()) == dropped.read == len(lines)
        assert clean_sources(kept)[0] == kept

    def test_nothing_left(self):
        with pytest.raises(CorpusError, match="2 sentences read, 0 kept; dropped: 2 empty"):
            clean_sources(["", " "])


class TestTranslations:
    def test_are_the_modes_of_the_teacher(self, make_model):
        teacher, heard = make_model(5, sharpness=2.0), []
        made = forward_translate(teacher, SOURCES, 3, report=heard.append)
        expected = [n_best[0] for n_best in search(teacher, SOURCES, 3)]
        assert (made.source, made.target) == (SOURCES, tuple(h.tokens for h in expected))
        assert made.log_probs == pytest.approx([h.log_prob for h in expected], abs=2e-4)
        assert sum(heard) == len(SOURCES)

    def test_failures_go_by_the_rules_of_training_pairs(self):
        source = (*(("a", "b", "c"),) * 5, ("a", "b"), ("c", "d"), ("b",))
        target = (*(("x", "y", "z"),) * 5, (), ("c", "d"), ("x",) * 40)
        kept, dropped = drop_failures(Translated(source, target, (-1.0,) * 8), " ".join)
        assert kept.source == source[:5] and len(kept.log_probs) == 5
        assert dropped.reasons == {
            "empty target": 1,
            "target identical to source": 1,
            "length ratio over 3": 1,
        }
        with pytest.raises(CorpusError, match="train the teacher longer"):
            drop_failures(Translated((("a",),), ((),), (0.0,)), " ".join)

    @pytest.mark.parametrize(
        ("usual", "warns"), [(1.0, False), (0.92, False), (0.8, True), (1.2, True)]
    )
    def test_a_length_unlike_the_training_corpus_is_pointed_out(self, recwarn, usual, warns):
        warn_of_ratio(Translated((("a", "b"),), (("x", "y"),), (0.0,)), usual)
        assert [f"its training corpus has {usual:.2f}" in str(w.message) for w in recwarn] == [
            True
        ] * warns

    def test_pairs_are_added_after_the_corpus(self):
        gold = ParallelCorpus("n", "train", "l", (("q",),), (("r",),), (("r",),))
        both = added(gold, MADE, MADE)
        assert both.source == (("q",), *MADE.source, *MADE.source) and both.references is None
        assert both.target == (("r",), *MADE.target, *MADE.target)


class TestFile:
    def test_what_is_read_is_what_was_written_and_the_similarity_is_empty(self, tmp_path):
        write_translated(tmp_path / "m.tsv", MADE)
        assert read_translated(tmp_path / "m.tsv") == MADE
        assert all(
            line.endswith("\t")
            for line in (tmp_path / "m.tsv").read_text(encoding="utf-8").splitlines()[1:]
        )

    @pytest.mark.filterwarnings("ignore:the teacher wrote")
    def test_a_distilled_corpus_can_be_added_too(self, tmp_path, make_model):
        gold = ParallelCorpus("n", "train", "l", SOURCES, SOURCES)
        distilled = distil_mode(make_model(5), gold)
        write_distilled(tmp_path / "d.tsv", distilled)
        assert read_translated(tmp_path / "d.tsv").target == distilled.corpus.target

    @pytest.mark.parametrize(
        ("text", "where"),
        [
            ("a\tb\t-1\t\n", "m.tsv:1"),
            ("HEADER\na\tb\t-1\n", "m.tsv:2"),
            ("HEADER\na\tb\tmuch\t\n", "m.tsv:2"),
            ("HEADER\na\tb\t-1\t\n\tb\t-1\t\n", "m.tsv:3"),
            ("HEADER\n", "no translations"),
            ("", "m.tsv"),
        ],
    )
    def test_anything_else_is_named(self, tmp_path, text, where):
        header = forward_translation.HEADER
        (tmp_path / "m.tsv").write_text(text.replace("HEADER", header), encoding="utf-8")
        with pytest.raises(CorpusError, match=where):
            read_translated(tmp_path / "m.tsv")
