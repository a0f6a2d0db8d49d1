"""Pruning against torch's own and against the definitions; and that what is pruned stays 0 while
the rest learns."""

from __future__ import annotations

import copy
import math
import random

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn.utils import prune as torch_prune

from seqkd_lab.compression.pruning import (
    CLASS_BLIND,
    CLASS_DISTRIBUTION,
    CLASS_UNIFORM,
    METHODS,
    Pruning,
    apply_masks,
    keep_pruned,
    n_nonzero,
    prune,
    prune_masks,
    pruned_by_class,
    shares_in_steps,
    threshold,
    weight_classes,
)
from seqkd_lab.corpus.batching import encode, make_batch
from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.distillation.losses import NLL, WordKD, nll
from seqkd_lab.models.lstm import LSTMSpec
from seqkd_lab.optimisation import Optimisation
from seqkd_lab.trainer import Trainer
from seqkd_lab.training import train

PAIRS = [
    (source, tuple(reversed(source)))
    for source in (
        tuple(random.Random(i).choices(["ant", "bee", "cat", "dog"], k=1 + i % 5))
        for i in range(20)
    )
]
CORPUS = ParallelCorpus("n", "train", "l", *map(tuple, zip(*PAIRS, strict=True)))
SHORT = Optimisation(epochs=3, learning_rate=0.02, batch_size=6)  # 4 updates an epoch
SPECS = [LSTMSpec(8), LSTMSpec(8, layers=2, input_feeding=True)]
SHARES = [0.001, 0.1, 0.33, 0.5, 0.8, 0.95]
by_method = pytest.mark.parametrize("method", METHODS)


