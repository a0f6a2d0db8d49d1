"""`seqkd-lab translate`: translate a text line by line, or a sentence with its n-best translations
and their probabilities."""

from __future__ import annotations

import argparse
import math
import sys
from argparse import Namespace
from collections.abc import Iterator, Sequence
from functools import partial

from seqkd_lab import machine
from seqkd_lab.cli import options
from seqkd_lab.cli.drafting import DRAFT, WHEN_IT_PAYS, check_draft, search_with_draft
from seqkd_lab.cli.models import find_model, one_cutter
from seqkd_lab.cli.resolve import check_at_least_1, place_of, store_of
from seqkd_lab.cli.terminal import Bar
from seqkd_lab.cli.text_streams import STANDARD, Input, Output
from seqkd_lab.corpus.toy import ToyLanguage
from seqkd_lab.decoding.alignment import copy_unknown
from seqkd_lab.decoding.search import check_beam, search
from seqkd_lab.decoding.translator import WINDOW, Search, Translation, Translator
from seqkd_lab.models.folder import TrainedModel

COLUMNS = "line\trank\ttranslation\tlog_prob\tscore"
BEAM, BATCH = 5, 64
LONGEST_SENTENCE = 1_000
"""Characters of a sentence to translate: the longest one of the toy language has about 200, and the
time grows with the length."""

DESCRIPTION = f"""Translates a text line by line, or one sentence with its n-best translations.

With --input, each line of the file is translated to one line: blank lines stay blank, the order
is kept, and only LF (or CR LF) ends a line. Input and output are UTF-8, whatever the terminal's
encoding; compressed files are recognised by their content. Memory use does not grow with the file.
Control characters in a translation become U+FFFD in a file or a pipe, since no language writes
them; a terminal shows them as \\x1b, and marks of direction, too.
The output appears under its name when everything is done; until then it is in OUTPUT.part. Long
sources are read up to 1,000 tokens.

With a sentence, prints the n-best list with probabilities; for the toy language also the true
probability of each, and what is wrong with an invalid one.

{WHEN_IT_PAYS}"""
EPILOG = """examples:
  seqkd-lab translate --model student --input news.en --output news.de
  zcat news.en.gz | seqkd-lab translate --model student --input - | head
  seqkd-lab translate --model student --input news.en --n-best 5 --beam 5 --output news.tsv
  seqkd-lab translate "the old teacher sold the sofa ." --model seq-kd --beam 5
  seqkd-lab translate --model large --draft student --input news.en --output news.de
"""


