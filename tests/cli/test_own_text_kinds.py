"""Every kind of writing on the whole path of own text, from the tour to the scores of a distilled
student."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest
from own_text import KINDS, LSTM, MARKUP, TRANSFORMER, run_here, tiny_preset
from typed import assert_refused, typed

from seqkd_lab.corpus.parallel import fold
from seqkd_lab.lab.paper_table import report
from seqkd_lab.runs.presets import PRESETS

# A tiny teacher writes a wrong length, and no font of the report's pictures has every letter.
pytestmark = pytest.mark.filterwarnings("ignore:the teacher wrote")
MODELS = (LSTM, TRANSFORMER)
TAGS = set(
    "html head meta title style body h1 h2 h3 p table thead tbody tr th td img br b span".split()
)


@pytest.fixture(autouse=True)
def small_and_quick(monkeypatch):
    """No processes and no pictures, which take most of a tiny tour's time; other tests make
    them."""
    monkeypatch.setitem(PRESETS, "quick", tiny_preset(LSTM))
    monkeypatch.setattr("seqkd_lab.cli.studies.run_all", run_here)
    monkeypatch.setattr(report, "png", lambda figure, dots_per_inch=80: b"a picture")
    monkeypatch.setattr("os.fsync", lambda file: None)


@pytest.fixture
def home(tmp_path) -> Path:
    """A folder whose name needs quotation marks."""
    return tmp_path / 'of Gülşen\'s "new" text & more'


class Journey:
    """The five commands from six files to scores, in a folder of their own."""

    def __init__(self, capsys, home: Path, options: tuple[str, ...], name: str = "first") -> None:
        self.capsys, self.home, self.options, self.at = capsys, home, options, home / name

    def __call__(self, *arguments) -> str:
        """Run a command that must end well; return what it prints."""
        code, out, err = typed(self.capsys, "--store", self.at / "store", *arguments)
        assert code == 0 and "Traceback" not in out + err, err
        return out

    def tour(self) -> str:
        return self("tour", *self.options, "--workers", 1, "--report", self.at / "report")

    def student(self) -> None:
        """Train a teacher, distil its corpus, and train a student on it."""
        quick = ("--preset", "quick", *self.options)
        self("train", *quick, "--as-teacher", "--out", self.at / "teacher")
        self(
            "distil",
            *self.options,
            "--teacher",
            self.at / "teacher",
            "--length-penalty",
            1,
            "--beam",
            2,
            "--out",
            self.at / "d.tsv",
        )
        self("train", *quick, "--distilled", self.at / "d.tsv", "--out", self.at / "student")

    def translate(self, source: str | Path, output: str = "translations") -> Path:
        self(
            "translate",
            "--model",
            self.at / "student",
            "--beam",
            2,
            "--input",
            source,
            "--output",
            self.at / output,
        )
        return self.at / output


@pytest.fixture
def path_of(capsys, home) -> Callable[[str], Journey]:
    def path_of(kind: str) -> Journey:
        return Journey(capsys, home, KINDS[kind].write(home / "text"))

    return path_of


def lines_of(path: Path | str) -> list[str]:
    """What LF ends."""
    lines = Path(path).read_bytes().decode().removeprefix("\ufeff").split("\n")
    return lines[:-1] if lines[-1] == "" else lines


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags, self.text = set(), ""

    def handle_starttag(self, tag, attributes) -> None:
        self.tags.add(tag)

    def handle_data(self, data) -> None:
        self.text += data


def assert_nothing_left_over(folder: Path) -> None:
    """No file under a name that is used only while it is written, and no unfinished run."""
    names = [str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()]
    assert not [name for name in names if re.search(r"(^|/)\.|\.part$|unfinished|\.new-", name)], (
        names
    )


def assert_tour_is_sound(printed: str, report_file: Path) -> None:
    """Nothing is judged on the scores of models that have learned nothing, and the report has only
    its own tags."""
    claims = [line for line in printed.splitlines() if re.match(r"F\d  ", line)]
    assert len(claims) == 14 and all(line.endswith(": cannot be judged") for line in claims), (
        printed
    )
    assert "cannot be compared" in printed and "p = " not in printed
    page = Tags()
    page.feed(report_file.read_text(encoding="utf-8"))
    assert page.tags <= TAGS


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "model"),
    [(kind, MODELS[n % 2]) for n, kind in enumerate(KINDS)],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_the_whole_path(path_of, monkeypatch, kind, model):
    monkeypatch.setitem(PRESETS, "quick", tiny_preset(model))
    path = path_of(kind)
    source, target = path.options[9], path.options[11]
    assert_tour_is_sound(path.tour(), path.at / "report" / "report.html")
    before = (path.at / "report" / "report.html").read_bytes()
    path.tour()
    assert (path.at / "report" / "report.html").read_bytes() == before
    path.student()
    read, made = lines_of(source), lines_of(path.translate(source))
    assert len(made) == len(read)
    assert all(
        not translation for line, translation in zip(read, made, strict=True) if not fold(line)
    )
    assert path.translate(source, "again").read_bytes() == (path.at / "translations").read_bytes()
    perfect = json.loads(path("score", target, target, "--json"))
    assert perfect["chrf"] == pytest.approx(100)
    assert perfect["bleu"] == pytest.approx(
        0 if kind in ("one word", "equal targets") else 100
    )  # no run of four words
    if any(
        made
        # else the student ends each translation before its first word, and there is nothing to
        # score
    ):
        assert (
            0 <= json.loads(path("score", path.at / "translations", target, "--json"))["bleu"] < 100
        )
    assert_nothing_left_over(path.home)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["thai", "markup and separators"])
def test_elsewhere_the_path_makes_the_same(path_of, capsys, kind):
    one = path_of(kind)
    other = Journey(capsys, one.home, one.options, "second")
    for path in (one, other):
        path.tour()
        path.student()
        path.translate(one.options[9])
    for name in (
        "report/report.html",
        "d.tsv",
        "d.subwords.model",
        "student/model.safetensors",
        "translations",
    ):
        assert (one.at / name).read_bytes() == (other.at / name).read_bytes(), name


def test_markup_is_shown_as_text(path_of, monkeypatch):
    """A student that copies markup: what it wrote stands in the report as it wrote it."""
    monkeypatch.setattr(
        "seqkd_lab.corpus.subwords.SubwordTokeniser.decode", lambda self, tokens: MARKUP[0]
    )
    rows = [[MARKUP[0], "a", MARKUP[0], "", ""]] * 9
    monkeypatch.setattr("seqkd_lab.studies.table1.tour.read_translations", lambda path: rows)
    path = path_of("markup and separators")
    path.tour()
    page = (path.at / "report" / "report.html").read_text(encoding="utf-8")
    assert "&lt;script&gt;" in page and "<script" not in page


class TestRefused:
    """Text that cannot be used ends each command with one line that names file, line and what to
    do."""

    PACKED = gzip.compress("\n".join(str(number**9) for number in range(2000)).encode())
    CONTENTS = {
        "a cut .gz": (PACKED[:-2000], ("damaged gzip", "download the file again")),
        "latin-1": ("eins\nHündin\n".encode("latin-1"), (":2: not UTF-8", "iconv")),
        "a zero byte": (b"one\nt\0wo\n", (":2: holds a zero byte",)),
        "UTF-16": ("one\ntwo\n".encode("utf-16"), (":1: this is UTF-16", "iconv")),
        "CR alone": (b"one\rtwo\rthree", (":1: lines end with CR alone", "tr ")),
        "a surrogate": (b"ok\n\xed\xa0\x80\n", (":2: not UTF-8",)),
        "nothing": (b"", (":1: the file is empty",)),
        "blank lines alone": (b"\n \n\t\n", (":1: all 3 lines are empty",)),
        "an archive": (b"PK\x03\x04rest", (":1: this is a zip archive",)),
        "one line more": ("\n".join(["das"] * 99).encode(), (":25: line without a partner",)),
    }

    @pytest.mark.parametrize("kind", CONTENTS)
    @pytest.mark.parametrize("command", ["tour", "train", "check", "split"])
    def test_by_file_and_line(self, capsys, home, kind, command):
        content, words = self.CONTENTS[kind]
        options = KINDS["hindi"].write(home / "text")
        Path(options[3]).write_bytes(content)
        arguments = {
            "tour": ("tour", *options, "--report", home / "r"),
            "train": ("train", *options, "--out", home / "m"),
            "check": ("corpus", "check", options[1], options[3]),
            "split": ("corpus", "split", options[1], options[3], "--out", home / "s"),
        }[command]
        assert_refused(typed(capsys, "--store", home / "store", *arguments), options[3], *words)
        assert not [
            path for path in home.rglob("*") if path.is_file() and path.parent.name != "text"
        ]

    def test_targets_that_are_the_sources(self, capsys, home):
        options = KINDS["hindi"].write(home / "text")
        Path(options[3]).write_bytes(Path(options[1]).read_bytes())
        assert_refused(
            typed(capsys, "--store", home / "store", "tour", *options, "--report", home / "r"),
            "24 target identical to source",
            "nothing is left",
        )

    def test_many_more_characters_than_subwords(self, capsys, home):
        options = KINDS["more characters than subwords"].write(home / "text")
        assert_refused(
            typed(
                capsys,
                "--store",
                home / "store",
                "tour",
                *options,
                "--report",
                home / "r",
                "--vocabulary",
                9,
            ),
            "no 9 subwords",
            "distinct characters",
            "give a --vocabulary",
        )
