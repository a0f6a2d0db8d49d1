"""Whether a loss that a learner wrote can train a model: a torch scalar through which the right
gradient flows."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import torch
from torch import Tensor

from seqkd_lab.lab.shared.exercises.comparing import kind, plain

Loss = Callable[[Tensor], Tensor]
NO_GRADIENT = (
    "The values are right, but no gradient flows from the loss back to `{name}`, so no model "
    "could learn from it. Return a torch scalar, and look for {culprits} between `{name}` and "
    "the result."
)


def gradient_fault(loss: Loss, right: Loss, logits: Tensor, name: str) -> str | None:
    """Return in words why no model could learn from `loss`; None where its gradient by `logits` is
    that of `right`.

    `name` is what the learner calls the logits.
    """
    logits = logits.clone().requires_grad_()
    try:
        with (
            warnings.catch_warnings()
        ):  # `float(loss)` is refused below, in plainer words than torch's
            warnings.simplefilter("ignore")
            value = loss(logits)
    except Exception as error:  # numpy refuses tensors that want a gradient
        message = " ".join(str(error).split())[:160].rstrip(".")
        return (
            f"The values are right. In training, however, torch records what happens to `{name}`, "
            f"and then your function raised {type(error).__name__}: {message}. Use torch from the "
            "logits to the result."
        )
    if not isinstance(value, Tensor) or value.numel() != 1:
        returned = "many numbers" if isinstance(value, Tensor) else kind(plain(value))
        culprits = "`.item()`, `float()`, `.tolist()` or numpy"
        return (
            f"{NO_GRADIENT.format(name=name, culprits=culprits)} Your function returned {returned}."
        )
    return _fault_of_gradient(value, right(logits), logits, name)


def _fault_of_gradient(value: Tensor, right: Tensor, logits: Tensor, name: str) -> str | None:
    (gradient,) = (
        torch.autograd.grad(value.sum(), logits, allow_unused=True)
        if value.requires_grad
        else (None,)
    )
    if gradient is None:
        culprits = "`.detach()`, `.data`, `.item()`, `torch.tensor(…)` or `torch.no_grad()`"
        return NO_GRADIENT.format(name=name, culprits=culprits)
    (expected,) = torch.autograd.grad(right, logits)
    if not torch.allclose(gradient.to(expected.dtype), expected, rtol=1e-3, atol=1e-6):
        return (
            f"The values are right, but the gradient that reaches `{name}` is not: somewhere on "
            f"the way from `{name}` to the result a part is cut off, or 0 is divided by 0."
        )
    return None
