"""An exported model translates: CTranslate2's search with the settings under which it writes what
our search writes.

Both keep the K best continuations of their prefixes. They differ in what they do with a finished
hypothesis: ours keeps a place of the beam until K others score better; CTranslate2's leaves the
beam, is never forgotten, and an unfinished one takes its place. What follows from that for the best
translation:

- Greedy search (K = 1): the same translation, always.
- Beam search without a length penalty: the best finished hypothesis that our beam ever held. A
  log-probability only falls as a hypothesis grows, so that nothing worse than the best finished one
  can still win, and what is better has the same competitors in both searches. That is what our
  search writes, too, with one exception: K unfinished hypotheses push it out of our beam, and all
  of them fall below it afterwards. Then CTranslate2's translation has the higher log-probability.
- Beam search with a length penalty: a score may rise as a hypothesis grows, so that it matters
  which prefixes share a beam and when the search stops: ours when all K places are finished,
  CTranslate2's when patience · K hypotheses have finished, good or bad. Either may find the better
  translation; no setting makes the two the same. The scores are the same function, log p / length^α
  with </s> in the length, as long as `return_end_token` is set.
- A search that reaches the longest length: ours ends each hypothesis with the probability of </s>,
  CTranslate2's cuts it off without. `ExportedModel.search` ends such hypotheses as ours does.
- An empty source: CTranslate2's translation is empty; our search reads </s> and translates it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from seqkd_lab.corpus.vocabulary import EOS, SPECIALS, UNK
from seqkd_lab.decoding.limits import LONGEST_SOURCE
from seqkd_lab.decoding.search import Hypothesis, check_beam
from seqkd_lab.export.ctranslate2_format import N_POSITIONS, ExportError, import_ctranslate2

SETTINGS = {
    "max_input_length": LONGEST_SOURCE + 1,  # </s> among them
    "min_decoding_length": 0,  # CTranslate2 forbids the empty translation by default
    "return_end_token": True,  # so that </s> counts in the length, as it does here
}
"""What makes the search of CTranslate2 ours, beside beam size and length penalty."""


COMPUTED_AS = {"float16": "float32"}
"""Few CPUs compute in 16 bits; CTranslate2 would compute in 32, too, after a warning."""


def longest_translation(n_source_tokens: int) -> int:
    """Return how many tokens, </s> not among them, a translation may have: our search's limit for
    such a source, as far as the table of positions reaches."""
    return min(2 * (n_source_tokens + 1) + 9, N_POSITIONS - 1)


def readable(source: Sequence[str]) -> list[str]:
    """Return the source tokens that are read; those spelt like a special token are unknown words
    here, and would be specials there."""
    return [SPECIALS[UNK] if token in SPECIALS else token for token in source[:LONGEST_SOURCE]]


@dataclass(frozen=True)
class ExportedModel:
    """A model that CTranslate2 has loaded; `translator` is its Translator."""

    translator: Any

    @classmethod
    def load(
        cls, directory: Path, quantisation: str = "float32", threads: int = 1
    ) -> ExportedModel:
        """Load the model from `directory`, stored in this quantisation, to compute on the CPU with
        so many threads.

        Raise ExportError without ctranslate2, and where the folder holds no whole model.
        """
        compute_type = COMPUTED_AS.get(quantisation, quantisation)
        options = {
            "device": "cpu",
            "compute_type": compute_type,
            "inter_threads": 1,
            "intra_threads": threads,
        }
        translator = import_ctranslate2().Translator
        try:
            return cls(translator(str(directory), **options))
        except (RuntimeError, ValueError) as error:
            raise ExportError(
                f"{directory}: no whole model for CTranslate2 ({error}); export it again"
            ) from error

    def search(
        self,
        sources: Sequence[Sequence[str]],
        beam_size: int = 1,
        length_penalty: float = 0.0,
        batch_size: int = 64,
        patience: float = 1.0,
    ) -> list[Hypothesis]:
        """Translate `sources`; return the best hypothesis of each, as `decoding.search.search`
        finds it.

        Sources of one length share a batch, since the longest length of a translation depends on
        it. patience: the search with a length penalty goes on until patience · K hypotheses have
        finished (Kasai et al. 2022, arXiv 2204.05424). Raise ValueError for a beam_size below 1.
        """
        check_beam(beam_size)
        read, results = (
            [readable(source) for source in sources],
            [Hypothesis((), 0.0, 0.0)] * len(sources),
        )
        order = sorted(range(len(read)), key=lambda row: len(read[row]))
        for length, group in groupby(order, key=lambda row: len(read[row])):
            options = {
                "beam_size": beam_size,
                "length_penalty": length_penalty,
                "patience": patience,
                **SETTINGS,
                "max_decoding_length": longest_translation(length),
                "return_scores": True,
            }
            rows = list(group)
            written = self.translator.translate_batch(
                [read[row] for row in rows], max_batch_size=batch_size, **options
            )
            for row, result in zip(rows, written, strict=True):
                if length and result.hypotheses[0][-1:] != [SPECIALS[EOS]]:
                    results[row] = self._ended(read[row], result.hypotheses, options)
                elif length:
                    results[row] = finished(result.hypotheses[0], result.scores[0], length_penalty)
        return results

    def _ended(
        self, source: list[str], cut: Sequence[list[str]], options: dict[str, Any]
    ) -> Hypothesis:
        """Search again for what `source` (S,) has at the longest length, and end each hypothesis
        with </s>.

        `cut`: what greedy search found, which has no others. All that can be best are among the 2 K
        hypotheses of the highest scores: at most K were cut off, and of those that ended only the
        first matters.
        """
        beam_size, length_penalty = options["beam_size"], options["length_penalty"]
        if beam_size > 1:
            more = {"num_hypotheses": 2 * beam_size, "patience": max(2.0, options["patience"])}
            cut = self.translator.translate_batch([source], **(options | more))[0].hypotheses
        words = [tuple(token for token in tokens if token != SPECIALS[EOS]) for tokens in cut]
        ended = [
            Hypothesis(tokens, log_prob, log_prob / (len(tokens) + 1) ** length_penalty)
            for tokens, log_prob in zip(
                words, self.log_probs([source] * len(words), words), strict=True
            )
        ]
        return max(ended, key=lambda hypothesis: hypothesis.score)

    def log_probs(
        self, sources: Sequence[Sequence[str]], targets: Sequence[Sequence[str]]
    ) -> list[float]:
        """Return log p(target, EOS | source) in nats for each pair."""
        read = [readable(source) for source in sources]
        scored = self.translator.score_batch(
            read, [list(target) for target in targets], max_input_length=0
        )
        return [sum(result.log_probs) for result in scored]


def finished(tokens: Sequence[str], score: float, length_penalty: float) -> Hypothesis:
    """Read a hypothesis of CTranslate2, whose last token is </s>."""
    return Hypothesis(tuple(tokens[:-1]), score * len(tokens) ** length_penalty, score)
