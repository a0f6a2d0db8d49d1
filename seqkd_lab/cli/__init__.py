"""The command `seqkd-lab`: each module of `commands` is one of its commands, and is found there."""

from __future__ import annotations

import argparse
import pkgutil
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from seqkd_lab import __version__
from seqkd_lab.cli import commands

EPILOG = """examples:
  seqkd-lab tour                                  the paper's Table 1 on the toy language, one seed, about 5 minutes
  seqkd-lab translate "the old teacher sold the sofa because it was broken ." --model seq-kd --beam 5
  seqkd-lab table                                 Table 1 over ten seeds, with intervals
  seqkd-lab table --check                         judges the committed results; exit code 1 unless every claim is held
  seqkd-lab prune --share 0.8 --out runs/pruned   the Seq-KD student without the smallest 80% of its weights
  seqkd-lab speculative --check                   what a distilled student is worth as its teacher's draft
  seqkd-lab later tip --check                     what token importance claims, and what came of it here
  seqkd-lab study                                 which studies of the mechanism there are, and what each asks
  seqkd-lab doctor                                is this machine ready, and what to do if not
"""


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    main_parser = argparse.ArgumentParser(
        prog="seqkd-lab", epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter,
        description="A lab for sequence-level knowledge distillation (Kim & Rush 2016). Everything runs on a CPU, "
        "without a network. What is trained is kept and found again; an interrupted run continues where it was.",
    )
    main_parser.add_argument("--version", action="version", version=f"seqkd-lab {__version__}")
    main_parser.add_argument("--store", type=Path, default=None, metavar="DIR",
                             help="where trained models are kept (default: $SEQKD_LAB_STORE, or runs/ in this folder)")
    verbs = main_parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for module in pkgutil.iter_modules(commands.__path__):
        import_module(f"{commands.__name__}.{module.name}").add(verbs)
    return main_parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code: 0, 1 for a finding or a check that fails, 2 for wrong input."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a terminal that cannot show a letter shows "?", and the work goes on
            stream.reconfigure(errors="replace")
    try:
        given = parser().parse_args(arguments)
        return given.run(given)
    except KeyboardInterrupt:
        print("\nInterrupted. What was finished is kept; the same command continues from there.", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader of a pipe has left, as `head` does
        sys.stdout = None  # so that Python does not try to flush it at its end
        return 0
    except (ValueError, OSError) as error:
        print(f"seqkd-lab: {error}", file=sys.stderr)
        return 2