def add(verbs: argparse._SubParsersAction) -> None:
    """Add the command and its options."""
    translate = verbs.add_parser(
        "translate",
        parents=[
            options.MODEL,
            options.search(None, f"{BEAM}; with --draft: 1, the only one"),
            DRAFT,
            options.DEVICE,
        ],
        help="translate a text line by line, or a sentence with its n-best list",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    translate.add_argument(
        "sentence",
        nargs="?",
        help='one sentence, for example "the old teacher sold the sofa ."; - means --input -',
    )
    translate.add_argument(
        "--n-best",
        type=int,
        metavar="N",
        help="print the N best translations of each line as TSV; at most the beam size, which is "
        "the default for a sentence",
    )
    translate.add_argument(
        "--copy-unknown",
        action="store_true",
        help="replace each <unk> by the source word with the highest attention",
    )
    _add_text_options(translate)
    translate.set_defaults(run=run)


def _add_text_options(translate: argparse.ArgumentParser) -> None:
    files = translate.add_argument_group("a text, line by line")
    files.add_argument(
        "--input",
        metavar="FILE",
        help="text to translate, one sentence per line (plain or .gz); - is standard input",
    )
    files.add_argument(
        "--output",
        metavar="FILE",
        help="file for the translations, compressed if it ends in .gz (default: -, standard "
        "output)",
    )
    files.add_argument(
        "--scores",
        action="store_true",
        help=f"write TSV with the columns {', '.join(COLUMNS.split())}; log_prob is a natural "
        "logarithm and includes the end of the sentence, score is what the beam compared",
    )
    files.add_argument(
        "--batch",
        type=int,
        metavar="B",
        help=f"number of sentences translated together (default: {BATCH}; with --draft: 1); "
        "fewer need less memory",
    )
    files.add_argument(
        "--progress",
        action="store_true",
        help="show progress on stderr even if it is not a terminal",
    )


def run(arguments: Namespace) -> int:
    """Run `seqkd-lab translate`; return the exit code."""
    if arguments.sentence == STANDARD and arguments.input is None:
        arguments.sentence, arguments.input = None, STANDARD
    if arguments.sentence is None and arguments.input is None:
        raise ValueError(
            "nothing to translate: give a sentence in quotation marks, or --input FILE (- is "
            "standard input)"
        )
    if arguments.sentence is not None and arguments.input is not None:
        raise ValueError(
            "give either a sentence or --input, not both; put a sentence of several words in "
            "quotation marks"
        )
    check_options(arguments)
    machine.use_threads(1)
    return (
        translate_text(arguments) if arguments.sentence is None else translate_sentence(arguments)
    )


def check_options(arguments: Namespace) -> None:
    """Raise ValueError for numbers out of range, and for options of a text beside a sentence."""
    check_draft(arguments)
    beam_size = beam_size_of(arguments)
    check_beam(beam_size, 1, arguments.length_penalty)
    if arguments.n_best is not None and not 1 <= arguments.n_best <= beam_size:
        raise ValueError(
            f"--n-best must lie between 1 and the beam size {beam_size}; got {arguments.n_best}"
        )
    check_at_least_1("--batch", arguments.batch, " sentence")
    of_a_text = {
        "--output": arguments.output,
        "--scores": arguments.scores,
        "--batch": arguments.batch,
        "--progress": arguments.progress,
    }
    unused = [name for name, value in of_a_text.items() if value]
    if arguments.sentence is not None and unused:
        raise ValueError(f"{unused[0]} needs --input; a sentence is printed with its probabilities")


def beam_size_of(arguments: Namespace) -> int:
    """Return --beam or its default: a search with a draft is greedy."""
    if arguments.beam is not None:
        return arguments.beam
    return BEAM if arguments.draft is None else 1


def loaded(arguments: Namespace, n_best: int) -> tuple[TrainedModel, Search]:
    """Return the model of --model, placed where it computes, and how it searches."""
    names = [name for name in (arguments.model, arguments.draft) if name is not None]
    place = place_of(arguments, one_cutter(names) is not None)
    trained = find_model(arguments.model, store_of(arguments))
    model = trained.model.place(*place)
    if arguments.draft is not None:
        return trained, search_with_draft(arguments, model, place, arguments.batch or 1)
    return trained, partial(
        search,
        beam_size=beam_size_of(arguments),
        n_best=n_best,
        length_penalty=arguments.length_penalty,
        batch_size=arguments.batch or BATCH,
    )


def translate_text(arguments: Namespace) -> int:
    """Translate --input line by line; return the exit code, 130 after an interruption."""
    source = Input(arguments.input)
    try:
        with Output(arguments.output or STANDARD, source) as output:
            trained, search_of_lines = loaded(arguments, arguments.n_best or 1)
            translator = Translator(trained, search_of_lines, arguments.copy_unknown)
            write_translations(arguments, source, output, translator)
    except KeyboardInterrupt:  # unlike other commands, the same command does not continue
        print("\nInterrupted.", file=sys.stderr)
        return 130
    for sentence in translator.notices.said():
        print(f"seqkd-lab: {sentence}", file=sys.stderr)
    return 0


def write_translations(
    arguments: Namespace, source: Input, output: Output, translator: Translator
) -> None:
    """Write the lines, or with --n-best or --scores the TSV, a window at a time."""
    as_tsv, number = arguments.scores or arguments.n_best is not None, 0
    if as_tsv:
        output.write([COLUMNS])
    hidden = False if arguments.progress else None  # None: hidden where stderr is no terminal
    window = 1 if source.is_terminal else WINDOW
    with Bar(
        total=source.n_lines, desc="translate", unit=" lines", disable=hidden, dynamic_ncols=True
    ) as bar:
        for translations in translator.windows(source, window, bar.update):
            if as_tsv:
                output.write(
                    [
                        row
                        for n, n_best in enumerate(translations, number + 1)
                        for row in rows(n, n_best)
                    ]
                )
            else:
                output.write([n_best[0].text if n_best else "" for n_best in translations])
            number += len(translations)


def rows(number: int, n_best: Sequence[Translation]) -> Iterator[str]:
    """Yield the TSV rows of line `number`, counted from 1; a blank line has one, without
    numbers."""
    if not n_best:
        yield f"{number}\t1\t\t\t"
    for rank, translation in enumerate(n_best, start=1):
        numbers = f"{translation.log_prob:.4f}\t{translation.score:.4f}"
        yield f"{number}\t{rank}\t{translation.text}\t{numbers}"


def translate_sentence(arguments: Namespace) -> int:
    """Show the n-best translations of one sentence with their probabilities."""
    if len(arguments.sentence) > LONGEST_SENTENCE:
        raise ValueError(
            f"the sentence is too long: {len(arguments.sentence):,} characters, at most "
            f"{LONGEST_SENTENCE:,}; put it in a file and use --input"
        )
    trained, searched = loaded(arguments, arguments.n_best or beam_size_of(arguments))
    model, source = trained.model, trained.encode(arguments.sentence)
    if not source:
        raise ValueError("the sentence is empty; give some words in quotation marks")
    unknown = [word for word in source if word not in model.source_vocabulary.tokens]
    if unknown:
        print(
            f"The model does not know {', '.join(map(repr, unknown[:10]))}; it reads <unk> "
            "instead.",
            file=sys.stderr,
        )
    n_best = searched(model, [source], progress=lambda more: None)[0]
    targets = [hypothesis.tokens for hypothesis in n_best]
    copied = (
        copy_unknown(model, [source] * len(targets), targets) if arguments.copy_unknown else targets
    )
    for rank, hypothesis in enumerate(n_best, start=1):
        text = trained.decode(copied[rank - 1]) or "(empty: it ends before its first word)"
        truth = (
            truth_in_words(ToyLanguage(), source, hypothesis.tokens)
            if trained.subwords is None
            else ""
        )
        print(
            f"{rank:3}.  {text}\n      model {math.exp(hypothesis.log_prob):8.3%}   "
            f"{truth}".rstrip()
        )
    return 0


def truth_in_words(language: ToyLanguage, source: Sequence[str], target: Sequence[str]) -> str:
    """Return the true probability of a translation, or the reason why it has none."""
    try:
        violation = language.explain(source, target)
    except ValueError as error:
        return f"truth: not a sentence of the toy language ({error})"
    if violation is None:
        return f"truth {math.exp(language.log_prob(source, target)):8.3%}   valid"
    return f"truth        0   NOT VALID: {violation}"
