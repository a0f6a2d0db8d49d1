"""`corpus split` and --text: from two aligned files to six, without a test sentence that was
trained on."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqkd_lab import cli
from seqkd_lab.cli.resolve import data_of
from seqkd_lab.corpus.parallel import CorpusError
from seqkd_lab.corpus.reading import read_lines
from seqkd_lab.corpus.text_folder import SIDES, SPLITS, files_of, split_files, write_folder


def write(path: Path, lines: list[str]) -> str:
    """Write lines and return the path as a person types it."""
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return str(path)


@pytest.fixture
def two_files(tmp_path) -> tuple[str, str]:
    """Forty pairs of thirty sources: ten sources have two translations."""
    numbers = [*range(30), *range(10)]
    return (
        write(tmp_path / "all.en", [f"source number {n}" for n in numbers]),
        write(
            tmp_path / "all.de",
            [f"Ziel Nummer {n} {'auch' * (i >= 30)}".strip() for i, n in enumerate(numbers)],
        ),
    )


@pytest.fixture
def folder(tmp_path, two_files, capsys) -> Path:
    out = tmp_path / "text"
    assert (
        cli.main(["corpus", "split", *two_files, "--out", str(out), "--valid", "4", "--test", "5"])
        == 0
    )
    assert "train" in capsys.readouterr().out
    return out


def pairs_of(folder: Path, split: str) -> list[tuple[str, str]]:
    source, target = (read_lines(folder / f"{split}.{side}") for side in SIDES)
    return list(zip(source, target, strict=True))


class TestSplit:
    def test_no_source_is_in_two_splits_and_every_pair_is_one_of_the_text(self, folder, two_files):
        whole = set(zip(*map(read_lines, two_files), strict=True))
        sources = {split: {source for source, _ in pairs_of(folder, split)} for split in SPLITS}
        assert set().union(*(pairs_of(folder, split) for split in SPLITS)) <= whole
        assert sources["train"] | sources["valid"] | sources["test"] == {
            source for source, _ in whole
        }
        assert sum(map(len, sources.values())) == len({source for source, _ in whole})

    def test_held_out_sources_stand_once_and_are_as_many_as_asked_for(self, folder):
        for split, number in (("valid", 4), ("test", 5)):
            sources = [source for source, _ in pairs_of(folder, split)]
            assert len(sources) == len(set(sources)) == number

    def test_the_first_training_pairs_are_a_sample_of_a_sorted_text(self, tmp_path):
        files = [
            write(tmp_path / f"all.{side}", [f"{side} {i:04}" for i in range(1_000)])
            for side in SIDES
        ]
        first = [
            int(source.split()[1])
            for source in split_files(*files, 10, 10, 1)[0]["train"].source[:100]
        ]
        assert (
            350 < sum(first) / 100 < 650
        )  # the mean of 100 draws of 0 to 999 has a standard error of 29

    @settings(max_examples=20, deadline=None)
    @given(st.integers(3, 60), st.integers(0, 3))
    def test_by_default_a_tenth_at_most_is_held_out(self, tmp_path_factory, n, seed):
        directory = tmp_path_factory.mktemp("split")
        files = [
            write(directory / f"all.{side}", [f"{side} {i}" for i in range(n)]) for side in SIDES
        ]
        splits, _ = split_files(*files, None, None, seed)
        assert len(splits["valid"]) == len(splits["test"]) == max(1, n // 10)
        assert len(splits["train"]) == n - 2 * max(1, n // 10)

    def test_the_seed_decides(self, two_files):
        first, again, other = (
            split_files(*two_files, 4, 5, seed)[0]["test"].source for seed in (1, 1, 2)
        )
        assert first == again != other

    @pytest.mark.parametrize(
        ("arguments", "words"),
        [(("--valid", "0"), ("0 valid",)), (("--valid", "20", "--test", "20"), ("30 distinct",))],
    )
    def test_too_much_or_too_little_is_refused(self, capsys, tmp_path, two_files, arguments, words):
        assert (
            cli.main(["corpus", "split", *two_files, "--out", str(tmp_path / "text"), *arguments])
            == 2
        )
        assert all(word in capsys.readouterr().err for word in words)

    def test_nothing_is_overwritten(self, capsys, folder, two_files):
        before = pairs_of(folder, "test")
        assert cli.main(["corpus", "split", *two_files, "--out", str(folder), "--seed", "9"]) == 2
        assert "train.source is there already" in capsys.readouterr().err
        assert pairs_of(folder, "test") == before

    def test_a_file_where_the_folder_should_be_is_refused_before_the_work(
        self, capsys, tmp_path, two_files
    ):
        (tmp_path / "text").write_text("x")
        assert cli.main(["corpus", "split", *two_files, "--out", str(tmp_path / "text")]) == 2
        assert str(tmp_path / "text") in capsys.readouterr().err


class TestText:
    def arguments(self, folder: Path, *more: str):
        return cli.parser().parse_args(["tour", "--text", str(folder), *more])

    def test_names_the_six_files(self, folder):
        data = data_of(self.arguments(folder), "quick")
        assert data.source == str(folder / "train.source") and data.test_target == str(
            folder / "test.target"
        )

    def test_packed_files_count_too(self, folder):
        path = folder / "train.target"
        (folder / "train.target.gz").write_bytes(gzip.compress(path.read_bytes()))
        with pytest.raises(CorpusError, match="which one"):
            files_of(folder)
        path.unlink()
        assert files_of(folder)[1].endswith("train.target.gz")

    def test_a_folder_that_lacks_a_file_is_refused_by_name(self, capsys, folder):
        (folder / "valid.target").unlink()
        assert cli.main(["tour", "--text", str(folder)]) == 2
        assert "valid.target" in capsys.readouterr().err

    def test_no_folder_is_refused_with_the_command_that_makes_it(self, capsys, tmp_path):
        assert cli.main(["tour", "--text", str(tmp_path / "none")]) == 2
        assert "corpus split" in capsys.readouterr().err

    def test_together_with_another_file_it_is_refused(self, capsys, folder, two_files):
        assert cli.main(["tour", "--text", str(folder), "--source", two_files[0]]) == 2
        assert "omit --source" in capsys.readouterr().err

    def test_what_was_written_is_read(self, tmp_path, two_files):
        splits, _ = split_files(*two_files, 4, 5, 1)
        assert [str(path) for path in write_folder(tmp_path / "f", splits)] == files_of(
            tmp_path / "f"
        )
