"""Speculative sampling beside Hugging Face transformers' assisted generation, on the very same
weights.

python -m benchmarks.assisted TARGET_FOLDER DRAFT_FOLDER [--sentences 40] [--draft-length 4]
[--repetitions 3]

Both folders hold Transformers of the toy corpus, as save_model writes them. What is measured runs
in the environment of the peer (python -m benchmarks.peers.setup transformers); what is equal and
what is not, peers/README.md says.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from statistics import median
from typing import Any

import pandas

from benchmarks import corpus as toy
from benchmarks.peers.pegasus import load_both
from benchmarks.peers.setup import python_of, why_not
from benchmarks.results import machine, ratios, write
from benchmarks.runner import ROOT, environment_variables, run
from seqkd_lab.corpus.vocabulary import UNK
from seqkd_lab.models.seq2seq import Seq2Seq

ENVIRONMENT = "transformers"
DEFAULT = ROOT / "data" / "results" / "assisted.json"
THREADS = (1, 2)
SECONDS = 3600.0
Round = dict[str, Any]
KINDS = ("threads", "decoding", "library")
"""What tells the lines of the table apart."""


def check(asked: dict[str, int], model: Seq2Seq) -> None:
    """Raises ValueError for numbers, by their options' names, that cannot be, and for a model of
    another corpus."""
    for name, number in asked.items():
        if number < 1:
            raise ValueError(f"--{name} must be at least 1; got {number}")
    test, n_sentences = toy.load().test, asked["sentences"]
    if n_sentences > len(test):
        raise ValueError(
            f"--sentences: the toy corpus has {len(test)} test sentences; got {n_sentences}"
        )
    ids = [
        number for source, _ in test[:n_sentences] for number in model.source_vocabulary.ids(source)
    ]
    n_known = len(ids) - ids.count(UNK)
    if n_known < len(ids) / 2:
        raise ValueError(
            f"the models know {n_known} of the {len(ids)} words that they are to translate: name "
            "models of the toy corpus"
        )


def measure(folders: Sequence[Path], numbers: Sequence[int], threads: int) -> dict[str, Any]:
    """All rounds with so many threads, in a process of their own; numbers: sentences, draft length,
    repetitions.

    Raises RuntimeError with the reason in one line when it does not get to its end, as when the
    converted models are not the same.
    """
    command = [
        str(python_of(ENVIRONMENT)),
        "-m",
        "benchmarks.peers.assisted_peer",
        *(str(folder.resolve()) for folder in folders),
        *map(str, numbers),
        str(threads),
    ]
    pools = {
        name: str(threads)
        for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    }
    found = run(command, environment_variables(**pools), SECONDS)
    if "refused" in found:
        raise RuntimeError(found["refused"])
    for one in found["rounds"]:
        one["threads"] = threads
    return found


def per_token(rounds: Iterable[Round], seconds: str) -> list[float]:
    """Milliseconds a generated token of each round; seconds is "wall_s" or "cpu_s"."""
    return [1e3 * one[seconds] / one["tokens"] for one in rounds]


def medians(rounds: Sequence[Round]) -> list[dict[str, Any]]:
    """A line for each number of threads, decoding and library: medians over its rounds, ratios made
    round by round."""
    lines = []
    for kind in dict.fromkeys(tuple(one[name] for name in KINDS) for one in rounds):
        of_kind = [one for one in rounds if tuple(one[name] for name in KINDS) == kind]
        alone, drafted = (
            [one for one in of_kind if one["drafted"] is with_draft] for with_draft in (False, True)
        )
        line = dict(zip(KINDS, kind, strict=True))
        for seconds in ("wall", "cpu"):
            a, b = per_token(alone, f"{seconds}_s"), per_token(drafted, f"{seconds}_s")
            line |= {
                f"{seconds}_ms_a_token": median(a),
                f"{seconds}_ms_a_token_drafted": median(b),
                f"{seconds}_times_faster": ratios(a, b).median,
            }
        for name, number in (
            ("target_calls", "tokens_a_target_call"),
            ("draft_calls", "tokens_a_draft_call"),
        ):
            line[number] = median(one["tokens"] / one[name] for one in drafted)
        lines.append(line)
    return lines


def describe(
    folders: Sequence[Path], numbers: Sequence[int], threads: Sequence[int]
) -> dict[str, Any]:
    """What stands above the measurements. Raises ValueError for what cannot be measured."""
    models = dict(zip(("target", "draft"), load_both(*folders), strict=True))
    n_sentences, draft_length, repetitions = numbers
    asked = {"sentences": n_sentences, "draft-length": draft_length, "repetitions": repetitions}
    check(asked | {"threads": min(threads)}, models["target"])
    sizes = {
        name: {"spec": asdict(model.spec), "n_parameters": model.n_parameters()}
        for name, model in models.items()
    }
    here = {name: value for name, value in machine().items() if name != "threads"}
    return {
        "date": date.today().isoformat(),
        "machine": here,
        **sizes,
        "sentences": n_sentences,
        "draft_length": draft_length,
        "repetitions": repetitions,
    }


def table(results: dict[str, Any]) -> str:
    """The medians, and how many greedy translations agree."""
    names = {
        "wall_ms_a_token": "ms/token",
        "wall_ms_a_token_drafted": "drafted",
        "wall_times_faster": "times faster",
        "cpu_ms_a_token": "CPU ms/token",
        "cpu_ms_a_token_drafted": "CPU drafted",
        "cpu_times_faster": "CPU times",
        "tokens_a_target_call": "tokens/call",
    }
    frame = (
        pandas.DataFrame(results["medians"])
        .set_index(list(KINDS))[list(names)]
        .rename(columns=names)
    )
    same = pandas.DataFrame(results["same_greedy_translations"]).add_suffix(" thread(s)")
    title = f"Greedy translations that are the same, token by token, of {results['sentences']}:"
    return "\n".join([frame.to_string(float_format="{:.2f}".format), "", title, same.to_string()])


def parser() -> argparse.ArgumentParser:
    """The options, as --help explains them."""
    made = argparse.ArgumentParser(
        prog="python -m benchmarks.assisted", description=__doc__.splitlines()[0]
    )
    made.add_argument(
        "target", type=Path, metavar="TARGET_FOLDER", help="a Transformer that save_model wrote"
    )
    made.add_argument(
        "draft", type=Path, metavar="DRAFT_FOLDER", help="a smaller one of the same vocabularies"
    )
    made.add_argument(
        "--sentences", type=int, default=40, help="of the toy test corpus, one by one (default: 40)"
    )
    made.add_argument(
        "--draft-length",
        type=int,
        default=4,
        help="words that the draft proposes a round (default: 4)",
    )
    made.add_argument(
        "--repetitions", type=int, default=3, help="after one that does not count (default: 3)"
    )
    made.add_argument(
        "--threads",
        type=int,
        nargs="+",
        default=THREADS,
        metavar="N",
        help="measured with each of these numbers; more than one only on free cores (default: 1 2)",
    )
    made.add_argument(
        "--results",
        type=Path,
        default=DEFAULT,
        metavar="FILE",
        help="default: data/results/assisted.json",
    )
    return made


def measure_all(
    folders: Sequence[Path], numbers: Sequence[int], threads: Sequence[int]
) -> dict[str, Any]:
    """The measurements of each number of threads, and why there are none where there are none
    ("refused")."""
    found, refused = {}, {}
    for n in threads:
        try:
            found[str(n)] = measure(folders, numbers, n)
        except RuntimeError as error:
            refused[str(n)] = str(error)
    results = {
        name: {n: one[name] for n, one in found.items()}
        for name in ("versions", "largest_logit_difference", "same_greedy_translations")
    }
    rounds = [one for measured in found.values() for one in measured["rounds"]]
    return {**results, "medians": medians(rounds), "rounds": rounds, "refused": refused}


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0 when all was measured, 1 when not all can be, 2 for what cannot be asked."""
    given = parser().parse_args(arguments)
    folders, numbers = (
        (given.target, given.draft),
        (given.sentences, given.draft_length, given.repetitions),
    )
    try:
        about = describe(folders, numbers, given.threads)
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    reason = why_not(ENVIRONMENT)
    if reason is not None:
        print(f"error: {reason}", file=sys.stderr)
        return 1
    results = {**about, **measure_all(folders, numbers, given.threads)}
    if results["rounds"]:
        write(given.results, results)
        print(table(results))
    for threads, reason in results["refused"].items():
        print(f"error: {threads} thread(s) not measured: {reason}", file=sys.stderr)
    return 1 if results["refused"] else 0


if __name__ == "__main__":
    sys.exit(main())
