"""All that computes, small: every search, draw, score, objective and training step, as functions of
a student and a teacher, for tests of where their tensors are. New objectives are found by
themselves."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from seqkd_lab import distillation
from seqkd_lab.compression.pruning import METHODS, keep_pruned, prune
from seqkd_lab.corpus.batching import encode, make_batch
from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.corpus.vocabulary import Vocabulary
from seqkd_lab.decoding.alignment import alignments
from seqkd_lab.decoding.distribution import SamplingDistribution
from seqkd_lab.decoding.enumeration import likely_translations
from seqkd_lab.decoding.sampling import sample
from seqkd_lab.decoding.scoring import sentence_log_probs
from seqkd_lab.decoding.search import search
from seqkd_lab.decoding.speculative import speculative_sample
from seqkd_lab.decoding.trace import trace_search
from seqkd_lab.distillation.delta_ifd import SourceDropout
from seqkd_lab.distillation.exposure import exposure
from seqkd_lab.distillation.generation import DELTA_IFD, RANDOM, Timeline, generate_rollouts
from seqkd_lab.distillation.generation import RolloutConfig as Config
from seqkd_lab.distillation.losses import NLL, Objective, WordKD
from seqkd_lab.distillation.near_policy import Learning, updates_of
from seqkd_lab.distillation.on_policy import Divergence, OnPolicy
from seqkd_lab.distillation.paced import Weighted, sentence_gradients, weights
from seqkd_lab.distillation.policy_gradient import BASELINES, EXPECTED, SampledToken
from seqkd_lab.distillation.tip import SELECTORS, Selected, lean_loss
from seqkd_lab.models.architectures import ARCHITECTURES, build
from seqkd_lab.models.packed import PackedReader
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.optimisation import BY_BLEU, Optimisation
from seqkd_lab.trainer import Trainer
from seqkd_lab.validation import ValidationBLEU

WORDS = Vocabulary.build([tuple("abcdefg")])
SOURCES = (("a", "b", "c"), ("d",), ("e", "f", "g", "a"), ("b", "b"), ("c", "a"), ("g",))
PAIRS = ParallelCorpus("made up", "train", "", SOURCES, tuple(s[::-1] for s in SOURCES))
ENCODED = encode(PAIRS, WORDS, WORDS)
FEW = Optimisation(epochs=1, batch_size=3)
Work = Callable[[Seq2Seq, Seq2Seq], object]


def model(architecture: str, seed: int = 1, dropout: float = 0.0) -> Seq2Seq:
    """A small model of a registered architecture."""
    torch.manual_seed(seed)
    return build(ARCHITECTURES[architecture].spec(width=8, layers=2, dropout=dropout), WORDS, WORDS)


def objectives() -> Iterator[Objective]:
    """Every objective of the package: as it is by default, and in its other forms."""
    folder = distillation.__name__
    modules = {f"{folder}.{found.name}" for found in pkgutil.iter_modules(distillation.__path__)}
    for module in modules:
        importlib.import_module(module)
    left, kinds = [Objective], []
    while left:
        below = [kind for kind in left.pop().__subclasses__() if kind.__module__ in modules]
        left, kinds = left + below, kinds + below
    kinds.sort(key=lambda kind: kind.__name__)
    yield from (kind() for kind in kinds if kind is not Weighted)
    yield Weighted(WordKD(), weights([0.1, 0.2, 0.5, 0.7, 0.3, 0.9]))
    yield WordKD(0.3, 2.0)
    yield from (Divergence(beta, scaled=True) for beta in (0.0, 0.5))
    yield from (Selected(selector) for selector in SELECTORS)
    yield from (SampledToken(float(name != EXPECTED), name) for name in BASELINES)


def loss_of(objective: Objective) -> Work:
    """The loss of a batch, and the size of its gradient."""

    def work(student, teacher):
        batch = make_batch(ENCODED, range(len(PAIRS))).to(student.device)
        logits = student(batch)
        with torch.no_grad():
            teacher_logits = teacher(batch)
        torch.manual_seed(3)
        loss = objective(logits, batch, teacher_logits)
        loss.backward()
        return [loss.item(), student.output.weight.grad.norm().item()]

    return work


def searches(student, teacher):
    """Hypotheses of each kind of search, with what attention and scores say of them."""
    found = [
        search(student, SOURCES, 1),
        search(student, SOURCES, 3, 2, length_penalty=0.5, max_length=5),
        [trace_search(student, SOURCES[0], 2, max_length=4).hypotheses],
    ]
    best = [n_best[0].tokens for n_best in found[0]]
    looks = [float(of.sum()) for of in alignments(student, SOURCES, best)]
    return [*sum(found, []), looks, sentence_log_probs(student, SOURCES, best)]


def draws(student, teacher):
    """Translations drawn alone and speculatively, and the likeliest ones."""
    cut = SamplingDistribution(0.8, 4, 0.9)
    return [
        sample(student, SOURCES, 1),
        sample(student, SOURCES, 1, cut),
        speculative_sample(teacher, student, SOURCES, 1),
        list(likely_translations(student, SOURCES[0], cut, 0.01, 2).values()),
        list(exposure(student, teacher, PAIRS, {"kl": Divergence().per_token}, 1)["gold"].values()),
    ]


def trained(objective: Objective, transform=None, best_by: str = "") -> Work:
    """A training of one epoch that is saved, resumed and goes on."""

    def work(student, teacher):
        training = replace(FEW, epochs=2, best_by=best_by)
        validation = ValidationBLEU(PAIRS, " ".join, "13a") if best_by else None
        setting = (PAIRS, PAIRS, objective, training, 1, teacher, transform, validation)
        trainer = Trainer(student, *setting)
        trainer.run_epoch()
        with TemporaryDirectory() as folder:
            trainer.save(Path(folder), "key")
            again = Trainer(student, *setting)
            assert again.resume(Path(folder), "key")
            again.run_epoch()
        return [again.history.train_loss, again.history.valid_loss]

    return work


def near_policy(filter_: str) -> Work:
    """Rollouts, and updates from them; packed where the student can read that."""

    def work(student, teacher):
        config = Config(top_k=3, filter=filter_, share=0.8, scored=0.5)
        sources = make_batch(ENCODED, range(len(PAIRS)))
        rollouts = generate_rollouts(student, teacher, sources, config, 1, Timeline("x"))
        rows = 16 if isinstance(student, PackedReader) else None
        update = updates_of(student.train(), Learning(100, FEW, row_length=rows))
        return [update(part, 0.5) for part in rollouts.scored_by(teacher).parts(2)]

    return work


def gradients(student, teacher):
    """Gradients of sentences, and the lean loss."""
    batch = make_batch(ENCODED, range(3)).to(student.device)
    each = [make_batch(ENCODED, [row]) for row in range(2)]
    sizes = sentence_gradients(student, WordKD(), each, teacher).norm(dim=1)
    return [lean_loss(student, teacher, batch, Selected()).item(), sizes.tolist()]


def pruned(method: str) -> Work:
    """A model pruned, and trained on as what is left."""

    def work(student, teacher):
        masks = prune(student, 0.5, method)
        with keep_pruned(student, masks):
            return trained(NLL())(student, teacher)

    return work


WORK: dict[str, Work] = {
    **{f"loss: {objective}": loss_of(objective) for objective in objectives()},
    "searches": searches,
    "draws": draws,
    "train: nll": trained(NLL()),
    "train: word-kd": trained(WordKD()),
    "train: by BLEU": trained(NLL(), best_by=BY_BLEU),
    "train: without sources": trained(NLL(), SourceDropout(0.3)),
    **{
        f"train: on-policy, {share}": trained(Selected(), OnPolicy(share, 0.9))
        for share in (0.5, 1.0)
    },
    **{f"near-policy: {name or 'all'}": near_policy(name) for name in ("", DELTA_IFD, RANDOM)},
    "gradients": gradients,
    **{f"prune: {method}": pruned(method) for method in METHODS},
}
