"""`seqkd-lab translate`: a text line for line, or a sentence with its n-best translations and their
probabilities."""

from __future__ import annotations

import argparse
import math
import sys
from argparse import Namespace
from collections.abc import Iterator, Sequence

from tqdm import tqdm

from seqkd_lab import machine
from seqkd_lab.cli.given import store_of
from seqkd_lab.cli.models import find_model
from seqkd_lab.cli.text_streams import STANDARD, Input, Output
from seqkd_lab.corpus.toy import ToyLanguage
from seqkd_lab.decoding.alignment import copy_unknown
from seqkd_lab.decoding.search import check_beam, search
from seqkd_lab.decoding.translator import WINDOW, Translation, Translator

COLUMNS = "line\trank\ttranslation\tlog_prob\tscore"
LONGEST_SENTENCE = 1_000
"""Characters of a sentence to translate: the longest one of the toy has about 200, and the time
grows with them."""

DESCRIPTION = """Translates a text line for line, or one sentence with its n-best translations.

With --input, each line of the file is translated to one line: blank lines stay blank, the order is kept, and only LF
(or CR LF) ends a line. Text in and out is UTF-8, whatever the terminal is set to; .gz files are read by their content.
Memory does not grow with the file. The output appears under its name when all is done; until then it is in
OUTPUT.part. Long sources are read up to 1,000 tokens.

With a sentence, shows the n-best with their probabilities; on the toy language also the true probability of each, and
what is wrong with an invalid one."""  # noqa: E501
EPILOG = """examples:
  seqkd-lab translate --model student --input news.en --output news.de
  zcat news.en.gz | seqkd-lab translate --model student --input - | head
  seqkd-lab translate --model student --input news.en --n-best 5 --beam 5 --output news.tsv
  seqkd-lab translate "the old teacher sold the sofa because it was broken ." --model seq-kd --beam 5
"""  # noqa: E501


