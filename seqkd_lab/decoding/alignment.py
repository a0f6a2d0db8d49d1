"""Which source word belongs to each word of a translation: the model's attention, read after the
search.

Attention is not an alignment by construction, but its largest weight mostly lies on the word that
is translated (Luong et al. 2015, section 5.4). That is enough to replace an unknown word by its
source, as in Jean et al. 2015 (arXiv 1410.8206), section 3.3.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from seqkd_lab.corpus.batching import batches, encode
from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.corpus.vocabulary import SPECIALS, UNK
from seqkd_lab.models.seq2seq import Seq2Seq, evaluating

UNKNOWN = SPECIALS[UNK]


def alignment(model: Seq2Seq, source: Sequence[str], target: Sequence[str]) -> Tensor:
    """Return the attention (T, S) before each word of `target`; both sides end with EOS, which
    counts in T and S.

    Of an LSTM it is the attention of each step, of a Transformer that of the last decoder layer,
    averaged over its heads. Rows have the sum 1.
    """
    return alignments(model, [source], [target])[0]


def alignments(
    model: Seq2Seq,
    sources: Sequence[Sequence[str]],
    targets: Sequence[Sequence[str]],
    batch_size: int = 64,
) -> list[Tensor]:
    """Return `alignment` of each pair, in order. Raise ValueError where the numbers differ."""
    if len(sources) != len(targets):
        raise ValueError(
            f"{len(sources)} sources and {len(targets)} targets: every pair needs both"
        )
    pairs = ParallelCorpus(
        "pairs", "aligned", "", tuple(map(tuple, sources)), tuple(map(tuple, targets))
    )
    encoded = encode(pairs, model.source_vocabulary, model.target_vocabulary)
    weights: dict[int, Tensor] = {}
    with evaluating(model):
        for batch in batches(encoded, batch_size, shuffle_seed=None):
            attention = model.attention(batch.to(model.device)).cpu()
            for b, row in enumerate(batch.rows.tolist()):
                own = attention[b, : len(targets[row]) + 1, : len(sources[row]) + 1]
                weights[row] = own.clone()
    return [weights[row] for row in range(len(sources))]


def copy_unknown(
    model: Seq2Seq, sources: Sequence[Sequence[str]], targets: Sequence[Sequence[str]]
) -> list[tuple[str, ...]]:
    """Return `targets` with each <unk> replaced by the token of its source that the model looks at
    most.

    With subwords a token is a piece of a word: an unknown piece is replaced by a piece. A source
    without tokens leaves its target as it is. Memory: the attention of the targets that hold <unk>.
    """
    copied = [tuple(target) for target in targets]
    rows = [i for i, target in enumerate(targets) if UNKNOWN in target and sources[i]]
    looked = alignments(model, [sources[i] for i in rows], [targets[i] for i in rows])
    for i, weights in zip(rows, looked, strict=True):
        best = weights[:, : len(sources[i])].argmax(dim=1).tolist()  # never EOS, which is no word
        copied[i] = tuple(
            sources[i][position] if token == UNKNOWN else token
            for token, position in zip(targets[i], best, strict=False)
        )
    return copied
