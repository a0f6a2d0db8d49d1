"""The teacher's translations of a corpus, in parts that are kept, by one process or by several."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence

from seqkd_lab.cli.learning import run_key
from seqkd_lab.cli.resolve import Place
from seqkd_lab.cli.terminal import Bar
from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.corpus.vocabulary import SPECIALS
from seqkd_lab.decoding.search import Hypothesis
from seqkd_lab.distillation.parts import PART, Parts, translate_parts
from seqkd_lab.distillation.sequence_level import translations
from seqkd_lab.models.folder import TrainedModel
from seqkd_lab.processes import Job

LEAST_UNKNOWN = 0.01
"""A larger share of unknown source tokens is pointed out."""


def translated_parts(
    arguments: Namespace, teacher: TrainedModel, corpus: ParallelCorpus, place: Place, job: Job
) -> Parts:
    """Return the teacher's translations of all sources, continuing from what an interrupted run
    kept."""
    how = (arguments.method, arguments.beam, arguments.length_penalty)
    model = teacher.model.place(*place)
    warn_of_unknown(teacher, corpus.source_counts)
    parts = Parts(
        arguments.out.with_name(f"{arguments.out.name}.unfinished"),
        run_key(model, corpus.fingerprint, PART, "by length", *how, arguments.seed, *place.key),
        corpus.source_lengths,
    )
    own = parts.n_sources(job.share(range(len(parts))))
    with Bar(total=own, desc="distil", unit=" sentences", disable=not job.is_first) as bar:

        def translate(
            number: int, places: Sequence[int], report: Callable[[int], None]
        ) -> list[Hypothesis]:
            seed = arguments.seed + number * PART * 1_000_003  # each part has draws of its own
            return translations(model, corpus[places], *how, seed, report)

        translate_parts(
            parts, translate, bar.update, lambda text: bar.write(text, file=sys.stderr), job
        )
    return parts


def warn_of_unknown(teacher: TrainedModel, counts: Mapping[str, int]) -> None:
    """Warn on stderr where the teacher does not know many of the source tokens, which occur so
    often."""
    known = set(teacher.model.source_vocabulary.tokens[len(SPECIALS) :])
    n_tokens = sum(counts.values())
    n_unknown = sum(n for token, n in counts.items() if token not in known)
    if n_unknown > LEAST_UNKNOWN * n_tokens:
        print(
            f"{n_unknown / n_tokens:.1%} of the source tokens are unknown to the teacher. Is this "
            "the kind of text that it was trained on?",
            file=sys.stderr,
        )
