"""The command `seqkd-lab`: each module of `commands` is one of its commands, and is found there."""

from __future__ import annotations

import argparse
import os
import pkgutil
import sys
import warnings
from collections.abc import Sequence
from importlib import import_module

from seqkd_lab import __version__
from seqkd_lab.cli import commands
from seqkd_lab.cli.options import typed_path
from seqkd_lab.training import DivergenceError

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

your own text, two aligned files in any languages (OWN_TEXT.md leads through it):
  seqkd-lab corpus check all.en all.de            lengths, repetitions, pairs that look misaligned, advice
  seqkd-lab corpus split all.en all.de --out text train, valid and test, for --text
  seqkd-lab tour --text text                      teacher, students, table and report
  seqkd-lab translate --model DIR --input FILE    line for line; - is standard input
  seqkd-lab score HYPOTHESES REFERENCE            BLEU and chrF; --against compares two systems
  seqkd-lab export DIR OUT --quantisation int8    a Transformer student for CTranslate2
"""  # noqa: E501


def parser(command: str | None = None) -> argparse.ArgumentParser:
    """Return the parser of the whole command line, or of one `command` only, which spares the
    import of all others."""
    main_parser = argparse.ArgumentParser(
        prog="seqkd-lab",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="A lab for sequence-level knowledge distillation (Kim & Rush 2016). Everything "
        "runs on a CPU, "
        "without a network. What is trained is kept and found again; an interrupted run continues "
        "where it was.",
    )
    main_parser.add_argument("--version", action="version", version=f"seqkd-lab {__version__}")
    main_parser.add_argument(
        "--store",
        type=typed_path,
        default=None,
        metavar="DIR",
        help="where trained models are kept (default: $SEQKD_LAB_STORE, or runs/ in this folder)",
    )
    verbs = main_parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name in command_names() if command is None else [command]:
        import_module(f"{commands.__name__}.{name}").add(verbs)
    return main_parser


def command_names() -> list[str]:
    """Return the names of all commands: those of their modules."""
    return [module.name for module in pkgutil.iter_modules(commands.__path__)]


def command_in(arguments: Sequence[str]) -> str | None:
    """Return the command that a command line names; None where it names none that there is."""
    before_command = argparse.ArgumentParser(add_help=False, exit_on_error=False)
    before_command.add_argument("--store")
    before_command.add_argument("command", nargs="?")
    try:
        command = before_command.parse_known_args(arguments)[0].command
    except argparse.ArgumentError:
        return None
    return command if command in command_names() else None


def in_one_line(
    message: Warning, category: type[Warning], filename: str, lineno: int, line: str | None = None
) -> str:
    """What is printed of a warning: to a person at the command line its place in the source says
    nothing."""
    return f"seqkd-lab: {message}\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code: 0, 1 for a finding or a check that fails, 2 for
    wrong input."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(
            stream, "reconfigure"
        ):  # a terminal that cannot show a letter shows "?", and the work goes on
            stream.reconfigure(errors="replace")
    shown_before, warnings.formatwarning = warnings.formatwarning, in_one_line
    try:
        arguments = sys.argv[1:] if arguments is None else arguments
        given = parser(command_in(arguments)).parse_args(arguments)
        code = given.run(given)
        sys.stdout.flush()  # here, where a pipe that nobody reads any more can still be met
        return code
    except KeyboardInterrupt:
        print(
            "\nInterrupted. What was finished is kept; the same command continues from there.",
            file=sys.stderr,
        )
        return 130
    except BrokenPipeError:  # the reader of a pipe has left, as `head` does
        _discard_output()
        return 0
    except DivergenceError as error:
        print(f"seqkd-lab: {error}", file=sys.stderr)
        return 1
    except (ValueError, OSError) as error:
        print(f"seqkd-lab: {error}", file=sys.stderr)
        if isinstance(error, OSError):
            _discard_output()  # a full disk would refuse it again
        return 2
    finally:
        warnings.formatwarning = shown_before


def _discard_output() -> None:
    """Let standard output end without another attempt to write what it still holds."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
