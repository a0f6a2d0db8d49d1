"""Pruning by magnitude: the smallest weights become 0 and stay 0 while the rest learns on (Kim &
Rush 2016, Table 3).

Three methods define which weights are small (See, Luong & Manning 2016, arXiv 1606.09274), each by
a score that ranks all weights; the lowest go:
- class-blind, the paper's: |w|, one threshold for all of the model, embeddings included;
- class-uniform: the rank of |w| within its own class, so that every class loses the same share;
- class-distribution: |w| / σ of its class, so that every class has the threshold λσ with one λ.
A class is a part of the model that has a name of its own: an embedding, the decoder, the output
layer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from seqkd_lab.finite import check_weights

CLASS_BLIND = "class-blind"
CLASS_UNIFORM = "class-uniform"
CLASS_DISTRIBUTION = "class-distribution"
METHODS = (CLASS_BLIND, CLASS_UNIFORM, CLASS_DISTRIBUTION)

MOST_STEPS = 10_000
"""Prunings, each with a retraining: more would be a slip of the keyboard."""

Masks = Mapping[str, Tensor]
"""For each parameter of a model, by its name, a tensor of its shape: True where the weight
stays."""


@dataclass(frozen=True)
class Pruning:
    """How to prune: `share` of all parameters, in [0, 1), by one of METHODS."""

    share: float
    method: str = CLASS_BLIND

    def __post_init__(self) -> None:
        check_pruning(self.share, self.method)


def check_pruning(share: float, method: str) -> None:
    """Raise ValueError unless `share` lies in [0, 1) and `method` is one of METHODS."""
    if not 0.0 <= share < 1.0:
        raise ValueError(f"the share to prune must lie in [0, 1), for example 0.8; got {share}")
    if method not in METHODS:
        raise ValueError(f"method must be one of {', '.join(METHODS)}; got {method!r}")


def weight_classes(model: nn.Module) -> dict[str, list[str]]:
    """Return the names of the model's parameters by class: the part of the model that they belong
    to."""
    classes: dict[str, list[str]] = {}
    for name, _ in model.named_parameters():
        classes.setdefault(name.split(".")[0], []).append(name)
    return classes


def magnitudes(model: nn.Module) -> dict[str, Tensor]:
    """Return |w| of every parameter, by name, on the CPU: what goes then does not depend on how a
    device sorts."""
    return {name: parameter.detach().cpu().abs() for name, parameter in model.named_parameters()}


def scores(model: nn.Module, method: str) -> dict[str, Tensor]:
    """Return what the parameters are ranked by, each in its own shape: the lowest are pruned
    first."""
    by_name = magnitudes(model)
    if method == CLASS_BLIND:
        return by_name
    for names in weight_classes(model).values():
        flat = torch.cat([by_name[name].flatten() for name in names])
        if method == CLASS_UNIFORM:
            rank = torch.empty_like(flat, dtype=torch.float64)
            rank[flat.argsort(stable=True)] = torch.arange(
                len(flat), dtype=torch.float64, device=flat.device
            )
            flat = rank / len(flat)
        else:
            weights = torch.cat([model.get_parameter(name).detach().flatten() for name in names])
            deviation = weights.cpu().std(correction=0)
            flat = flat / deviation.clamp_min(torch.finfo(flat.dtype).tiny)
        parts = flat.split([by_name[name].numel() for name in names])
        for name, part in zip(names, parts, strict=True):
            by_name[name] = part.view_as(by_name[name])
    return by_name


def prune_masks(model: nn.Module, share: float, method: str = CLASS_BLIND) -> dict[str, Tensor]:
    """Return masks that leave out the round(share · number of parameters) lowest scores, whatever
    their class.

    Exactly so many: of equal scores the earlier one goes. What is 0 already goes first, so pruning
    a pruned model by the same share changes nothing. Raise ValueError for a share outside [0, 1),
    or one that leaves nothing, or an unknown method; NotFiniteError where a weight is not finite.
    """
    check_pruning(share, method)
    check_weights(model, "this model cannot be pruned")
    by_name = scores(model, method)
    flat = torch.cat([score.flatten() for score in by_name.values()])
    n_pruned = round(share * len(flat))
    if n_pruned == len(flat):
        raise ValueError(
            f"a share of {share} leaves none of {len(flat):,} parameters; take a smaller one"
        )
    stays = torch.ones_like(flat, dtype=torch.bool)
    stays[flat.argsort(stable=True)[:n_pruned]] = False
    parts = stays.split([score.numel() for score in by_name.values()])
    return {
        name: part.view_as(score).to(model.get_parameter(name).device)
        for (name, score), part in zip(by_name.items(), parts, strict=True)
    }


def threshold(model: nn.Module, share: float) -> float:
    """Return the largest |w| that class-blind pruning by `share` takes; 0 where it takes none."""
    flat = torch.cat([magnitude.flatten() for magnitude in magnitudes(model).values()])
    n_pruned = round(share * len(flat))
    return float(flat.kthvalue(n_pruned).values) if n_pruned else 0.0


@torch.no_grad()
def apply_masks(model: nn.Module, masks: Masks) -> None:
    """Set what the masks leave out to 0, in place."""
    for name, parameter in model.named_parameters():
        parameter.masked_fill_(~masks[name], 0.0)


def prune(model: nn.Module, share: float, method: str = CLASS_BLIND) -> dict[str, Tensor]:
    """Prune `model` in place and return its masks."""
    masks = prune_masks(model, share, method)
    apply_masks(model, masks)
    return masks


def shares_in_steps(share: float, n_steps: int) -> tuple[float, ...]:
    """Return the shares pruned after each of `n_steps`, the last is `share`: every step keeps the
    same part of what was left.

    Raise ValueError for fewer than one step, or more than MOST_STEPS.
    """
    if not 1 <= n_steps <= MOST_STEPS:
        raise ValueError(f"pruning takes at least one step, at most {MOST_STEPS:,}; got {n_steps}")
    return tuple(1.0 - (1.0 - share) ** (step / n_steps) for step in range(1, n_steps)) + (share,)


@contextmanager
def keep_pruned(model: nn.Module, masks: Masks) -> Iterator[None]:
    """Keep pruned weights at 0 while training: in this context the gradient of what the masks leave
    out is 0.

    So the gradient's norm is that of the living weights alone; and Adam, whose step is a ratio of
    means of gradients, never moves a weight whose gradients have all been 0.
    """

    def masking(gone: Tensor) -> Callable[[Tensor], None]:
        def mask_gradient(parameter: Tensor) -> None:
            assert parameter.grad is not None  # the hook runs when there is one
            parameter.grad.masked_fill_(gone, 0.0)

        return mask_gradient

    hooks = [
        parameter.register_post_accumulate_grad_hook(masking(~masks[name]))
        for name, parameter in model.named_parameters()
    ]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def n_nonzero(model: nn.Module) -> int:
    """Return the number of parameters that are not 0."""
    return sum(int(parameter.count_nonzero()) for parameter in model.parameters())


def pruned_by_class(model: nn.Module) -> dict[str, float]:
    """Return the share of zeros in each class."""
    shares = {}
    for name, members in weight_classes(model).items():
        parameters = [model.get_parameter(member) for member in members]
        n_left = sum(int(parameter.count_nonzero()) for parameter in parameters)
        shares[name] = 1.0 - n_left / sum(parameter.numel() for parameter in parameters)
    return shares
