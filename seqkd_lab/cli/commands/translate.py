"""`seqkd-lab translate`: a sentence, its n-best translations and their probabilities."""

from __future__ import annotations

import argparse
import math
import sys
from argparse import Namespace
from collections.abc import Sequence

from seqkd_lab import machine
from seqkd_lab.cli.given import store_of
from seqkd_lab.cli.models import find_model
from seqkd_lab.corpus.toy import ToyLanguage
from seqkd_lab.corpus.toy import dataset as toy
from seqkd_lab.corpus.toy.text import tokenise
from seqkd_lab.decoding.search import search


def add(verbs: argparse._SubParsersAction) -> None:
    """Add the command and its options."""
    translate = verbs.add_parser(
        "translate", help="translates a sentence and shows the n-best with probabilities",
        description="Shows the model's n-best translations with their probabilities; on the toy language also the "
        "true probability of each, and what is wrong with an invalid one.",
    )
    translate.add_argument("sentence", help='for example "the old teacher sold the sofa because it was broken ."')
    translate.add_argument("--model", default="seq-kd", metavar="MODEL", help="a row of the table or a model's folder")
    translate.add_argument("--beam", type=int, default=5, help="beam size K; 1 is greedy (default: 5)")
    translate.add_argument("--length-penalty", type=float, default=0.0)
    translate.set_defaults(run=run)


LONGEST_SENTENCE = 1_000
"""Characters of a sentence to translate: the longest one of the toy has about 200, and the time grows with them."""


def run(given: Namespace) -> int:
    """`seqkd-lab translate`"""
    if len(given.sentence) > LONGEST_SENTENCE:
        raise ValueError(f"the sentence is too long: {len(given.sentence):,} characters, at most {LONGEST_SENTENCE:,}")
    machine.use_threads(1)
    trained = find_model(given.model, store_of(given))
    model, subwords = trained.model, trained.subwords
    source = tokenise(given.sentence) if subwords is None else subwords.encode(given.sentence)
    if not source:
        raise ValueError("the sentence is empty; give some words between quotation marks")
    unknown = [word for word in source if word not in model.source_vocabulary.tokens]
    if unknown:
        print(f"The model does not know {', '.join(map(repr, unknown[:10]))}; it reads <unk> there.", file=sys.stderr)
    for rank, found in enumerate(search(model, [source], given.beam, given.beam, given.length_penalty)[0], start=1):
        text = toy.detokenise(found.tokens) if subwords is None else subwords.decode(found.tokens)
        truth = truth_in_words(ToyLanguage(), source, found.tokens) if subwords is None else ""
        print(f"{rank:3}.  {text}\n      model {math.exp(found.log_prob):8.3%}   {truth}")
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
