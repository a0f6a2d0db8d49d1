"""An encoded corpus that several processes map: they label and learn what one process does."""

from __future__ import annotations

import pytest
from encoded_text import encoded_here, files_in
from own_text import PLAIN
from torchrun import run

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:the teacher wrote")]
SMALL = ("--preset", "quick", "--width", 8, "--epochs", 2, "--batch-size", 8)


def test_two_processes_make_the_corpus_and_the_curve_of_one(tmp_path):
    PLAIN.write(tmp_path / "text")
    encoded_here(files_in(tmp_path / "text"), tmp_path / "c")
    learn = ("train", "--corpus", "c", *SMALL)
    steps = [
        (*learn, "--as-teacher", "--out", "teacher"),
        ("distil", "--corpus", "c", "--teacher", "teacher", "--beam", 2, "--out", "two.tsv"),
        (*learn, "--distilled", "two.tsv", "--out", "student"),
    ]
    for step in steps:
        code, _, err = run(tmp_path, *step)
        assert code == 0, err
    code, _, err = run(tmp_path, *steps[1][:-1], "one.tsv", n=1)
    assert code == 0, err
    assert (tmp_path / "one.tsv").read_bytes() == (tmp_path / "two.tsv").read_bytes()
    assert [path.name for path in tmp_path.glob("*.ids")] == ["two.tsv.ids"]