def add(verbs: argparse._SubParsersAction) -> None:
    """Add the command and its options."""
    translate = verbs.add_parser(
        "translate",
        help="translates a text line for line, or a sentence with its n-best",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    translate.add_argument(
        "sentence",
        nargs="?",
        help='one sentence, for example "the old teacher sold the sofa ."; '
        "- is the same as --input -",
    )
    translate.add_argument(
        "--model",
        default="seq-kd",
        metavar="MODEL",
        help="a model's folder, or a row of the table (default: seq-kd, of the toy language)",
    )
    translate.add_argument(
        "--beam",
        type=int,
        default=5,
        metavar="K",
        help="beam size, the number of hypotheses that are kept; 1 is greedy (default: 5)",
    )
    translate.add_argument(
        "--length-penalty",
        type=float,
        default=0.0,
        metavar="A",
        help="divides a log-probability by length**A before hypotheses are compared: 0 compares "
        "probabilities, 1 their mean per token, which allows longer translations (default: 0)",
    )
    translate.add_argument(
        "--n-best",
        type=int,
        metavar="N",
        help="the N best of each line, at most K, as TSV (a sentence: K by default)",
    )
    translate.add_argument(
        "--copy-unknown",
        action="store_true",
        help="replace each <unk> by the source word that the model attends to most",
    )
    files = translate.add_argument_group("a text, line for line")
    files.add_argument(
        "--input",
        metavar="FILE",
        help="the text, one sentence a line, plain or .gz; - is standard input",
    )
    files.add_argument(
        "--output",
        metavar="FILE",
        help="where the translations go, compressed if it ends in .gz "
        "(default: -, standard output)",
    )
    files.add_argument(
        "--scores",
        action="store_true",
        help="write TSV with the columns "
        f"{', '.join(COLUMNS.split())}; log_prob is natural and counts the end of the sentence, "
        "score "
        "is what the beam compared",
    )
    files.add_argument(
        "--batch",
        type=int,
        metavar="B",
        help="sentences that are translated together (default: 64); fewer take less memory",
    )
    files.add_argument(
        "--progress",
        action="store_true",
        help="show progress on stderr even where it is no terminal",
    )
    translate.set_defaults(run=run)


def run(given: Namespace) -> int:
    """`seqkd-lab translate`"""
    if given.sentence == STANDARD and given.input is None:
        given.sentence, given.input = None, STANDARD
    if given.sentence is None and given.input is None:
        raise ValueError(
            "nothing to translate; give a sentence between quotation marks, or --input FILE (- is "
            "standard input)"
        )
    if given.sentence is not None and given.input is not None:
        raise ValueError(
            "give either a sentence or --input, not both; put a sentence of several words between "
            "quotation marks"
        )
    check_options(given)
    machine.use_threads(1)
    return translate_text(given) if given.sentence is None else translate_sentence(given)


def check_options(given: Namespace) -> None:
    """Raise ValueError for numbers that make no search, and for options of a text that come with a
    sentence."""
    check_beam(given.beam, 1, given.length_penalty)
    if given.n_best is not None and not 1 <= given.n_best <= given.beam:
        raise ValueError(
            f"--n-best must lie between 1 and the beam size {given.beam}; got {given.n_best}"
        )
    if given.batch is not None and given.batch < 1:
        raise ValueError(f"--batch must be at least 1 sentence; got {given.batch}")
    of_a_text = {
        "--output": given.output,
        "--scores": given.scores,
        "--batch": given.batch,
        "--progress": given.progress,
    }
    unused = [name for name, value in of_a_text.items() if value]
    if given.sentence is not None and unused:
        raise ValueError(
            f"{unused[0]} belongs to --input; a sentence is shown with its probabilities"
        )


def translate_text(given: Namespace) -> int:
    """Translate --input line for line; return the exit code, 130 after an interruption."""
    source = Input(given.input)
    try:
        with Output(given.output or STANDARD, source) as output:
            translator = Translator(
                find_model(given.model, store_of(given)),
                given.beam,
                given.n_best or 1,
                given.length_penalty,
                given.batch or 64,
                given.copy_unknown,
            )
            write_translations(given, source, output, translator)
    except KeyboardInterrupt:  # unlike other commands, the same command does not continue
        print("\nInterrupted.", file=sys.stderr)
        return 130
    for sentence in translator.notices.said():
        print(f"seqkd-lab: {sentence}", file=sys.stderr)
    return 0


def write_translations(
    given: Namespace, source: Input, output: Output, translator: Translator
) -> None:
    """Write the lines, or the TSV that --n-best and --scores ask for, a window at a time."""
    as_tsv, number = given.scores or given.n_best is not None, 0
    if as_tsv:
        output.write([COLUMNS])
    hidden = False if given.progress else None  # None: hidden where stderr is no terminal
    window = 1 if source.is_terminal else WINDOW
    with tqdm(
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
        yield f"{number}\t{rank}\t{translation.text}\t{translation.log_prob:.4f}\t{translation.score:.4f}"  # noqa: E501


def translate_sentence(given: Namespace) -> int:
    """Show the n-best translations of one sentence with their probabilities."""
    if len(given.sentence) > LONGEST_SENTENCE:
        raise ValueError(
            f"the sentence is too long: {len(given.sentence):,} characters, at most "
            f"{LONGEST_SENTENCE:,}; write it into a file for --input"
        )
    trained = find_model(given.model, store_of(given))
    model, source = trained.model, trained.encode(given.sentence)
    if not source:
        raise ValueError("the sentence is empty; give some words between quotation marks")
    unknown = [word for word in source if word not in model.source_vocabulary.tokens]
    if unknown:
        print(
            f"The model does not know {', '.join(map(repr, unknown[:10]))}; it reads <unk> there.",
            file=sys.stderr,
        )
    n_best = search(model, [source], given.beam, given.n_best or given.beam, given.length_penalty)[
        0
    ]
    written = [hypothesis.tokens for hypothesis in n_best]
    copied = (
        copy_unknown(model, [source] * len(written), written) if given.copy_unknown else written
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
    """The true probability of a translation, or why it has none."""
    try:
        violation = language.explain(source, target)
    except ValueError as error:
        return f"truth: not a sentence of the toy language ({error})"
    if violation is None:
        return f"truth {math.exp(language.log_prob(source, target)):8.3%}   valid"
    return f"truth        0   NOT VALID: {violation}"
