"""Own text through real processes: a terminal without letters, pipes of a shell, a long line, two
commands at once, and commands that are stopped or killed and typed again."""

from __future__ import annotations

import gzip
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from own_text import KINDS, LONG, PLAIN
from typed import contents

SMALL = ("--preset", "quick", "--width", "8", "--batch-size", "8", "--vocabulary", "100")
ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
TINY_COMMAND = """
import sys
import own_text
from seqkd_lab.cli import main
if __name__ == "__main__":
    own_text.PRESETS["quick"] = own_text.tiny_preset(getattr(own_text, sys.argv[1]))
    sys.exit(main(sys.argv[2:]))
"""


def start(folder: Path, *arguments, script: Path | None = None, **given) -> subprocess.Popen:
    """Start a command in `folder`."""
    command = [
        sys.executable,
        *(["-m", "seqkd_lab"] if script is None else [str(script)]),
        *map(str, arguments),
    ]
    places = os.pathsep.join(map(str, (Path(__file__).parents[1], Path(__file__).parents[2])))
    environment = (
        os.environ | {"PYTHONPATH": places, "OMP_NUM_THREADS": "1"} | given.pop("environment", {})
    )
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, cwd=folder, env=environment, **pipes, **given)


def ended(process: subprocess.Popen) -> tuple[int, str, str]:
    """Exit code, stdout and stderr, once it has ended; no traceback may be among them."""
    out, err = (stream.decode("utf-8", "replace") for stream in process.communicate(timeout=300))
    assert "Traceback" not in out + err, err
    return process.returncode, out, err


def wait_for(path: Path, process: subprocess.Popen) -> None:
    """Until there is something at `path`, or the process has ended."""
    while not path.exists() and process.poll() is None:
        time.sleep(0.02)
    assert path.exists(), process.communicate()[1].decode()


def tour(folder: Path, options, model: str, **given) -> subprocess.Popen:
    """Start a tour whose quick preset has `model`'s size, with one worker."""
    (folder / "tiny.py").write_text(TINY_COMMAND, encoding="utf-8")
    return start(
        folder,
        model,
        "--store",
        "s ü",
        "tour",
        *options,
        "--workers",
        1,
        "--report",
        "r",
        script=folder / "tiny.py",
        **given,
    )


@pytest.mark.slow
def test_a_tour_on_a_terminal_without_letters(tmp_path):
    """With the text in a shell's pipes, which can be read once, and packed."""
    options, streams = list(KINDS["japanese"].write(tmp_path / "text")), []
    for at in range(1, len(options), 2):
        reading, writing = os.pipe()
        os.write(writing, gzip.compress(Path(options[at]).read_bytes()))
        os.close(writing)
        options[at] = f"/dev/fd/{reading}"
        streams.append(reading)
    code, out, err = ended(tour(tmp_path, options, "LSTM", environment=ASCII, pass_fds=streams))
    assert code == 0 and "cannot be judged" in out and out.isascii() and "p(y^)" in out, err
    assert "p(ŷ)" in (tmp_path / "r" / "report.html").read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.parametrize(("split", "model"), [("valid", "LSTM"), ("test", "TRANSFORMER")])
def test_a_line_of_6000_words_ends_the_tour_well(tmp_path, split, model):
    options = PLAIN.with_lines([LONG], split).write(tmp_path / "text")
    code, out, err = ended(tour(tmp_path, options, model))
    assert code == 0 and "cannot be judged" in out, err
    assert f"{split}.source:1: 25,999 characters in one line" in err


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_training_that_is_stopped_goes_on_as_if_it_had_not_been(tmp_path, how):
    options = PLAIN.write(tmp_path / "text")
    given = ("--store", "s", "train", *SMALL, *options, "--epochs", 40)
    process = start(tmp_path, *given, "--out", "m")
    wait_for(tmp_path / "m" / "unfinished" / "resume.json", process)
    process.send_signal(how)
    code, out, err = ended(process)
    assert (
        code == (130 if how == signal.SIGINT else -how)
        and not (tmp_path / "m" / "model.json").exists()
    ), err
    assert (how != signal.SIGINT) or "the same command continues" in err
    resumed, whole = start(tmp_path, *given, "--out", "m"), start(tmp_path, *given, "--out", "n")
    code, out, err = ended(resumed)
    assert code == 0 and "continuing after epoch" in err, err
    assert ended(whole)[0] == 0
    assert (
        contents(tmp_path / "m")["model.safetensors"]
        == contents(tmp_path / "n")["model.safetensors"]
    )
    assert sorted(path.name for path in (tmp_path / "m").iterdir()) == sorted(
        contents(tmp_path / "n")
    )


@pytest.mark.slow
def test_two_trainings_at_once_in_one_folder_leave_one_whole_model(tmp_path):
    options = PLAIN.write(tmp_path / "text")
    given = ("--store", "s", "train", *SMALL, *options, "--epochs", 3, "--out", "m")
    codes = [
        ended(process)[0]
        for process in [start(tmp_path, *given, "--seed", seed) for seed in (1, 2)]
    ]
    assert 0 in codes and set(codes) <= {0, 2}
    code, out, err = ended(start(tmp_path, "translate", "--model", "m", "--input", options[9]))
    assert code == 0 and out.count("\n") == 5, err
