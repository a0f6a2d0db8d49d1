"""What Table 3 measures of a seed's models: quality, sizes, words that are kept; and the two models
that travel with the repository."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from seqkd_lab.compression.pruning import n_nonzero
from seqkd_lab.compression.quantisation import quantised
from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.corpus.toy import ToyLanguage
from seqkd_lab.corpus.toy.verifier import Verifier
from seqkd_lab.decoding.search import search
from seqkd_lab.evaluation import scorers
from seqkd_lab.files import write_json
from seqkd_lab.models.checkpoint import save_model
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.runs.committed import DATA, weights_hash
from seqkd_lab.runs.data import Dataset
from seqkd_lab.runs.measured import Percent, Row, Share, Size, by_name, list_of
from seqkd_lab.runs.recipes import SEQ_KD
from seqkd_lab.runs.store import Report, Store, identity
from seqkd_lab.studies.pruning.recipes import (
    INT8,
    PRUNED,
    RETRAINED,
    Place,
    PruningRun,
    is_also_quantised,
    unpruned,
)

EDGES = (100, 300, 1000, 3000)
"""Occurrences in the training set at which one class of words ends and the next, more frequent one
begins."""
FREQUENCIES = (
    f"below {EDGES[0]}",
    *(f"{low:,} to {high - 1:,}" for low, high in zip(EDGES, EDGES[1:], strict=False)),
    f"{EDGES[-1]:,} and more",
)
PARAMETERS = "parameters"
"""The row of the numbers of parameters."""
CHECKPOINTS = {"student": (0.0, PRUNED), "student-80": (0.8, RETRAINED)}
"""Share and stage of the distilled student of Table 3 that travels with the repository: as
distillation left it, and pruned by 80%."""


class Measured(Row):
    """What `Judge.row` reports of a model; None where the truth is not known."""

    n_nonzero: Size
    greedy: Percent
    beam: Percent
    valid: Share | None
    valid_beam: Share | None
    p_mode: Share


class MeasuredBeside(Measured):
    """Of a model that was pruned: also what it keeps of the words of before."""

    words_kept: list_of(Share | None, len(FREQUENCIES))  # type: ignore[valid-type]


def rows_of(run: PruningRun, seed: int) -> type:
    """Return the type of a seed's rows."""
    places = list(run.recipes(seed))
    places += [place._replace(stage=INT8) for place in places if is_also_quantised(place)]
    rows: dict[str, type] = {
        place.row: MeasuredBeside if place.model == SEQ_KD else Measured for place in places
    }
    unpruned_models = dict.fromkeys((place.model for place in places), Size)
    return by_name("Table3", rows | {PARAMETERS: by_name("Parameters", unpruned_models)})


def training_counts(corpus: ParallelCorpus) -> Counter[str]:
    """Count each target word of `corpus`."""
    return Counter(word for target in corpus.target for word in target)


def frequency_class(count: int) -> int:
    """Return the index in FREQUENCIES of a word that training showed `count` times."""
    return sum(count >= edge for edge in EDGES)


def kept_words(
    before: Sequence[Sequence[str]], after: Sequence[Sequence[str]], counts: Mapping[str, int]
) -> tuple[float, ...]:
    """Return, for each of FREQUENCIES, the share of the words in translations `before` that those
    `after` hold, too.

    Sentence by sentence, wherever a word stands in it, each as often as it stands there. NaN for a
    class without words. Raise ValueError for lists that are not of one length.
    """
    if len(before) != len(after):
        raise ValueError(
            f"got {len(before)} translations before and {len(after)} after; both must be of the "
            "same sentences"
        )
    n_before, n_kept = [0] * len(FREQUENCIES), [0] * len(FREQUENCIES)
    for old, new in zip(map(Counter, before), map(Counter, after), strict=True):
        for word, n in old.items():
            frequency = frequency_class(counts.get(word, 0))
            n_before[frequency] += n
            n_kept[frequency] += min(n, new[word])
    return tuple(k / n if n else math.nan for k, n in zip(n_kept, n_before, strict=True))


Tokens = Sequence[str]


@lru_cache(maxsize=2)
def verifier_of(language: ToyLanguage) -> Verifier:
    """Return the one verifier of a language in this process: it remembers the sources."""
    return Verifier(language)


