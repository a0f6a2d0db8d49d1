"""Sentences of lesson 05 that are computed from what the run measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from seqkd_lab.corpus.toy import ToyLanguage
from seqkd_lab.corpus.toy.dataset import detokenise
from seqkd_lab.lab.beam_search.figures import BEAM, GREEDY, YOU, Path
from seqkd_lab.lab.figures.beam import Loss
from seqkd_lab.lab.figures.digits import deciding_digits, shown_log_prob

SAME = 1e-4
"""Nats: log-probabilities of one translation differ by less when they were found in batches of other shapes."""
END = "</s>"


def end_of_game(paths: Mapping[str, Path], beam_size: int, source: Sequence[str], language: ToyLanguage) -> list[str]:
    """Says who found the more probable translation, and which of the three the language accepts; plain text."""
    digits = deciding_digits([path.log_prob for path in paths.values()])
    numbers = {name: shown_log_prob(path.log_prob, digits) for name, path in paths.items()}
    names = {YOU: "Your translation", GREEDY: "greedy search's", BEAM: f"that of the beam of {beam_size}"}
    sentences = [f"{names[YOU]} has log p {numbers[YOU]}, {names[GREEDY]} {numbers[GREEDY]}, {names[BEAM]} "
                 f"{numbers[BEAM]}."]
    for name, rival in ((GREEDY, "greedy search"), (BEAM, f"the beam of {beam_size}")):
        sentences.append(_compared(paths[YOU], paths[name], rival))
    fault = language.explain(tuple(source), paths[YOU].words[:-1])
    sentences.append("The language accepts your translation." if fault is None else
                     f"The language does not accept your translation: {fault}.")
    for name in (GREEDY, BEAM):
        if paths[name].words != paths[YOU].words:
            valid = language.is_valid(tuple(source), paths[name].words[:-1])
            sentences.append(f"It {'accepts' if valid else 'does not accept'} {names[name]}: "
                             f"“{detokenise(paths[name].words[:-1])}”")
    return sentences


def _compared(own: Path, other: Path, rival: str) -> str:
    if own.words == other.words:
        return f"You and {rival} wrote the same translation."
    if own.log_prob > other.log_prob + SAME:
        return f"You found a more probable translation than {rival}."
    return f"The model finds the translation of {rival} more probable than yours."


def thrown_away(what: str, loss: Loss | None, beam_size: int) -> str:
    """Says where a beam of `beam_size` lost the translation called `what`, and by how much; plain text."""
    if loss is None:
        return f"A beam of {beam_size} keeps {what} to the end."
    digits = deciding_digits([loss.log_prob, loss.last_kept])
    words = " ".join(loss.words).replace(END, "(end)")
    return (f"A beam of {beam_size} throws {what} away at step {loss.step}: the beginning “{words}” has rank "
            f"{loss.rank} with log p {shown_log_prob(loss.log_prob, digits)}, and the last one that is kept has "
            f"{shown_log_prob(loss.last_kept, digits)}.")
