"""Make corpora with a teacher, and measure how often a student translates validly."""

from __future__ import annotations

from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.distillation.distilled import DistilledCorpus
from seqkd_lab.distillation.forward_translation import (
    Translated,
    clean_sources,
    drop_failures,
    forward_translate,
    read_sources,
)
from seqkd_lab.distillation.paced import Verifier, pass_rates
from seqkd_lab.distillation.sequence_level import distil
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.runs.data import Dataset, beginning_of, without
from seqkd_lab.runs.recipes import Distillation, ForwardTranslation, PassRates
from seqkd_lab.runs.report import Report, counter


def distil_corpus(
    distillation: Distillation,
    teacher: Seq2Seq,
    corpus: ParallelCorpus,
    data: Dataset,
    report: Report,
) -> DistilledCorpus:
    """Return `corpus` with the teacher's targets. Raise ValueError where they have to be valid and
    the language is unknown."""
    return distil(
        teacher,
        corpus,
        distillation.method,
        distillation.beam_size,
        distillation.length_penalty,
        distillation.seed,
        counter(report, len(corpus)),
        data.toy_language.is_valid if distillation.valid else None,
    )


def translate_forward(
    translation: ForwardTranslation, teacher: Seq2Seq, data: Dataset, report: Report
) -> Translated:
    """Return the sentences of a text without targets with the teacher's translations, without those
    that failed."""
    assert data.subwords is not None, "forward translation is of real text, which has subwords"
    sentences, _ = clean_sources(read_sources([translation.text.path]))
    sources = [data.subwords.encode(sentence) for sentence in sentences]
    count = counter(report, len(sources))
    translated = forward_translate(
        teacher, sources, translation.beam_size, translation.length_penalty, count
    )
    kept, _ = drop_failures(translated, data.subwords.decode)
    return kept


def measure_pass_rates(
    rates: PassRates, student: Seq2Seq, data: Dataset, is_valid: Verifier, report: Report
) -> list[float]:
    """Return the pass rate of each source."""
    sources = without(beginning_of(data.train, rates.share), rates.without).source
    count = counter(report, rates.n_samples * len(sources))
    return pass_rates(
        student, sources, is_valid, rates.n_samples, rates.seed, rates.temperature, count
    )
