"""Where models compute, and in which precision."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
from device_work import PAIRS, SOURCES, WORDS, model

from seqkd_lab import devices
from seqkd_lab.cli import parser
from seqkd_lab.cli.resolve import place_of
from seqkd_lab.corpus.batching import encode, make_batch
from seqkd_lab.decoding.sampling import sample
from seqkd_lab.decoding.scoring import sentence_log_probs
from seqkd_lab.decoding.search import search
from seqkd_lab.devices import BF16, CPU, CUDA, DEVICES, FP32, MPS, check_precision, choose
from seqkd_lab.distillation.losses import NLL, WordKD
from seqkd_lab.models.architectures import ARCHITECTURES
from seqkd_lab.models.checkpoint import load_tensors, save_model
from seqkd_lab.models.ensemble import Ensemble
from seqkd_lab.models.seq2seq import evaluating
from seqkd_lab.optimisation import Optimisation
from seqkd_lab.training import train

THE_CPU = torch.device(CPU)
BY_NAME = r"""["'](cuda|mps)(:\d+)?["']"""
MOVING = rf"\.cuda\(|(device\(|device=|to\()\s*{BY_NAME}"


@pytest.fixture
def no_gpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)


@pytest.fixture
def gpus(monkeypatch):
    """Two GPUs, which no test computes on."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 0)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "Old GPU")
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (7, 5))
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", True)


class TestChoose:
    def test_the_cpu_is_always_there(self, no_gpu):
        assert choose(CPU) == choose("auto") == THE_CPU

    @pytest.mark.parametrize("name", ["", "gpu", "cuda:0", "CPU", "cuda "])
    def test_a_name_that_is_none(self, name):
        with pytest.raises(ValueError, match=f"--device {name}: choose from {', '.join(DEVICES)}"):
            choose(name)

    @pytest.mark.parametrize("name", [CUDA, MPS])
    def test_what_is_not_there_and_what_to_do(self, no_gpu, name):
        with pytest.raises(ValueError, match=rf"--device {name} is not available: .*--device cpu"):
            choose(name)

    @pytest.mark.parametrize(
        ("built", "advice"), [(None, "install a build of torch"), ("12.8", "nvidia-smi")]
    )
    def test_the_build_is_told_from_the_missing_gpu(self, no_gpu, monkeypatch, built, advice):
        monkeypatch.setattr(torch.version, "cuda", built)
        monkeypatch.setattr(torch.version, "hip", None)
        with pytest.raises(ValueError, match=advice):
            choose(CUDA)

    def test_a_gpu_goes_before_the_cpu_and_one_of_several_can_be_named(self, gpus):
        assert choose("auto") == choose(CUDA) == torch.device(CUDA, 0)
        assert choose(CUDA, 1) == torch.device(CUDA, 1)
        with pytest.raises(ValueError, match="no GPU 2; torch sees 2"):
            choose(CUDA, 2)

    def test_32_bits_are_32_bits_on_a_gpu(self, gpus):
        choose(CUDA)
        assert not torch.backends.cudnn.allow_tf32

    def test_what_is_seen_is_what_can_be_chosen(self, no_gpu):
        assert devices.seen() == CPU


class TestPrecision:
    @pytest.mark.parametrize("name", ["", "fp16", "BF16", "float32"])
    def test_a_name_that_is_none(self, name):
        with pytest.raises(ValueError, match="choose from fp32, bf16"):
            check_precision(name, THE_CPU)

    def test_a_gpu_without_the_units(self, gpus, monkeypatch):
        monkeypatch.setattr(torch.version, "hip", None)
        with pytest.raises(ValueError, match=r"Old GPU .*7\.5.*take --precision fp32"):
            check_precision(BF16, choose(CUDA))
        check_precision(FP32, choose(CUDA))

    def test_models_that_compute_together_have_one(self):
        one, other = model("lstm").place(THE_CPU, BF16), model("lstm")
        with pytest.raises(ValueError, match="bf16, fp32"), evaluating(one, other):
            raise AssertionError("not reached")

    @pytest.mark.parametrize("architecture", ARCHITECTURES)
    def test_products_have_16_bits_and_logits_32(self, architecture):
        student = model(architecture).place(THE_CPU, BF16)
        batch, kinds = make_batch(encode(PAIRS, WORDS, WORDS), [0, 1]), []
        student.output.register_forward_hook(lambda *x: kinds.append(x[-1].dtype))
        with evaluating(student):
            assert student(batch).dtype == torch.float32
        assert kinds == [torch.bfloat16]
        with evaluating(student.place(THE_CPU)):
            student(batch)
        assert kinds[1] == torch.float32

    @pytest.mark.slow
    @pytest.mark.parametrize("architecture", ARCHITECTURES)
    @pytest.mark.parametrize("objective", [NLL(), WordKD()], ids=["nll", "word-kd"])
    def test_a_training_learns_what_32_bits_learn(self, architecture, objective, tmp_path):
        training, losses, start = Optimisation(30, 0.02, batch_size=3), {}, 0.0
        for precision in (FP32, BF16):
            student = model(architecture).place(THE_CPU, precision)
            teacher = model("lstm", 2).place(THE_CPU, precision)
            history = train(student, PAIRS, PAIRS, objective, training, 1, teacher)
            start, losses[precision] = history.train_loss[0], history.train_loss[-1]
        assert losses[FP32] < 0.8 * start
        assert losses[BF16] == pytest.approx(losses[FP32], rel=0.05)
        assert {p.dtype for p in student.parameters()} == {torch.float32}
        save_model(tmp_path, student)
        stored = load_tensors(tmp_path / "model.safetensors").values()
        assert {tensor.dtype for tensor in stored} == {torch.float32}

    @pytest.mark.parametrize("kind", [*ARCHITECTURES, "ensemble"])
    def test_searches_are_those_of_the_scores(self, kind):
        made = (
            Ensemble([model(name) for name in ARCHITECTURES]) if kind == "ensemble" else model(kind)
        ).place(THE_CPU, BF16)
        for n_best in (search(made, SOURCES), search(made, SOURCES, 3)):
            best = [hypotheses[0] for hypotheses in n_best]
            scores = sentence_log_probs(made, SOURCES, [found.tokens for found in best])
            assert scores == pytest.approx([found.log_prob for found in best], abs=0.05)
        assert all(drawn.log_prob < 0.0 for drawn in sample(made, SOURCES, 1))


class TestOptions:
    def parsed(self, *options: str):
        return parser().parse_args(["translate", "--model", "seq-kd", "a", *options])

    def test_the_toy_language_stays_on_the_cpu_and_own_text_does_not(self, gpus):
        assert place_of(self.parsed(), own_text=False).device == THE_CPU
        assert place_of(self.parsed(), own_text=True).device == torch.device(CUDA, 0)

    def test_a_run_in_another_precision_is_another_run(self):
        assert place_of(self.parsed(), own_text=False).key == []
        assert place_of(self.parsed("--precision", BF16), own_text=False).key == [BF16]

    def test_what_is_not_usual_is_said(self, capsys):
        place_of(self.parsed(), own_text=False)
        assert capsys.readouterr().err == ""
        place_of(self.parsed("--precision", BF16), own_text=False)
        assert capsys.readouterr().err == "device: cpu, bf16\n"


def test_only_one_module_chooses_a_gpu():
    """`planning/` measures devices and knows them by name; it moves nothing to them by it."""
    package = Path(devices.__file__).parent
    found = {
        (file.relative_to(package).as_posix(), pattern)
        for file in package.rglob("*.py")
        for pattern in (MOVING, BY_NAME)
        if re.search(pattern, file.read_text(encoding="utf-8"))
    }
    assert ("devices.py", BY_NAME) in found
    assert {
        file
        for file, pattern in found
        if pattern == MOVING or not file.startswith("planning/") and file != "devices.py"
    } == set()


@pytest.mark.parametrize("line", ["x.cuda()", 'x.to("cuda:1")', "torch.zeros(3, device='mps')"])
def test_such_lines_would_be_found(line):
    assert re.search(MOVING, line)
