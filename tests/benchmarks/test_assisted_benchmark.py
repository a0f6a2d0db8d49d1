"""Speculative sampling beside assisted generation: what can be tested without the peer's
library."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
import torch
from torch import Tensor

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))  # benchmarks/ is run from the checkout, never installed

from benchmarks import assisted  # noqa: E402
from benchmarks import corpus as toy  # noqa: E402
from benchmarks.peers import pegasus  # noqa: E402
from seqkd_lab.corpus.vocabulary import BOS, EOS, PAD, Vocabulary  # noqa: E402
from seqkd_lab.models.checkpoint import save_model  # noqa: E402
from seqkd_lab.models.lstm import LSTMSeq2Seq, LSTMSpec  # noqa: E402
from seqkd_lab.models.transformer import TransformerSeq2Seq, TransformerSpec  # noqa: E402
from seqkd_lab.models.transformer_parts import sinusoids  # noqa: E402

SOURCE, TARGET = (
    Vocabulary.build([tuple(words.split())]) for words in ("a b c d e", "u v w x y z q")
)
TOY = tuple(
    Vocabulary(words) for words in (toy.load().source_vocabulary, toy.load().target_vocabulary)
)
SIZE = TransformerSpec(8, 2, 2, 12, 0.0)
TIED = TransformerSpec(8, 1, 2, 12, 0.0, tied=True)


def made(
    spec: TransformerSpec, vocabularies: tuple[Vocabulary, Vocabulary] = (SOURCE, TARGET)
) -> TransformerSeq2Seq:
    """A model with random weights, its biases among them."""
    torch.manual_seed(1)
    model = TransformerSeq2Seq(spec, *vocabularies).eval()
    for parameter in model.parameters():
        parameter.data += 0.1 * torch.randn_like(parameter)
    return model


def layer_shapes(name: str, n_out: int, n_in: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": (n_out, n_in), f"{name}.bias": (n_out,)}


def shapes(spec: TransformerSpec, n_positions: int) -> dict[str, tuple[int, ...]]:
    """The names and shapes that PegasusForConditionalGeneration has at this size."""
    D, V = spec.width, len(TARGET)
    wanted = {"lm_head.weight": (V, D), "final_logits_bias": (1, V), "model.shared.weight": (V, D)}
    for side, n_words, attentions in (
        ("encoder", len(SOURCE), ["self_attn"]),
        ("decoder", V, ["self_attn", "encoder_attn"]),
    ):
        wanted[f"model.{side}.embed_tokens.weight"] = (n_words, D)
        wanted[f"model.{side}.embed_positions.weight"] = (n_positions, D)
        norms = ["layer_norm"]
        for place in (f"layers.{i}" for i in range(spec.layers)):
            for attention in attentions:
                for part in ("q_proj", "k_proj", "v_proj", "out_proj"):
                    wanted |= layer_shapes(f"model.{side}.{place}.{attention}.{part}", D, D)
            wanted |= layer_shapes(f"model.{side}.{place}.fc1", spec.hidden, D)
            wanted |= layer_shapes(f"model.{side}.{place}.fc2", D, spec.hidden)
            norms += [f"{place}.{name}_layer_norm" for name in [*attentions, "final"]]
        for norm in norms:
            wanted |= {f"model.{side}.{norm}.weight": (D,), f"model.{side}.{norm}.bias": (D,)}
    return wanted


@pytest.mark.parametrize("spec", [SIZE, TIED], ids=["untied", "tied"])
def test_every_weight_is_converted_under_the_name_and_in_the_shape_that_the_peer_has(spec) -> None:
    found = {
        name: tuple(tensor.shape)
        for name, tensor in pegasus.weights(made(spec), n_positions=9).items()
    }
    assert found == shapes(spec, n_positions=9)


def test_keys_and_values_are_the_halves_of_one_layer() -> None:
    model = made(SIZE)
    found, of = pegasus.weights(model, 9), model.decoder[1].source
    x = torch.randn(3, SIZE.width)

    def applied(part: str) -> Tensor:
        name = f"model.decoder.layers.1.encoder_attn.{part}_proj"
        return torch.nn.functional.linear(x, found[f"{name}.weight"], found[f"{name}.bias"])

    torch.testing.assert_close(torch.cat([applied("k"), applied("v")], dim=1), of.key_value(x))
    torch.testing.assert_close(applied("q"), of.query(x))


@pytest.mark.parametrize("spec", [SIZE, TIED], ids=["untied", "tied"])
def test_words_are_read_as_large_as_here_and_places_are_ours(spec) -> None:
    model = made(spec)
    found = pegasus.weights(model, 9)
    scale = spec.width**0.5 if spec.tied else 1.0
    torch.testing.assert_close(
        found["model.decoder.embed_tokens.weight"], scale * model.target_embedding.weight
    )
    torch.testing.assert_close(found["lm_head.weight"], model.output.weight)
    for side in ("encoder", "decoder"):
        torch.testing.assert_close(
            found[f"model.{side}.embed_positions.weight"], sinusoids(0, 9, spec.width)
        )


def test_words_keep_their_numbers_and_pad_and_bos_are_never_written() -> None:
    model = made(SIZE)
    before = model.output.bias.clone()
    bias = pegasus.weights(model, 9)["final_logits_bias"][0]
    assert [number for number, value in enumerate(bias.tolist()) if value == pegasus.NEVER] == [
        PAD,
        BOS,
    ]
    torch.testing.assert_close(bias[EOS:], before[EOS:])
    torch.testing.assert_close(model.output.bias, before)


def test_logits_that_differ_are_another_model() -> None:
    ours = torch.randn(1, 4, len(TARGET))
    theirs = ours.clone()
    theirs[..., [PAD, BOS]] = pegasus.NEVER
    assert pegasus.check_equal(ours, theirs, "draft") == 0.0
    theirs[0, 2, EOS] += 1e-3
    with pytest.raises(ValueError, match="converted draft is another model"):
        pegasus.check_equal(ours, theirs, "draft")
    with pytest.raises(ValueError, match="another model"):
        pegasus.check_equal(ours, torch.full_like(ours, float("nan")), "draft")


def saved(folder: Path, model) -> str:
    save_model(folder, model)
    return str(folder)


def test_what_cannot_be_asked_is_said_before_anything_is_measured(tmp_path, capsys) -> None:
    good, strange = (
        saved(tmp_path / "good", made(TIED, TOY)),
        saved(tmp_path / "strange", made(TIED)),
    )
    recurrent = saved(tmp_path / "lstm", LSTMSeq2Seq(LSTMSpec(8), *TOY))
    for arguments, message in (
        ([good, str(tmp_path / "nowhere")], "no model.json"),
        ([good, recurrent], "must both be Transformers; this model is of type 'lstm'"),
        ([recurrent, good], "must both be Transformers"),
        ([good, strange], "must share their vocabularies"),
        ([strange, strange], "name models of the toy corpus"),
        ([good, good, "--sentences", "0"], "--sentences must be at least 1"),
        ([good, good, "--sentences", "100000"], "test sentences"),
        ([good, good, "--draft-length", "0"], "--draft-length must be at least 1"),
        ([good, good, "--repetitions", "0"], "--repetitions must be at least 1"),
        ([good, good, "--threads", "1", "0"], "--threads must be at least 1"),
    ):
        assert assisted.main([*arguments, "--results", str(tmp_path / "results.json")]) == 2
        assert message in capsys.readouterr().err
    assert not (tmp_path / "results.json").exists()


def one_round(n_round: int, library: str, drafted: bool, wall_s: float) -> dict:
    return {
        "round": n_round,
        "decoding": "greedy",
        "library": library,
        "drafted": drafted,
        "threads": 1,
        "tokens": 100,
        "wall_s": wall_s,
        "cpu_s": wall_s,
        "target_calls": 40 if drafted else 100,
        "draft_calls": 160 * drafted,
    }


def measured(folders, numbers, threads) -> dict:
    """What a process would say with one thread; with more the peer fails."""
    if threads > 1:
        raise RuntimeError("it broke")
    times = ((1, 0.4, 0.1), (2, 0.8, 0.4), (3, 0.6, 0.2))
    rounds = [
        one_round(n, "seqkd_lab", drafted, (alone, with_draft)[drafted])
        for n, alone, with_draft in times
        for drafted in (False, True)
    ]
    return {
        "rounds": rounds,
        "versions": {"torch": "1"},
        "largest_logit_difference": {"target": 0.0},
        "same_greedy_translations": {"seqkd_lab = transformers": 40},
    }


def test_medians_are_taken_over_rounds_and_a_refusal_leaves_the_rest(
    tmp_path, capsys, monkeypatch
) -> None:
    monkeypatch.setattr(assisted, "measure", measured)
    monkeypatch.setattr(assisted, "why_not", lambda environment: None)
    good, path = saved(tmp_path / "good", made(TIED, TOY)), tmp_path / "results.json"
    assert assisted.main([good, good, "--results", str(path)]) == 1
    results = json.loads(path.read_text(encoding="utf-8"))
    (line,) = results["medians"]
    assert (line["wall_ms_a_token"], line["wall_ms_a_token_drafted"]) == pytest.approx((6.0, 2.0))
    assert line["wall_times_faster"] == pytest.approx(3.0)
    assert (line["tokens_a_target_call"], line["tokens_a_draft_call"]) == pytest.approx(
        (2.5, 0.625)
    )
    assert results["refused"] == {"2": "it broke"} and str(tmp_path) not in path.read_text(
        encoding="utf-8"
    )
    printed = capsys.readouterr()
    assert (
        "seqkd_lab = transformers" in printed.out
        and "2 thread(s) not measured: it broke" in printed.err
    )


def test_without_the_peer_it_says_how_to_set_it_up(tmp_path, capsys, monkeypatch) -> None:
    monkeypatch.setattr(
        assisted, "why_not", lambda environment: f"not set up; run: setup {environment}"
    )
    good = saved(tmp_path / "good", made(TIED, TOY))
    assert assisted.main([good, good, "--results", str(tmp_path / "results.json")]) == 1
    assert "setup transformers" in capsys.readouterr().err
