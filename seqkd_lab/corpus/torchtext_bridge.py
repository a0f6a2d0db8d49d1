"""Our corpora as torchtext's Dataset, Vocab and BucketIterator, and back.

Made for torchtext 0.6.0, the last release without compiled code: the later ones do not load beside
a current torch, and their authors have archived the project. Importing this module does not import
torchtext; using it does.
"""

from __future__ import annotations

import random
from collections import Counter
from types import ModuleType
from typing import TYPE_CHECKING

import torch

from seqkd_lab.corpus.batching import Batch, shift
from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.corpus.vocabulary import SPECIALS, Vocabulary

if TYPE_CHECKING:
    from torchtext.data import Batch as TorchtextBatch
    from torchtext.data import BucketIterator, Dataset, Example
    from torchtext.vocab import Vocab

PAD_TOKEN, BOS_TOKEN, EOS_TOKEN, UNK_TOKEN = SPECIALS


class TorchtextError(ImportError):
    """The environment's torchtext is missing, broken or another release; the message says what to
    install."""


def load_torchtext() -> ModuleType:
    """Import torchtext. Raise TorchtextError unless it loads and has Field, Vocab and
    BucketIterator."""
    advice = "the bridge needs torchtext 0.6.0: python -m pip install torchtext==0.6.0"
    try:
        import torchtext.data
        import torchtext.vocab
    except (ImportError, OSError) as error:  # OSError: compiled parts made for another torch
        raise TorchtextError(f"torchtext does not load ({error}); {advice}") from error
    if not hasattr(torchtext.data, "BucketIterator") or not hasattr(torchtext.data, "Field"):
        version = getattr(torchtext, "__version__", "of unknown version")
        raise TorchtextError(f"torchtext {version} has no Field and BucketIterator; {advice}")
    return torchtext


def to_vocab(vocabulary: Vocabulary) -> Vocab:
    """torchtext's Vocab with the same ids. Its frequencies are empty: a Vocabulary does not keep
    them."""
    # Given as specials, tokens keep their order; as words, torchtext would sort them by its own
    # counts.
    return load_torchtext().vocab.Vocab(Counter(), specials=list(vocabulary.tokens))


def from_vocab(vocab: Vocab) -> Vocabulary:
    """Our Vocabulary of the words of a torchtext Vocab, in its order.

    Ids change where its specials stand elsewhere: a Field puts "<unk>" first and "<pad>" second.
    """
    return Vocabulary(SPECIALS + tuple(token for token in vocab.itos if token not in SPECIALS))


def to_dataset(
    corpus: ParallelCorpus, source_vocabulary: Vocabulary, target_vocabulary: Vocabulary
) -> Dataset:
    """A torchtext Dataset with the fields source, target and row (the pair's place in the corpus).

    One difference stays: a word of the text that is spelt like a special ("<s>") gets the special's
    id in torchtext, and UNK in ours.
    """
    data = load_torchtext().data
    source = data.Field(
        eos_token=EOS_TOKEN,
        pad_token=PAD_TOKEN,
        unk_token=UNK_TOKEN,
        batch_first=True,
        include_lengths=True,
    )
    target = data.Field(
        init_token=BOS_TOKEN,
        eos_token=EOS_TOKEN,
        pad_token=PAD_TOKEN,
        unk_token=UNK_TOKEN,
        batch_first=True,
        is_target=True,
    )
    source.vocab, target.vocab = to_vocab(source_vocabulary), to_vocab(target_vocabulary)
    fields = [
        ("source", source),
        ("target", target),
        ("row", data.Field(sequential=False, use_vocab=False)),
    ]
    pairs = enumerate(zip(corpus.source, corpus.target, strict=True))
    examples = [data.Example.fromlist([list(x), list(y), row], fields) for row, (x, y) in pairs]
    return data.Dataset(examples, fields)


def from_dataset(
    dataset: Dataset,
    name: str,
    split: str,
    licence: str,
    source_field: str = "source",
    target_field: str = "target",
) -> ParallelCorpus:
    """Return the token pairs of a torchtext Dataset; its own TranslationDataset calls the fields
    "src" and "trg".

    Raise ValueError when the dataset has no such field.
    """
    for wanted in (source_field, target_field):
        if wanted not in dataset.fields:
            raise ValueError(
                f"the dataset has no field {wanted!r}; it has {sorted(dataset.fields)}"
            )
    source, target = (
        tuple(tuple(getattr(example, side)) for example in dataset)
        for side in (source_field, target_field)
    )
    return ParallelCorpus(name, split, licence, source, target)


def bucket_iterator(dataset: Dataset, batch_size: int, shuffle_seed: int | None) -> BucketIterator:
    """torchtext's BucketIterator over to_dataset's result. Without a seed its batches are those of
    `batches`.

    With a seed it shuffles by torchtext's own rule, and differently in each pass.
    """
    data = load_torchtext().data
    shuffled = shuffle_seed is not None
    # torchtext sorts by length within pools only when it also sorts within batches, hence
    # sort_within_batch.
    iterator = data.BucketIterator(
        dataset,
        batch_size,
        sort_key=pair_length,
        train=shuffled,
        shuffle=shuffled,
        sort=not shuffled,
        sort_within_batch=shuffled,
    )
    if shuffled:
        iterator.random_shuffler = data.utils.RandomShuffler(random.Random(shuffle_seed).getstate())
    return iterator


def pair_length(example: Example) -> tuple[int, int]:
    """By what batches are sorted: source tokens, then target tokens."""
    return len(example.source), len(example.target)


def from_torchtext_batch(batch: TorchtextBatch) -> Batch:
    """A batch of bucket_iterator as our Batch: the same tensors as make_batch gives for the same
    rows."""
    source, source_lengths = batch.source
    target_in, target_out = shift(batch.target)
    return Batch(source, source_lengths, target_in, target_out, batch.row.to(torch.int64))
