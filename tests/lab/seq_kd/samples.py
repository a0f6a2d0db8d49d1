"""How the tests of all views build those of this subject."""

from __future__ import annotations

import synthetic_memory
from view_samples import Sample, Small

from seqkd_lab.lab.seq_kd.views import CorpusLens, MemoryDial, ModeMass


def lens(small: Small) -> CorpusLens:
    """Return a view of training pairs, of the mode for every other target as a teacher might write
    it, and of one that is wrong."""
    language, pairs = small.toy.language, small.toy.train[:40]
    targets = [
        language.mode(source)[0] if number % 3 else target
        for number, (source, target) in enumerate(zip(pairs.source, pairs.target, strict=True))
    ]
    distilled = pairs.with_target([*targets[:-1], ("der", "<b>", "Haus")])
    return CorpusLens(small.toy.train, distilled, language, 40)


SAMPLES = {
    CorpusLens: Sample(lens),
    MemoryDial: Sample(lambda small: MemoryDial(synthetic_memory.results())),
    ModeMass: Sample(lambda small: ModeMass(small.models, small.toy.language, small.short)),
}
