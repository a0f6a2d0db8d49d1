"""A labelling that several processes share: the corpus of one process line by line, and what is
kept when one of them dies."""

from __future__ import annotations

import os
import signal
import time
from itertools import chain

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from torchrun import run, start, workers

from seqkd_lab.decoding.search import Hypothesis
from seqkd_lab.distillation import parts as module
from seqkd_lab.distillation.parts import Parts, translate_parts
from seqkd_lab.processes import Job

LABEL = ("distil", "--teacher", "teacher", "--pairs", 2900)
"""Three parts: one process has one more than the other."""


def hypothesis_of(place: int) -> Hypothesis:
    """Return a translation that tells which source it is of."""
    return Hypothesis((f"w{place}", "ü"), -place / 7, -place / 7)


class Work:
    """Translates places; breaks at the part of the number `breaks_at`."""

    def __init__(self, breaks_at: int | None = None) -> None:
        self.breaks_at = breaks_at
        self.asked: list[int] = []

    def __call__(self, number, places, report):
        if number == self.breaks_at:
            raise KeyboardInterrupt
        self.asked.append(number)
        report(len(places))
        return list(map(hypothesis_of, places))


LENGTHS = [5, 1, 9, 9, 2, 30, 4, 4, 1, 7]


class TestParts:
    @pytest.fixture(autouse=True)
    def small_parts(self, monkeypatch):
        monkeypatch.setattr(module, "PART", 4)

    def run(self, folder, work, key="k", job=None):
        parts, reported, said = Parts(folder, key, LENGTHS), [], []
        translate_parts(parts, work, reported.append, said.append, *([] if job is None else [job]))
        return list(parts.in_order()), sum(reported), said

    @pytest.mark.parametrize("breaks_at", [0, 1, 2])
    def test_an_interrupted_run_asks_only_for_what_is_missing(self, tmp_path, breaks_at):
        folder, broken, again = tmp_path / "x.unfinished", Work(breaks_at), Work()
        with pytest.raises(KeyboardInterrupt):
            self.run(folder, broken)
        done, reported, said = self.run(folder, again)
        assert done == list(map(hypothesis_of, range(10))) and reported == 10
        assert broken.asked + again.asked == [0, 1, 2]
        assert len(said) == (breaks_at > 0) and all(f"{4 * breaks_at} of 10" in s for s in said)

    @pytest.mark.parametrize("cut", [1, 10, 40, 90])
    def test_a_part_that_was_damaged_is_made_again(self, tmp_path, cut):
        folder, again = tmp_path / "x.unfinished", Work()
        self.run(folder, Work())
        part = sorted(folder.glob("part-*"))[1]
        part.write_bytes(part.read_bytes()[:-cut])
        assert self.run(folder, again)[:2] == (list(map(hypothesis_of, range(10))), 10)
        assert again.asked == ([1] if cut > 1 else [])  # without its last line end it is whole

    @pytest.mark.parametrize(
        "content", [b"", b"\n", b"{}\n", b"\xff\xfe", b"[1, 2]\n[3]\n", b'{"key": "other"}\n']
    )
    @pytest.mark.parametrize("is_file", [True, False])
    def test_other_work_starts_from_scratch_and_says_so(self, tmp_path, content, is_file):
        """In a folder, or in one file, as earlier versions kept their parts."""
        folder, work = tmp_path / "x.unfinished", Work()
        if is_file:
            folder.write_bytes(content)
        else:
            self.run(folder, Work(), key="other")
            (folder / "key.json").write_bytes(content)
        done, _, said = self.run(folder, work)
        assert len(done) == 10 and work.asked == [0, 1, 2]
        assert len(said) == 1 and str(folder) in said[0] and "from scratch" in said[0]

    def test_a_file_of_somebody_else_stays(self, tmp_path):
        folder = tmp_path / "x.unfinished"
        self.run(folder, Work())
        (folder / "mine.txt").write_text("mine")
        Parts(folder, "k", LENGTHS).forget()
        assert [path.name for path in folder.iterdir()] == ["mine.txt"]

    def test_a_finished_run_asks_for_nothing(self, tmp_path):
        folder = tmp_path / "x.unfinished"
        self.run(folder, Work())
        assert len(self.run(folder, Work(breaks_at=0))[0]) == 10

    def test_a_missing_part_is_named(self, tmp_path):
        folder = tmp_path / "x.unfinished"
        self.run(folder, Work())
        sorted(folder.glob("part-*"))[2].unlink()
        with pytest.raises(ValueError, match="part-00000002.jsonl.*missing or damaged"):
            list(Parts(folder, "k", LENGTHS).in_order())


@given(
    lengths=st.lists(st.integers(1, 60), max_size=60),
    part=st.integers(1, 7),
    window=st.integers(1, 4),
    size=st.integers(1, 4),
)
def test_parts_hold_every_place_once_and_lengths_are_alike(lengths, part, window, size):
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(module, "PART", part)
        patched.setattr(module, "WINDOW", window)
        parts = Parts(None, "k", lengths)  # type: ignore[arg-type]
        places = [parts.places(number) for number in range(len(parts))]
        assert sorted(chain.from_iterable(places)) == list(range(len(lengths)))
        assert all(0 < len(own) <= part and own == sorted(own) for own in places)
        shares = [Job(rank, size).share(range(len(parts))) for rank in range(size)]
        assert sorted(chain.from_iterable(shares)) == list(range(len(parts)))
        for first in range(0, len(parts), window):
            together = [np.asarray(lengths)[own] for own in places[first : first + window]]
            assert all(a.max() <= b.min() for a, b in zip(together, together[1:], strict=False))


@pytest.mark.slow
@pytest.mark.parametrize(
    "method",
    [("mode", "--beam", 1), ("interpolated", "--beam", 2), ("sampled",)],
    ids=lambda m: m[0],
)
def test_two_processes_write_the_corpus_of_one_line_by_line(tmp_path, method):
    for file, n in (("one.tsv", 1), ("two.tsv", 2)):
        code, out, err = run(tmp_path, *LABEL, "--method", *method, "--out", file, n=n)
        assert code == 0 and out.count("next: ") == 1, err
    one, two = ((tmp_path / file).read_text().splitlines() for file in ("one.tsv", "two.tsv"))
    assert len(one) == 2901 and one == two
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "runs") == [
        "one.tsv",
        "two.tsv",
    ]


@pytest.mark.slow
def test_finished_parts_are_kept_when_a_process_dies(tmp_path):
    victim = 0
    process = start(tmp_path, *LABEL, "--beam", 3, "--out", "d.tsv")
    parts = tmp_path / "d.tsv.unfinished"
    while not list(parts.glob("part-*")):
        assert process.poll() is None, process.communicate()[1].decode()
        time.sleep(0.02)
    os.kill(workers(process)[victim], signal.SIGKILL)
    _, err = process.communicate(timeout=120)
    assert process.returncode not in (0, None) and "SIGKILL" in err.decode()
    kept = sorted(path.name for path in parts.glob("part-*"))
    assert kept and not (tmp_path / "d.tsv").exists()
    code, _, err = run(tmp_path, *LABEL, "--beam", 3, "--out", "d.tsv", n=1)
    assert code == 0 and "goes on from them" in err, err
    code, _, err = run(tmp_path, *LABEL, "--beam", 3, "--out", "e.tsv", n=1)
    assert code == 0 and (tmp_path / "d.tsv").read_bytes() == (tmp_path / "e.tsv").read_bytes()