@dataclass(frozen=True)
class Judge:
    """Judges models on the test set of `data`, with the table's search."""

    data: Dataset
    beam_size: int
    length_penalty: float

    @cached_property
    def counts(self) -> Counter[str]:
        """How often the training set has each target word."""
        return training_counts(self.data.train)

    def bleu(self, outputs: Sequence[Tokens]) -> float:
        """Return BLEU (0–100) of translations of the test set against all references."""
        bleu, *_ = scorers(self.data.test, self.data.detokenise, None)
        return bleu.corpus_score([self.data.detokenise(output) for output in outputs], None).score

    def valid(self, outputs: Sequence[Tokens]) -> float | None:
        """Return the share of valid translations; None where the truth is not known."""
        if self.data.language is None:
            return None
        is_valid = verifier_of(self.data.language)
        pairs = zip(self.data.test.source, outputs, strict=True)
        return sum(is_valid(source, output) for source, output in pairs) / len(outputs)

    def greedy(self, model: Seq2Seq) -> list[Tokens]:
        """Return the greedy translations of the test set."""
        return [best[0].tokens for best in search(model, self.data.test.source, 1)]

    def row(self, model: Seq2Seq, before: Sequence[Tokens] | None = None) -> dict[str, Any]:
        """Return what is reported of a model.

        greedy, beam: BLEU. valid, valid_beam: shares of valid translations. p_mode: p(ŷ), the mean
        probability of the beam's best. words_kept: by frequency class, what the greedy translations
        keep of those `before` pruning (None for a class without words); without `before` none.
        """
        greedy = self.greedy(model)
        best = [
            n_best[0]
            for n_best in search(
                model, self.data.test.source, self.beam_size, 1, self.length_penalty
            )
        ]
        by_beam = [hypothesis.tokens for hypothesis in best]
        row: dict[str, Any] = {
            "n_nonzero": n_nonzero(model),
            "greedy": self.bleu(greedy),
            "beam": self.bleu(by_beam),
            "valid": self.valid(greedy),
            "valid_beam": self.valid(by_beam),
            "p_mode": sum(math.exp(hypothesis.log_prob) for hypothesis in best) / len(best),
        }
        if before is not None:
            kept = kept_words(before, greedy, self.counts)
            row["words_kept"] = [None if math.isnan(share) else share for share in kept]
        return row


def measure_models(
    run: PruningRun, store: Store, seed: int, done: Mapping[str, Any], report: Report
) -> Iterator[tuple[str, dict]]:
    """Yield (row, what is reported of it) of every model of one seed that is not `done`; of the
    retrained, distilled student also in 8 bits. The last row has the numbers of parameters."""
    recipes, table = run.recipes(seed), run.preset.table
    judge = Judge(store.dataset(run.data), table.beam_size, table.length_penalty)
    before = judge.greedy(store.model(recipes[unpruned(SEQ_KD)]))
    for n_done, (place, recipe) in enumerate(recipes.items(), start=1):
        model = store.model(recipe)
        if place.row not in done:
            yield place.row, judge.row(model, before if place.model == SEQ_KD else None)
        rounded = place._replace(stage=INT8)
        if is_also_quantised(place) and rounded.row not in done:
            yield rounded.row, judge.row(quantised(model), before)
        report(n_done, len(recipes))
    if PARAMETERS not in done:
        yield PARAMETERS, sizes(run, store, seed)


def sizes(run: PruningRun, store: Store, seed: int) -> dict[str, int]:
    """Return the number of parameters of each model before pruning, by its name."""
    return {
        place.model: store.model(recipe).n_parameters()
        for place, recipe in run.recipes(seed).items()
        if place == unpruned(place.model)
    }


def write_checkpoints(run: PruningRun, store: Store, seed: int, directory: Path) -> Iterator[Path]:
    """Write one seed's CHECKPOINTS, 16 bits a weight, without zeros, with their recipe and hash;
    yield the folder of each."""
    for name, (share, stage) in CHECKPOINTS.items():
        folder, recipe = directory / name, run.recipes(seed)[Place(SEQ_KD, share, stage)]
        save_model(folder, store.model(recipe), half=True, sparse=share > 0.0)
        record = {"sha256": weights_hash(folder), "recipe": identity(recipe)}
        write_json(folder / "metrics.json", record)
        yield folder


def pruning_checkpoint(name: str) -> Path:
    """Return the folder of one of CHECKPOINTS in the repository."""
    return DATA / "checkpoints" / "pruning" / name