class Parts(nn.Module):
    """Classes of unlike sizes, scales and spreads; no two weights are equally large."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        self.embedding, self.recurrent, self.output = (
            nn.Embedding(7, 5),
            nn.LSTM(5, 4),
            nn.Linear(4, 7),
        )
        n = sum(parameter.numel() for parameter in self.parameters())
        sizes = iter(
            ((torch.randperm(n, generator=generator) + 1.0) / n).split(
                [p.numel() for p in self.parameters()]
            )
        )
        with torch.no_grad():
            unlike = (
                (self.embedding, 0.1234, 0.0),
                (self.recurrent, 1.0, 0.3),
                (self.output, 3.1415, 0.0),
            )
            for part, scale, centre in unlike:
                for parameter in part.parameters():
                    sign = torch.randint(2, parameter.shape, generator=generator) * 2.0 - 1.0
                    parameter.copy_(sign * scale * next(sizes).view_as(parameter) + centre)
        magnitudes = torch.cat([parameter.abs().flatten() for parameter in self.parameters()])
        assert (
            len(magnitudes.unique()) == n
        )  # or torch's pruning and ours might break a tie differently


def flat(tensors) -> torch.Tensor:
    return torch.cat([tensor.detach().flatten() for tensor in tensors])


def masks_by_torch(model: nn.Module, names: list[str], n_pruned: int) -> dict[str, torch.Tensor]:
    """The masks of torch.nn.utils.prune over some parameters of `model`, which stays as it is."""
    owned = copy.deepcopy(model)
    places = {
        name: (owned.get_submodule(name.rpartition(".")[0]), name.rpartition(".")[2])
        for name in names
    }
    torch_prune.global_unstructured(
        list(places.values()), torch_prune.L1Unstructured, amount=n_pruned
    )
    return {name: getattr(module, f"{own}_mask").bool() for name, (module, own) in places.items()}


def same_masks(found, expected) -> bool:
    return found.keys() == expected.keys() and all(
        torch.equal(found[name], expected[name]) for name in expected
    )


def same_weights(model, other) -> bool:
    own, others = model.state_dict(), other.state_dict()
    return all(torch.equal(own[name], others[name]) for name in own)


def fresh(make_model, seed=0, spec=SPECS[0]):
    """A model all of whose words the corpus has."""
    return make_model(seed, n_target=4, n_source=4, spec=spec, sharpness=1.0)


class TestMasks:
    @pytest.mark.parametrize("share", SHARES)
    @pytest.mark.parametrize("seed", range(3))
    def test_class_blind_is_torchs_global_pruning(self, seed, share):
        model = Parts(seed)
        names = [name for name, _ in model.named_parameters()]
        n_pruned = round(share * len(flat(model.parameters())))
        assert same_masks(prune_masks(model, share), masks_by_torch(model, names, n_pruned))

    @pytest.mark.parametrize("share", SHARES)
    @pytest.mark.parametrize("seed", range(3))
    def test_class_uniform_is_torchs_pruning_of_each_class(self, seed, share):
        """In each class the smallest go, and no class loses a larger share than another by more
        than one weight."""
        model, lost, sizes = Parts(seed), {}, {}
        masks = prune_masks(model, share, CLASS_UNIFORM)
        for part, names in weight_classes(model).items():
            own = {name: masks[name] for name in names}
            sizes[part], lost[part] = len(flat(own.values())), int((~flat(own.values())).sum())
            assert same_masks(own, masks_by_torch(model, names, lost[part]))
        for part in sizes:
            assert abs(lost[part] - share * sizes[part]) < 2
            assert all(
                (lost[part] - 1) / sizes[part] <= lost[other] / sizes[other] for other in sizes
            )

    @pytest.mark.parametrize("share", SHARES)
    @pytest.mark.parametrize("seed", range(3))
    def test_class_distribution_has_one_lambda(self, seed, share):
        """Pruned is what lies below λσ of its class; λ is where that is the asked number of
        weights."""
        model = Parts(seed)
        weights = {
            part: flat(map(model.get_parameter, names)).double().numpy()
            for part, names in weight_classes(model).items()
        }
        in_sigmas = np.sort(np.concatenate([np.abs(w) / np.std(w) for w in weights.values()]))
        n_pruned = round(share * len(in_sigmas))
        last, first = np.append(0.0, in_sigmas)[[n_pruned, n_pruned + 1]]
        assert first - last > 1e-6 * first  # or rounding could decide
        masks = prune_masks(model, share, CLASS_DISTRIBUTION)
        for part, names in weight_classes(model).items():
            expected = np.abs(weights[part]) >= (last + first) / 2 * np.std(weights[part])
            assert flat(masks[name] for name in names).numpy().tolist() == expected.tolist()

    def test_the_three_methods_are_three(self):
        blind, uniform, spread = (prune_masks(Parts(0), 0.5, method) for method in METHODS)
        assert (
            not same_masks(blind, uniform)
            and not same_masks(uniform, spread)
            and not same_masks(blind, spread)
        )

    @by_method
    @settings(max_examples=40)
    @given(seed=st.integers(0, 20), shares=st.tuples(st.floats(0.0, 0.99), st.floats(0.0, 0.99)))
    def test_exactly_so_many_go_and_those_of_a_smaller_share_are_among_them(
        self, method, seed, shares
    ):
        model, (less, more) = Parts(seed), sorted(shares)
        few, many = (flat(prune_masks(model, share, method).values()) for share in (less, more))
        assert [int((~stays).sum()) for stays in (few, many)] == [
            round(share * len(few)) for share in (less, more)
        ]
        assert not (many & ~few).any()

    @by_method
    @settings(max_examples=40)
    @given(share=st.floats(0.0, 0.99), n_zeros=st.integers(0, 200))
    def test_pruning_again_by_the_same_share_changes_nothing(self, method, share, n_zeros):
        """Whatever zeros there were before: embeddings of the padding are 0, and a model may have
        been pruned."""
        model = Parts(0)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.view(-1)[: n_zeros // 8] = 0.0
        masks = prune(model, share, method)
        before = copy.deepcopy(model)
        assert same_masks(prune(model, share, method), masks)
        assert same_weights(model, before)

    @by_method
    def test_a_share_of_nothing_takes_nothing(self, make_model, method):
        model, untouched = make_model(), make_model()
        masks = prune(model, 0.0, method)
        assert flat(masks.values()).all() and same_weights(model, untouched)
        assert threshold(model, 0.0) == 0.0

    @by_method
    def test_a_model_of_zeros(self, method):
        model = Parts(0)
        apply_masks(
            model,
            {name: torch.zeros_like(p, dtype=torch.bool) for name, p in model.named_parameters()},
        )
        stays = flat(prune_masks(model, 0.3, method).values())
        assert int((~stays).sum()) == round(0.3 * len(stays))
        assert n_nonzero(model) == 0 and set(pruned_by_class(model).values()) == {1.0}

    def test_a_class_of_equal_weights_is_far_from_its_spread_and_one_of_zeros_is_not(self):
        """σ = 0 in both; 0 < λσ never holds for what is not 0, so those weights go last, and zeros
        go first."""
        model = Parts(0)
        with torch.no_grad():
            for parameter in model.output.parameters():
                parameter.fill_(0.25)
            model.embedding.weight.zero_()
        masks = prune_masks(model, 0.6, CLASS_DISTRIBUTION)
        assert flat(masks[name] for name in weight_classes(model)["output"]).all()
        assert not masks["embedding.weight"].any()

    @pytest.mark.parametrize("spec", SPECS)
    @by_method
    def test_pruned_weights_are_0_and_the_others_as_they_were(self, make_model, method, spec):
        model, before = make_model(spec=spec), dict(make_model(spec=spec).named_parameters())
        masks = prune(model, 0.7, method)
        for name, parameter in model.named_parameters():
            assert torch.equal(parameter, torch.where(masks[name], before[name], torch.zeros(())))
        n = len(flat(model.parameters()))
        assert n_nonzero(model) == n - round(
            0.7 * n
        )  # more than the padding's zeros, which are among those that go

    def test_masks_leave_the_model_alone(self, make_model):
        model = make_model()
        prune_masks(model, 0.9)
        assert same_weights(model, make_model())


class TestCounts:
    def test_every_parameter_is_in_one_class_named_as_its_part_of_the_model(self, make_model):
        model = make_model(spec=SPECS[1])
        classes = weight_classes(model)
        assert sorted(sum(classes.values(), [])) == sorted(
            name for name, _ in model.named_parameters()
        )
        assert list(classes) == [
            name for name, part in model.named_children() if list(part.parameters())
        ]
        for part, names in classes.items():
            assert {id(model.get_parameter(name)) for name in names} == set(
                map(id, getattr(model, part).parameters())
            )

    def test_a_part_made_of_parts_is_one_class(self):
        model = nn.ModuleDict(
            {"stack": nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1)), "output": nn.Linear(1, 1)}
        )
        assert {part: len(names) for part, names in weight_classes(model).items()} == {
            "stack": 4,
            "output": 2,
        }

    @by_method
    def test_zeros_of_each_class(self, make_model, method):
        model = make_model()
        prune(model, 0.6, method)
        values = {
            name: parameter.flatten().tolist() for name, parameter in model.named_parameters()
        }
        for part, share in pruned_by_class(model).items():
            own = [value for name in values if name.split(".")[0] == part for value in values[name]]
            assert share == pytest.approx(own.count(0.0) / len(own))
        assert n_nonzero(model) == sum(value != 0.0 for own in values.values() for value in own)

    @settings(max_examples=40)
    @given(seed=st.integers(0, 20), share=st.floats(0.01, 0.99))
    def test_the_threshold_is_what_the_masks_keep_to(self, seed, share):
        model = Parts(seed)
        limit, stays = threshold(model, share), flat(prune_masks(model, share).values())
        assert torch.equal(flat(model.parameters()).abs() > limit, stays)
        assert limit == flat(model.parameters()).abs()[~stays].max()


class TestSteps:
    @given(share=st.floats(0.0, 0.99), n_steps=st.integers(1, 12))
    def test_every_step_keeps_the_same_part_of_what_is_left(self, share, n_steps):
        shares = shares_in_steps(share, n_steps)
        assert len(shares) == n_steps and shares[-1] == share
        left = [1.0, *(1.0 - share for share in shares)]
        assert [
            after / before for before, after in zip(left, left[1:], strict=False)
        ] == pytest.approx([(1.0 - share) ** (1 / n_steps)] * n_steps)

    @pytest.mark.parametrize("n_steps", [0, -3])
    def test_fewer_than_one_step(self, n_steps):
        with pytest.raises(ValueError, match=f"got {n_steps}"):
            shares_in_steps(0.5, n_steps)

    @by_method
    def test_step_by_step_or_at_once_without_training_between(self, method):
        """The same go; but in class-distribution σ changes with every step, and with it the
        order."""
        stepwise, at_once = Parts(1), Parts(1)
        for share in shares_in_steps(0.8, 3):
            prune(stepwise, share, method)
        prune(at_once, 0.8, method)
        assert n_nonzero(stepwise) == n_nonzero(at_once)
        assert same_weights(stepwise, at_once) or method == CLASS_DISTRIBUTION


def backward(model) -> dict[str, torch.Tensor]:
    """The gradients that a loss.backward() leaves in `model`, by name."""
    batch = make_batch(
        encode(CORPUS, model.source_vocabulary, model.target_vocabulary), list(range(8))
    )
    model.zero_grad()
    nll(model.train()(batch), batch.target_out).backward()
    return {name: parameter.grad.clone() for name, parameter in model.named_parameters()}


class TestHeld:
    @pytest.mark.parametrize("spec", SPECS)
    def test_gradients_are_those_without_it_where_weights_live_and_0_elsewhere(
        self, make_model, spec
    ):
        model = fresh(make_model, spec=spec)
        masks, free = prune(model, 0.6), backward(model)
        assert any(
            (free[name][~masks[name]] != 0).any() for name in masks
        )  # or there would be nothing to hold
        with keep_pruned(model, masks):
            found = backward(model)
            norm = nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for name in masks:
            assert torch.equal(found[name], free[name] * masks[name])
        living = flat(free.values())[flat(masks.values())]
        assert norm.item() == pytest.approx(living.norm().item(), rel=1e-5)
        assert norm.item() < 0.99 * flat(free.values()).norm().item()

    def test_gradients_that_add_up_over_batches_are_held_too(self, make_model):
        model = fresh(make_model)
        masks = prune(model, 0.6)
        with keep_pruned(model, masks):
            once = backward(model)
            batch = make_batch(
                encode(CORPUS, model.source_vocabulary, model.target_vocabulary), list(range(8))
            )
            nll(model(batch), batch.target_out).backward()
        for name, parameter in model.named_parameters():
            torch.testing.assert_close(parameter.grad, 2 * once[name])
            assert not parameter.grad[~masks[name]].any()

    @pytest.mark.parametrize("error", [None, KeyboardInterrupt, ValueError])
    def test_afterwards_all_weights_learn_again(self, make_model, error):
        model = fresh(make_model)
        masks, free = prune(model, 0.6), backward(model)
        try:
            with keep_pruned(model, masks):
                if error is not None:
                    raise error
        except (KeyboardInterrupt, ValueError) as raised:
            assert type(raised) is error
        else:
            assert error is None
        found = backward(model)
        assert all(torch.equal(found[name], free[name]) for name in free)

    def test_the_clipping_of_a_training_sees_living_weights_alone(self, make_model):
        model = fresh(make_model)
        masks, norms = prune(model, 0.6), []
        trainer = Trainer(
            model, CORPUS, CORPUS[:6], NLL(), Optimisation(1, 0.01, 6, clip_norm=1e-3), 5
        )

        def note(optimiser, *_):
            gradients = {name: parameter.grad for name, parameter in model.named_parameters()}
            assert not any(gradients[name][~masks[name]].any() for name in masks)
            norms.append(math.sqrt(sum(gradient.square().sum() for gradient in gradients.values())))

        trainer.optimiser.register_step_pre_hook(note)
        with keep_pruned(model, masks):
            trainer.run_epoch()
        assert norms == pytest.approx([1e-3] * 4, rel=1e-2)

    @pytest.mark.parametrize("objective", [NLL(), WordKD(0.5)], ids=["NLL", "Word-KD"])
    @by_method
    def test_pruned_weights_stay_0_and_living_ones_learn(self, make_model, method, objective):
        """Over several epochs; all living ones that move without masks, too (an embedding of no
        sentence does not).

        The share is small enough to leave each input something: a dead one gives its living weights
        no gradient.
        """
        teacher, model = make_model(9, n_source=4), fresh(make_model)
        masks = prune(model, 0.3, method)
        before, free = copy.deepcopy(model), copy.deepcopy(model)
        train(free, CORPUS, CORPUS[:6], objective, SHORT, 5, teacher)
        with keep_pruned(model, masks):
            history = train(model, CORPUS, CORPUS[:6], objective, SHORT, 5, teacher)
        for name, parameter in model.named_parameters():
            start = before.get_parameter(name)
            moved, moves = parameter != start, free.get_parameter(name) != start
            assert torch.equal(moved, moves & masks[name])
            assert not parameter[~masks[name]].any()
        assert n_nonzero(free) > n_nonzero(
            before
        )  # without being held, pruned weights would come back
        assert history.train_loss[-1] < history.train_loss[0]
        assert same_masks(
            prune(model, 0.3, method), masks
        )  # so a run that begins again prunes the same

    @pytest.mark.parametrize("update", [4, 6, 11])
    def test_an_interrupted_retraining_ends_as_if_nothing_had_been(
        self, make_model, tmp_path, update
    ):
        """The start model is pruned and held anew; its weights and Adam's moments come from the
        last whole epoch."""
        spec = LSTMSpec(8, dropout=0.2)

        def interrupt(progress):
            if progress.update == update:
                raise KeyboardInterrupt

        def retrain(callbacks=(), resume_from=None):
            model = fresh(make_model, spec=spec)
            with keep_pruned(model, prune(model, 0.6)):
                history = train(
                    model, CORPUS, CORPUS[:6], NLL(), SHORT, 5, None, callbacks, resume_from
                )
            return model, history

        whole, expected = retrain()
        with pytest.raises(KeyboardInterrupt):
            retrain([interrupt], tmp_path)
        assert (tmp_path / "resume.json").exists() == (
            update > 4
        )  # update 4 ends an epoch that is not yet saved
        torch.manual_seed(12345)  # another process has another global state
        heard = []
        resumed, found = retrain([lambda progress: heard.append(progress.epoch)], tmp_path)
        assert heard[0] == 1 + (update - 1) // 4
        assert same_weights(whole, resumed) and found == expected
        n = len(flat(whole.parameters()))
        assert n_nonzero(whole) == n - round(0.6 * n)


class TestErrors:
    @pytest.mark.parametrize("share", [1.0, 1.5, -0.1, 80, float("nan"), float("inf")])
    def test_a_share_that_cannot_be(self, make_model, share):
        for attempt in (lambda: prune_masks(make_model(), share), lambda: Pruning(share)):
            with pytest.raises(ValueError, match=f"got {share}"):
                attempt()

    @pytest.mark.parametrize("method", ["magnitude", "", None])
    def test_an_unknown_method(self, make_model, method):
        for attempt in (
            lambda: prune_masks(make_model(), 0.5, method),
            lambda: Pruning(0.5, method),
        ):
            with pytest.raises(ValueError, match=f"class-blind, .* got {method!r}"):
                attempt()

    def test_a_share_that_leaves_nothing(self, make_model):
        with pytest.raises(ValueError, match="0.9999"):
            prune(make_model(), 0.9999)

    def test_a_refused_share_leaves_the_model_alone(self, make_model):
        model = make_model()
        for share, method in ((1.0, CLASS_BLIND), (0.9999, CLASS_BLIND), (0.5, "magnitude")):
            with pytest.raises(ValueError):
                prune(model, share, method)
        assert same_weights(model, make_model())
