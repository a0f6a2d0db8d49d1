"""A toy language whose truth is known: English to German, with named sources of ambiguity."""

from seqkd_lab.corpus.toy.choices import Ambiguity
from seqkd_lab.corpus.toy.explanation import Violation
from seqkd_lab.corpus.toy.language import ToyLanguage
from seqkd_lab.corpus.toy.parsing import ToyParseError

__all__ = ["Ambiguity", "ToyLanguage", "ToyParseError", "Violation"]
