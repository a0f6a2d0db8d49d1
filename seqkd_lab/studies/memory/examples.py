"""What the memory study asks the truth, and the sentences of its view: next words along a
translation, by memory."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from statistics import fmean

import torch

from seqkd_lab.corpus.batching import encode, make_batch
from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.corpus.toy import ToyLanguage
from seqkd_lab.corpus.toy.limited_memory import LIMIT, LimitedTruth
from seqkd_lab.corpus.vocabulary import EOS
from seqkd_lab.decoding.search import search
from seqkd_lab.models.seq2seq import Seq2Seq

N_WORDS = 8
"""Words of a distribution that are kept."""
LONGEST = 14
"""Words of an example's translation."""
KNOWN, FORGOTTEN = 0.95, 0.6
"""An example has a place at which the truth gives the next word KNOWN at least, and with a short
memory FORGOTTEN at most."""
Tokens = tuple[str, ...]
Distribution = dict[str, float]


@lru_cache(maxsize=1)
def truth_with_memory(
    language: ToyLanguage, sources: tuple[Tokens, ...], memories: tuple[int | None, ...]
) -> tuple[dict[int | None, dict], list[int]]:
    """Return by memory the share of valid translations that the truth with that memory draws, and
    writes greedily; and which of `sources` have few enough translations to be asked about. It is
    the same for all seeds, and kept for them.
    """
    rows = [row for row, source in enumerate(sources) if language.count_targets(source) <= LIMIT]
    drawn: dict[int | None, list[float]] = {memory: [] for memory in memories}
    greedy: dict[int | None, list[bool]] = {memory: [] for memory in memories}
    for row in rows:
        targets = language.targets(sources[row], LIMIT)
        for memory in memories:
            truth = LimitedTruth(sources[row], targets, memory)
            drawn[memory].append(truth.validity())
            greedy[memory].append(truth.greedy() in targets)
    return {
        memory: {"draws": fmean(drawn[memory]), "greedy": fmean(greedy[memory]), "n": len(rows)}
        for memory in memories
    }, rows


def telling_place(language: ToyLanguage, source: Tokens, target: Tokens, memory: int) -> int | None:
    """Return the first place of `target` at which the truth knows the next word and the truth with
    a short memory has forgotten what decides it; None where there is none."""
    full, short = (LimitedTruth.of(language, source, remembered) for remembered in (None, memory))
    for place, word in enumerate(target):
        prefix = target[:place]
        if full.next_token(prefix)[word] >= KNOWN and short.next_token(prefix)[word] <= FORGOTTEN:
            return place
    return None


def telling_sentences(
    language: ToyLanguage, teacher: Seq2Seq, sources: Sequence[Tokens], memory: int
) -> Iterator[tuple[Tokens, Tokens, int]]:
    """Yield the sources whose translation by the teacher's beam is valid, short and has a telling
    place; with that translation and place."""
    for source in sources:
        target = search(teacher, [source], 5)[0][0].tokens
        if len(target) <= LONGEST and language.is_valid(source, target):
            place = telling_place(language, source, target, memory)
            if place is not None:
                yield source, target, place


def examples(
    language: ToyLanguage,
    teacher: Seq2Seq,
    students: Mapping[tuple[str, str], Seq2Seq],
    sources: Sequence[Tokens],
    n_examples: int,
    memories: Sequence[int | None],
    short: int,
) -> list[dict]:
    """Return the first telling sentences with the next word's distributions at each place: of the
    truth, and by memory of the truth with that memory and of the students (by corpus and
    memory)."""
    shown = []
    for source, target, telling in telling_sentences(language, teacher, sources, short):
        truths = {
            "all" if memory is None else str(memory): LimitedTruth.of(language, source, memory)
            for memory in memories
        }
        written = {key: next_words(student, source, target) for key, student in students.items()}
        places = [
            {
                "truth": likeliest(truths["all"].next_token(target[:place])),
                "memories": _by_memory(truths, written, target, place),
            }
            for place in range(len(target) + 1)
        ]
        shown.append(
            {"source": list(source), "target": list(target), "telling": telling, "places": places}
        )
        if len(shown) == n_examples:
            break
    return shown


def _by_memory(
    truths: Mapping[str, LimitedTruth],
    written: Mapping[tuple[str, str], Sequence[Distribution]],
    target: Tokens,
    place: int,
) -> dict[str, dict[str, Distribution]]:
    """The next word's distributions at one place: by memory of the truth and of each corpus's
    student."""
    return {
        memory: {
            "truth": likeliest(truth.next_token(target[:place])),
            **{
                corpus: distributions[place]
                for (corpus, of_memory), distributions in written.items()
                if of_memory == memory
            },
        }
        for memory, truth in truths.items()
    }


def likeliest(distribution: Mapping[str, float]) -> Distribution:
    """Return the N_WORDS most probable words with their probabilities, to four digits; of equals,
    by the alphabet."""
    ranked = sorted(distribution.items(), key=lambda item: (-item[1], item[0]))[:N_WORDS]
    return {word: round(p, 4) for word, p in ranked}


@torch.inference_mode()
def next_words(student: Seq2Seq, source: Tokens, target: Tokens) -> list[Distribution]:
    """Return the student's likeliest next words at each place of `target`, its end included."""
    corpus = ParallelCorpus("example", "test", "", (source,), (target,))
    batch = make_batch(encode(corpus, student.source_vocabulary, student.target_vocabulary), [0])
    log_p = student.eval()(batch)[0].log_softmax(dim=1)  # (T, V)
    names = student.target_vocabulary.tokens
    top = log_p.topk(N_WORDS, dim=1)
    return [
        likeliest(
            {
                "</s>" if number == EOS else names[number]: math.exp(value)
                for number, value in zip(numbers, values, strict=True)
            }
        )
        for numbers, values in zip(top.indices.tolist(), top.values.tolist(), strict=True)
    ]
