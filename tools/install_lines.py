"""The lines at the top of every lesson that install the lab where it is missing, as on Colab and
Kaggle, and the one address that they install from.

The address stands in install_from.txt and nowhere else; `python tools/lessons.py --install-from
ADDRESS` writes it there and into the notebooks. Until the project is published it is a wheel that
lies beside the notebook: a name that nobody has registered would run whatever a stranger puts
there (SECURITY.md).
"""

from __future__ import annotations

import re
from pathlib import Path

ADDRESS = Path(__file__).resolve().parent / "install_from.txt"
LOCAL = "./seqkd_lab-*.whl"
"""The wheel beside the notebook; the shell of %pip completes its name."""
FORMS = f"{LOCAL}, https://….whl#sha256=…, git+https://…@COMMIT (40 digits), or seqkd-lab==VERSION"
ALLOWED = re.compile(
    rf"{re.escape(LOCAL)}"
    r"|https://[\w.~/%+-]+\.whl#sha256=[0-9a-f]{64}"
    r"|git\+https://[\w.~/%+-]+@[0-9a-f]{40}"
    r"|seqkd-lab==\d+(\.\d+)*"
)
"""Each names one version, and holds nothing that a shell reads as more than a word."""
SECONDS = "ten seconds"
"""4 to 8 s were measured with Colab's versions on two slow cores, with a mirror of PyPI nearby: the
wheel is at hand, and sacrebleu, msgspec, torchtext and what they need come over the network."""
CODE = """\
try:  # nothing happens here where the lab is installed
    import seqkd_lab
except ModuleNotFoundError:  # as on Colab and Kaggle
    address = "{address}"{comment}
    print(f"Installing {{address}}: some {seconds}, once. torch stays as it is.")
    get_ipython().run_line_magic("pip", f"install --quiet {{address}}")

"""
UPLOAD = "  # the lab's wheel: upload it beside this notebook"
FIRST_LINE = CODE.splitlines()[0]
LINES = re.compile(rf"\A{re.escape(FIRST_LINE)}\n(?:.+\n)*\n*")


def read_address() -> str:
    """Return the address that lessons install from. Raise ValueError where it is none of FORMS."""
    lines = ADDRESS.read_text(encoding="utf-8").splitlines()
    return checked(" ".join(line for line in lines if not line.startswith("#")).strip())


def write_address(address: str) -> None:
    """Let lessons install from `address`. Raise ValueError where it is none of FORMS."""
    text = ADDRESS.read_text(encoding="utf-8").splitlines()
    comments = [line for line in text if line.startswith("#")]
    lines = "\n".join([*comments, checked(address)]) + "\n"
    ADDRESS.write_text(lines, encoding="utf-8", newline="\n")


def checked(address: str) -> str:
    """Return `address`. Raise ValueError where it does not name one version in one of FORMS."""
    if ALLOWED.fullmatch(address) is None:
        raise ValueError(f"{address!r} is no address that names one version; give {FORMS}")
    return address


def install_lines() -> str:
    """Return the lines with today's address."""
    address = read_address()
    comment = UPLOAD if address == LOCAL else ""
    return CODE.format(address=address, seconds=SECONDS, comment=comment)


def without_install(source: str) -> str:
    """Return a cell's source without these lines."""
    return LINES.sub("", source)


def with_install(source: str) -> str:
    """Return a cell's source with these lines at its top, in place of earlier ones."""
    return install_lines() + without_install(source)
