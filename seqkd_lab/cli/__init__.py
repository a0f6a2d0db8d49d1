"""The command `seqkd-lab`. Each module of `commands` is one of its commands, found by its name;
`aliases` holds earlier names of studies."""

from __future__ import annotations

import argparse
import os
import pkgutil
import sys
import warnings
from collections.abc import Sequence
from concurrent.futures import BrokenExecutor
from importlib import import_module

from seqkd_lab import __version__, interrupts, processes
from seqkd_lab.cli import aliases, commands
from seqkd_lab.cli.options import typed_path
from seqkd_lab.cli.terminal import quiet, visible_streams
from seqkd_lab.estimates import is_out_of_memory, reason
from seqkd_lab.finite import DivergenceError
from seqkd_lab.installation import fitting
from seqkd_lab.machine import memory_in_words

EPILOG = f"""examples:
  seqkd-lab tour                           Table 1 on the toy language, one seed, about 5 minutes
  seqkd-lab table                          Table 1 over ten seeds, with intervals
  seqkd-lab table --check                  judge its results; exit code 1 unless all claims hold
  seqkd-lab translate "the old teacher sold the sofa ." --model seq-kd --beam 5
  seqkd-lab prune --share 0.8 --out DIR    the Seq-KD student without its smallest 80% of weights
  seqkd-lab lab                            open the lessons in JupyterLab
  seqkd-lab doctor                         check the environment

studies, which measure and judge claims:
  seqkd-lab study list                     all studies, each with its question
  seqkd-lab study run token-importance     measure one; an interrupted run continues
  seqkd-lab study check token-importance   judge its results; exit code 1 unless all claims hold

your own text, two aligned files in any languages{fitting(" (see OWN_TEXT.md)", "")}:
  seqkd-lab corpus check all.en all.de     lengths, repetitions, misaligned pairs, advice
  seqkd-lab corpus split all.en all.de --out text
  seqkd-lab tour --text text               teacher, students, table and report
  seqkd-lab translate --model DIR --input FILE
  seqkd-lab score HYPOTHESES REFERENCE     BLEU and chrF; --against compares two systems
  seqkd-lab export DIR OUT --quantisation int8

aliases of studies:
{aliases.in_words()}
"""


def parser(command: str | None = None) -> argparse.ArgumentParser:
    """Return the parser of the whole command line, or of one `command` only, which spares the
    import of all others."""
    main_parser = argparse.ArgumentParser(
        prog="seqkd-lab",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="A lab for sequence-level knowledge distillation (Kim & Rush 2016).\n"
        "Everything runs on a CPU, without a network. Trained models are stored and reused; an\n"
        "interrupted run continues where it stopped.",
    )
    main_parser.add_argument("--version", action="version", version=f"seqkd-lab {__version__}")
    main_parser.add_argument(
        "--store",
        type=typed_path,
        default=None,
        metavar="DIR",
        help="folder of trained models (default: $SEQKD_LAB_STORE, or runs/ in the current folder)",
    )
    verbs = main_parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name in command_names() if command is None else [command]:
        if name in aliases.NAMES:
            aliases.add(verbs, name)
        else:
            import_module(f"{commands.__name__}.{name}").add(verbs)
    return main_parser


def command_names() -> list[str]:
    """Return the names of all commands, which are those of their modules, and of the aliases."""
    return [*(module.name for module in pkgutil.iter_modules(commands.__path__)), *aliases.NAMES]


def command_in(arguments: Sequence[str]) -> str | None:
    """Return the command that a command line names; None where there is no such command."""
    before_command = argparse.ArgumentParser(add_help=False, exit_on_error=False)
    before_command.add_argument("--store")
    before_command.add_argument("command", nargs="?")
    try:
        command = before_command.parse_known_args(arguments)[0].command
    except argparse.ArgumentError:
        return None
    return command if command in command_names() else None


def in_one_line(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    line: str | None = None,
) -> str:
    """Return a warning as printed: without file and line of the source, which users do not need."""
    return f"seqkd-lab: {message}\n"


@visible_streams()
def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code: 0, 1 for a finding or a check that fails, 2 for
    wrong input."""
    format_before, parsed = warnings.formatwarning, argparse.Namespace()
    warnings.formatwarning = in_one_line
    try:
        typed = sys.argv[1:] if arguments is None else arguments
        parsed = parser(command_in(typed)).parse_args(typed)
        check_processes(parsed)
        with interrupts.raised(), quiet(processes.rank_and_size()[0]):
            code = parsed.run(parsed)
        sys.stdout.flush()  # here, where a closed pipe can still be handled
        return code
    except KeyboardInterrupt:
        if processes.rank_and_size()[0] == 0:
            print(f"\n{interrupts.SAID}", file=sys.stderr)
        return interrupts.CODE
    except BrokenPipeError:  # the reader has closed the pipe, as `head` does
        _discard_output()
        return 0
    except (DivergenceError, ValueError, OSError, MemoryError, RuntimeError) as error:
        expected = is_out_of_memory(error) or isinstance(error, BrokenExecutor)
        if isinstance(error, RuntimeError) and not expected:
            raise
        print(f"{processes.own_name()}: {message_of(error, parsed)}", file=sys.stderr)
        if isinstance(error, OSError):
            _discard_output()  # a full disk would refuse it again
        return 2
    finally:
        warnings.formatwarning = format_before


def check_processes(parsed: argparse.Namespace) -> None:
    """Raise ValueError where `torchrun` has started several processes of a command that cannot
    share its work."""
    if processes.rank_and_size()[1] > 1 and not getattr(parsed, "shares_work", False):
        raise ValueError(
            f"`seqkd-lab {parsed.command}` works in one process; start it without torchrun (train "
            "and distil can be shared)"
        )


SMALLER = ("beam", "batch", "batch_size", "width", "pairs", "vocabulary", "workers")
"""Options that decide how much memory a command needs, as far as it has them."""


def message_of(error: BaseException, parsed: argparse.Namespace) -> str:
    """Return what to say of an error; where memory is short, also which options to make smaller."""
    if isinstance(error, BrokenExecutor):
        return (
            "a worker died, as one does that the system kills when memory runs out "
            f"({memory_in_words()}). What is finished is kept: free some memory, or take fewer "
            "--workers, and the same command continues from there"
        )
    if not is_out_of_memory(error):
        return str(error)
    options = [f"--{name.replace('_', '-')}" for name in SMALLER if name in parsed]
    advice = f"; make {' or '.join(options)} smaller" if options else ""
    return f"{reason(error)}{advice}, or let the container have more memory"


def _discard_output() -> None:
    """Let standard output end without another attempt to write what it still holds."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
