"""The options for a draft, a small model that proposes words to a large one, and the search that
they ask for."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from functools import partial

from seqkd_lab.cli.models import find_model
from seqkd_lab.cli.options import MODEL_NAME, value_of
from seqkd_lab.cli.resolve import Place, check_at_least_1, store_of
from seqkd_lab.decoding.drafted import drafted_search
from seqkd_lab.decoding.translator import Search
from seqkd_lab.models.seq2seq import Seq2Seq, check_same_vocabularies

DRAFT_LENGTH = 4
MOST_DRAFT_LENGTH = 100
"""More words than most sentences have."""

WHEN_IT_PAYS = """\
With --draft, a smaller model with the same vocabularies, such as the student that --model has
taught, proposes the next words, and --model checks all of them in one call: speculative decoding
(Leviathan et al. 2023, Chen et al. 2023), here for greedy search. The translations are those of
--beam 1, but for ties that rounding decides. Drafting pays where --model is a Transformer of many
layers, the draft is much smaller and often agrees with it, and sentences come one by one.
Measured on a CPU, one by one, with --draft-length 4 and a small LSTM as the draft, where a call
wrote 3.2 to 3.3 tokens: 1.5 to 2.1 times faster with 8 layers, 1.9 to 2.0 times with 24, but 0.75
times (slower) with 2, and with 2 in batches of 16 0.48 times. These figures, and the command that
measures them, stand in the lab's benchmarks/README.md, section Drafting. An LSTM as --model reads
the proposed words one after the other: the toy language's teacher is slower with a draft."""


def _options() -> ArgumentParser:
    parser = ArgumentParser(add_help=False)
    group = parser.add_argument_group("greedy search with a draft")
    group.add_argument(
        "--draft",
        metavar="MODEL",
        help=f"smaller model that proposes words, which --model checks ({MODEL_NAME})",
    )
    group.add_argument(
        "--draft-length",
        type=int,
        metavar="K",
        help=f"number of words that the draft proposes at a time (default: {DRAFT_LENGTH})",
    )
    return parser


DRAFT = _options()
"""--draft and --draft-length."""


def check_draft(arguments: Namespace) -> None:
    """Raise ValueError for a length without a draft or out of range, and for options that a greedy
    search with a draft cannot serve."""
    if arguments.draft is None:
        if arguments.draft_length is not None:
            raise ValueError(
                f"--draft-length {arguments.draft_length} needs --draft, the model that proposes "
                "the words"
            )
        return
    check_at_least_1("--draft-length", arguments.draft_length, " word")
    if (arguments.draft_length or DRAFT_LENGTH) > MOST_DRAFT_LENGTH:
        raise ValueError(
            f"--draft-length must be at most {MOST_DRAFT_LENGTH} words; got "
            f"{arguments.draft_length}"
        )
    for option, served in (("beam", (None, 1)), ("n-best", (None, 1)), ("length-penalty", (0.0,))):
        if value_of(arguments, option) not in served:
            raise ValueError(
                f"--{option} {value_of(arguments, option)} cannot be combined with --draft, which "
                f"searches greedily; omit one of them"
            )


def search_with_draft(
    arguments: Namespace, model: Seq2Seq, place: Place, batch_size: int
) -> Search:
    """Return greedy search with --draft, which is put where `model` computes. Raise ValueError,
    naming both models, where their vocabularies differ."""
    draft = find_model(arguments.draft, store_of(arguments)).model.place(*place)
    check_same_vocabularies(
        model, arguments.model, draft, arguments.draft, "a draft proposes words by their number"
    )
    if draft.n_parameters() >= model.n_parameters():
        print(
            f"seqkd-lab: the draft {arguments.draft} is not smaller than the model "
            f"{arguments.model} ({draft.n_parameters():,} and {model.n_parameters():,} "
            "parameters); drafting gains time only with a much smaller one.",
            file=sys.stderr,
        )
    length = arguments.draft_length or DRAFT_LENGTH
    return partial(drafted_search, draft=draft, draft_length=length, batch_size=batch_size)
