"""The export to CTranslate2: our own model and search are the oracle of what the exported model
computes and writes."""

from __future__ import annotations

import os
import random
import re
import sys
from copy import deepcopy
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest
import torch
from small_corpus import ENGLISH, GERMAN

from seqkd_lab import cli
from seqkd_lab.cli.commands import export as command
from seqkd_lab.corpus.batching import source_batch
from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.corpus.subwords import SubwordTokeniser
from seqkd_lab.corpus.vocabulary import BOS, EOS, PAD, SPECIALS, Vocabulary
from seqkd_lab.decoding.limits import LONGEST_SOURCE, longest_allowed
from seqkd_lab.decoding.scoring import sentence_log_probs
from seqkd_lab.decoding.search import Hypothesis, search, search_batch
from seqkd_lab.distillation.losses import NLL
from seqkd_lab.export import ctranslate2_format, folder
from seqkd_lab.export.agreement import (
    Agreement,
    check_same_numbers,
    compare,
    made_up_sources,
    renormalised,
)
from seqkd_lab.export.ctranslate2_format import (
    N_POSITIONS,
    ExportError,
    check_exportable,
    write_ctranslate2,
)
from seqkd_lab.export.searching import ExportedModel, longest_translation
from seqkd_lab.files import read_json
from seqkd_lab.models.checkpoint import save_model
from seqkd_lab.models.folder import TrainedModel, save_folder
from seqkd_lab.models.lstm import LSTMSeq2Seq, LSTMSpec
from seqkd_lab.models.transformer import TransformerSeq2Seq, TransformerSpec
from seqkd_lab.optimisation import Optimisation
from seqkd_lab.training import train

SOURCE = Vocabulary.build([[f"s{i}" for i in range(12)]])
TARGET = Vocabulary.build([[f"t{i}" for i in range(9)]])
SPEC = TransformerSpec(width=8, layers=1, heads=2, hidden=12, dropout=0.1)
SPECS = [replace(SPEC, layers=layers, tied=tied) for layers, tied in product((1, 2), (False, True))]
TIE = 1e-4
"""Nats by which two translations may differ that rounding alone puts in order."""


def random_model(
    spec: TransformerSpec = SPEC, seed: int = 1, end: float = 0.5
) -> TransformerSeq2Seq:
    """A model with uneven distributions; `end` is added to the logit of EOS, so that translations
    end."""
    torch.manual_seed(seed)
    model = TransformerSeq2Seq(spec, SOURCE, TARGET).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(1.5).add_(0.15 * torch.randn_like(parameter))
        model.output.bias[EOS] += end
    return model


def exported(
    model: TransformerSeq2Seq, directory: Path, quantisation: str = "float32"
) -> ExportedModel:
    directory.mkdir()
    write_ctranslate2(model, directory, quantisation)
    return ExportedModel.load(directory, quantisation)


def sentences(
    words: tuple[str, ...], n: int, longest: int = 9, shortest: int = 0
) -> list[tuple[str, ...]]:
    """Sentences of words of a vocabulary, and of words that it lacks."""
    chance, words = random.Random(1), (*words[len(SPECIALS) :], "unheard-of", *SPECIALS[:3])
    return [tuple(chance.choices(words, k=chance.randint(shortest, longest))) for _ in range(n)]


SOURCES = sentences(SOURCE.tokens, 60, shortest=1)


@pytest.fixture(
    params=SPECS, ids=lambda spec: f"{spec.layers} layers, {'tied' if spec.tied else 'not tied'}"
)
def model(request) -> TransformerSeq2Seq:
    return random_model(request.param)


@pytest.fixture(scope="module")
def learnt() -> TransformerSeq2Seq:
    """A model that has learnt, for a second, to translate word by word."""
    chance, rows = random.Random(1), []
    for _ in range(300):
        rows.append(chance.choices(range(len(ENGLISH)), k=chance.randint(2, 6)))
    source, target = (
        tuple(tuple(words[i] for i in row) for row in rows) for words in (ENGLISH, GERMAN)
    )
    corpus = ParallelCorpus("words", "train", "none", source, target)
    torch.manual_seed(1)
    spec = replace(SPEC, width=16, hidden=32, tied=True)
    model = TransformerSeq2Seq(spec, Vocabulary.build(source), Vocabulary.build(target))
    train(
        model,
        corpus,
        corpus[:20],
        NLL(),
        Optimisation(epochs=8, learning_rate=0.02, batch_size=25),
        seed=1,
    )
    return model


class TestNumbers:
    def test_log_probabilities_are_ours_where_pad_and_bos_have_none(self, model, tmp_path):
        targets = sentences(TARGET.tokens[: len(SPECIALS) + 5], len(SOURCES))
        targets = [tuple(word for word in target if word not in SPECIALS) for target in targets]
        ours = sentence_log_probs(renormalised(model), SOURCES, targets)
        assert exported(model, tmp_path / "x").log_probs(SOURCES, targets) == pytest.approx(
            ours, abs=1e-4
        )

    def test_the_model_itself_stays_as_it_is(self, model, tmp_path):
        before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
        for quantisation in ctranslate2_format.QUANTISATIONS:
            exported(model, tmp_path / quantisation, quantisation)
        assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())

    def test_of_a_longer_source_the_beginning_is_read(self, tmp_path):
        model = random_model(end=3.0)
        source = tuple(random.Random(1).choices(SOURCE.tokens[4:], k=LONGEST_SOURCE + 500))
        theirs = exported(model, tmp_path / "x")
        for read in (source, source[:LONGEST_SOURCE]):
            assert theirs.log_probs([read], [("t1",)]) == pytest.approx(
                sentence_log_probs(renormalised(model), [source[:LONGEST_SOURCE]], [("t1",)]),
                abs=1e-4,
            )
            assert (
                theirs.search([read])[0].tokens
                == search(renormalised(model), [read[:LONGEST_SOURCE]])[0][0].tokens
            )

    @pytest.mark.slow
    def test_the_longest_translation_of_the_longest_source_fits_into_the_table(self, tmp_path):
        """Every translation is as long as it may be."""
        model, longest = random_model(end=-1e3), longest_translation(LONGEST_SOURCE)
        theirs = exported(model, tmp_path / "x").search([("s1",) * LONGEST_SOURCE])[0]
        assert len(theirs.tokens) == longest == N_POSITIONS - 1
        ours = search(renormalised(model), [("s1",) * LONGEST_SOURCE], max_length=longest + 1)[0][0]
        assert theirs.log_prob == pytest.approx(ours.log_prob, rel=1e-5)

    def test_a_tied_last_layer_is_stored_once(self, tmp_path):
        sizes = []
        for tied in (False, True):
            exported(random_model(replace(SPEC, tied=tied)), tmp_path / str(tied))
            sizes.append((tmp_path / str(tied) / "model.bin").stat().st_size)
        assert sizes[0] - sizes[1] == pytest.approx(4 * SPEC.width * len(TARGET), abs=100)

    @pytest.mark.parametrize("quantisation", ["float16", "int8"])
    def test_fewer_bits_are_fewer_bytes_and_nearly_the_same_numbers(
        self, quantisation, learnt, tmp_path
    ):
        whole, fewer = (
            exported(learnt, tmp_path / "whole"),
            exported(learnt, tmp_path / "fewer", quantisation),
        )
        sizes = [(tmp_path / name / "model.bin").stat().st_size for name in ("whole", "fewer")]
        assert sizes[1] < sizes[0]
        sources = made_up_sources(learnt, 20)
        targets = [hypothesis.tokens for hypothesis in whole.search(sources)]
        for a, b, target in zip(
            *(theirs.log_probs(sources, targets) for theirs in (whole, fewer)), targets, strict=True
        ):
            assert a == pytest.approx(b, abs=0.2 * (len(target) + 1))


def best_ever(model: TransformerSeq2Seq, source: tuple[str, ...], beam_size: int) -> Hypothesis:
    """The best finished hypothesis that our beam holds at any step, whether it keeps its place or
    not."""
    ids, lengths = source_batch([source], model.source_vocabulary)
    held = []

    def watch(parents, log_prob, score, places):
        for place in places[0].tolist():
            parent, token = divmod(place, log_prob.shape[2])
            if token == EOS:
                words = tuple(model.target_vocabulary.words(parents.tokens[0, parent].tolist()))
                held.append(Hypothesis(words, *[log_prob[0, parent, token].item()] * 2))

    search_batch(model, ids, lengths, longest_allowed(lengths), beam_size, observer=watch)
    return max(held, key=lambda hypothesis: hypothesis.score)


def assert_same(theirs, ours, model, sources):
    """The same translations, ties apart, and the scores that `model` gives them."""
    scored = sentence_log_probs(model, sources, [hypothesis.tokens for hypothesis in theirs])
    for found, best, log_prob in zip(theirs, ours, scored, strict=True):
        assert found.log_prob == found.score == pytest.approx(log_prob, abs=1e-3)
        assert found.tokens == best.tokens or found.log_prob == pytest.approx(
            best.log_prob, abs=TIE
        )


class TestTranslations:
    @pytest.mark.parametrize("end", [-1.0, 1.0], ids=["often too long", "soon ended"])
    def test_greedy_translations_are_the_same(self, model, end, tmp_path):
        with torch.no_grad():
            model.output.bias[EOS] += end
        oracle = renormalised(model)
        ours = [found[0] for found in search(oracle, SOURCES)]
        assert_same(exported(model, tmp_path / "x").search(SOURCES), ours, oracle, SOURCES)

    @pytest.mark.slow
    @pytest.mark.parametrize("beam_size", [2, 5])
    @pytest.mark.parametrize("end", [-1.0, 1.0], ids=["often too long", "soon ended"])
    def test_beam_search_finds_the_best_that_our_beam_ever_held(
        self, beam_size, end, model, tmp_path
    ):
        """Mostly that is what our search finds; else a finished hypothesis lost its place to K
        unfinished ones."""
        with torch.no_grad():
            model.output.bias[EOS] += end
        oracle, sources = renormalised(model), SOURCES[:30]
        theirs = exported(model, tmp_path / "x").search(sources, beam_size)
        assert_same(
            theirs, [best_ever(oracle, source, beam_size) for source in sources], oracle, sources
        )
        for found, (best, *_) in zip(theirs, search(oracle, sources, beam_size), strict=True):
            assert found.tokens == best.tokens or found.log_prob > best.log_prob - TIE

    @pytest.mark.parametrize("beam_size", [1, 2, 5, 8])
    def test_what_has_learnt_translates_the_same_without_any_change(
        self, beam_size, learnt, tmp_path
    ):
        sources = made_up_sources(learnt, 60)
        theirs = exported(learnt, tmp_path / "x").search(sources, beam_size)
        ours = [found[0] for found in search(learnt, sources, beam_size)]
        assert (
            sum(a.tokens == b.tokens for a, b in zip(theirs, ours, strict=True)) >= len(sources) - 1
        )  # a tie at most

    @pytest.mark.parametrize("length_penalty", [0.6, 1.0])
    @pytest.mark.parametrize("patience", [1.0, 2.0])
    def test_a_length_penalty_scores_by_the_same_rule(
        self, length_penalty, patience, model, tmp_path
    ):
        """Which of two hypotheses is better is the same question there, even where the searches
        find different ones."""
        oracle = renormalised(model)
        theirs = exported(model, tmp_path / "x").search(
            SOURCES, 5, length_penalty, patience=patience
        )
        log_probs = sentence_log_probs(
            oracle, SOURCES, [hypothesis.tokens for hypothesis in theirs]
        )
        ours = [found[0] for found in search(oracle, SOURCES, 5, length_penalty=length_penalty)]
        for hypothesis, log_prob, best in zip(theirs, log_probs, ours, strict=True):
            score = log_prob / (len(hypothesis.tokens) + 1) ** length_penalty
            assert (hypothesis.log_prob, hypothesis.score) == pytest.approx(
                (log_prob, score), abs=1e-3
            )
            if hypothesis.tokens == best.tokens:
                assert hypothesis.score == pytest.approx(best.score, abs=TIE)

    def test_pad_and_bos_are_never_written(self, tmp_path):
        model = random_model(end=-2.0)
        with torch.no_grad():
            model.output.bias[[PAD, BOS]] = 10.0
        theirs = exported(model, tmp_path / "x")
        for beam_size in (1, 5):
            written = {
                token for found in theirs.search(SOURCES, beam_size) for token in found.tokens
            }
            assert written and not written & set(SPECIALS[:3])

    def test_a_translation_does_not_depend_on_the_others(self, model, tmp_path):
        theirs = exported(model, tmp_path / "x")
        together = theirs.search(SOURCES, 3, batch_size=7)
        assert [theirs.search([source], 3)[0].tokens for source in SOURCES] == [
            found.tokens for found in together
        ]

    def test_nothing_is_translated_by_nothing(self, tmp_path):
        found = exported(random_model(end=-9.0), tmp_path / "x").search([(), ("s1",)], 2)
        assert found[0].tokens == () and found[1].tokens != ()

    def test_a_beam_of_nothing_is_refused(self, tmp_path):
        with pytest.raises(ValueError, match=r"beam_size \(--beam\) ≥ 1"):
            exported(random_model(), tmp_path / "x").search([("s1",)], 0)


class TestAgreement:
    def test_a_float32_export_agrees_and_another_model_does_not(self, learnt, tmp_path):
        sources = made_up_sources(learnt, 10)
        agreement = compare(learnt, exported(learnt, tmp_path / "x"), sources)
        assert agreement.n_sentences == 10 and min(agreement.n_greedy, agreement.n_beam) >= 9
        check_same_numbers(agreement)
        another = deepcopy(learnt)
        another.encoder_norm.bias.data += 1.0
        with pytest.raises(ExportError, match="other probabilities"):
            check_same_numbers(compare(another, ExportedModel.load(tmp_path / "x"), sources))

    def test_no_number_is_no_agreement(self):
        with pytest.raises(ExportError):
            check_same_numbers(Agreement(1, 1, 1, float("nan")))

    def test_a_vocabulary_without_words_has_no_sentences(self):
        empty = TransformerSeq2Seq(SPEC, Vocabulary.build([]), TARGET)
        with pytest.raises(ExportError, match="no words"):
            made_up_sources(empty, 1)


def test_what_cannot_be_computed_there_is_refused_with_the_reason(tmp_path):
    words = Vocabulary.build([("ant",)])
    for model, reason in (
        (
            LSTMSeq2Seq(LSTMSpec(8), words, words),
            "Transformers only, and this model is of the type 'lstm'",
        ),
        (random_model(replace(SPEC, memory=3)), "the last 3 target words only"),
    ):
        with pytest.raises(ExportError, match=reason):
            check_exportable(model)
        with pytest.raises(ExportError, match=reason):
            write_ctranslate2(model, tmp_path)
    with pytest.raises(ExportError, match="one of float32, float16, int8; got 'int4'"):
        write_ctranslate2(random_model(), tmp_path, "int4")
    assert not list(tmp_path.iterdir())


def run(capsys, *arguments) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of `seqkd-lab export`."""
    try:
        code = cli.main(["export", *map(str, arguments)])
    except SystemExit as error:  # argparse
        code = error.code
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def assert_refused(outcome: tuple[int, str, str], *words: str) -> None:
    code, out, err = outcome
    last = err.splitlines()[-1]
    assert (code, out) == (2, "") and last.startswith("seqkd-lab") and "Traceback" not in err
    assert all(word in last for word in words), last


@pytest.fixture
def folder_of_words(learnt, tmp_path) -> Path:
    save_folder(tmp_path / "model", TrainedModel(learnt), {})
    return tmp_path / "model"


@pytest.fixture
def folder_of_subwords(tmp_path) -> tuple[Path, TrainedModel]:
    text = [" ".join(random.Random(i).choices(ENGLISH + GERMAN, k=6)) for i in range(60)]
    subwords = SubwordTokeniser.train(text, 60)
    vocabulary = Vocabulary.build([subwords.encode(line) for line in text])
    torch.manual_seed(1)
    trained = TrainedModel(TransformerSeq2Seq(SPEC, vocabulary, vocabulary).eval(), subwords)
    trained.model.output.bias.data[EOS] = (
        2.0  # what README.md does with a translation that is too long is not ours
    )
    save_folder(tmp_path / "model", trained, {})
    return tmp_path / "model", trained


def by_readme(directory: Path, sentence: str, monkeypatch, capsys) -> str:
    """What the program in README.md prints for `sentence`, run in that folder without seqkd_lab."""
    (program,) = re.findall(
        r"```python\n(.*?)```", (directory / "README.md").read_text(encoding="utf-8"), re.DOTALL
    )
    assert "seqkd_lab" not in program
    program = re.sub(r'"[^"]*"\.split', repr(sentence) + ".split", program).replace(
        '"Your sentence."', repr(sentence)
    )
    monkeypatch.chdir(directory)
    exec(compile(program, "README.md", "exec"), {})
    return capsys.readouterr().out.rstrip("\n")


class TestCommand:
    def test_its_help_says_what_is_needed_and_what_comes_out(self, capsys):
        code, out, _ = run(capsys, "--help")
        assert code == 0
        for words in (
            "pip install ctranslate2",
            "MODEL OUT",
            "README.md",
            "int8",
            "An LSTM cannot be exported",
        ):
            assert words in " ".join(out.split())

    def test_it_writes_a_model_of_words_and_says_what_agrees(
        self, folder_of_words, learnt, tmp_path, monkeypatch, capsys
    ):
        code, out, err = run(capsys, folder_of_words, tmp_path / "out")
        assert code == 0, err
        weights = (tmp_path / "out" / "model.bin").stat().st_size
        assert f"{folder.n_bytes(tmp_path / 'out'):,} bytes, {weights:,} of them weights" in out
        assert f"before: {4 * learnt.n_parameters():,} bytes" in out
        assert re.search(r"greedy (19|20) of 20, beam 5 (19|20) of 20", out)
        assert sorted(os.listdir(tmp_path)) == ["model", "out"]
        assert oct((tmp_path / "out").stat().st_mode)[-3:] == "755"
        best = search(learnt, [("the", "cat", "sees")], 5)[0][0].tokens
        assert by_readme(tmp_path / "out", "the cat sees", monkeypatch, capsys) == " ".join(best)

    def test_a_model_of_subwords_brings_its_cutter(
        self, folder_of_subwords, tmp_path, monkeypatch, capsys
    ):
        directory, trained = folder_of_subwords
        text = tmp_path / "text"
        text.write_text("the cat\n\na Hütte sees ∀\n" * 3, encoding="utf-8")
        code, out, err = run(
            capsys, directory, tmp_path / "out", "--quantisation", "int8", "--check", text
        )
        assert code == 0 and "of 6, beam" in out and "int8" in out, err
        assert (tmp_path / "out" / "subwords.model").read_bytes() == trained.subwords.model
        about = read_json(tmp_path / "out" / "export.json")
        assert (
            about["quantisation"] == "int8"
            and about["n_parameters"] == trained.model.n_parameters()
        )
        assert (
            run(capsys, directory, tmp_path / "out")[0] == 0
        )  # takes the place of the earlier export
        assert read_json(tmp_path / "out" / "export.json")["quantisation"] == "float32"
        best = search(renormalised(trained.model), [trained.encode("a red  Hütte")], 5)[0][0].tokens
        shown = by_readme(tmp_path / "out", "a red  Hütte", monkeypatch, capsys)
        assert shown.replace(" ", "") == trained.decode(best).replace(" ", "")

    def test_what_is_in_the_way_is_refused_before_the_work(self, tmp_path, monkeypatch, capsys):
        monkeypatch.setattr(command, "find_model", lambda *_: pytest.fail("the work began"))
        (tmp_path / "file").write_text("mine")
        (tmp_path / "folder").mkdir()
        (tmp_path / "other").mkdir()
        (tmp_path / "other" / "export.json").write_text('["ctranslate2"]')
        (tmp_path / "link").symlink_to(tmp_path / "nowhere")
        for name in ("file", "folder", "other", "link"):
            assert_refused(
                run(capsys, "model", tmp_path / name),
                name,
                "exists already and is not an earlier export",
            )
        assert (tmp_path / "file").read_text() == "mine"

    def test_a_place_where_nothing_can_be_written_is_named(self, folder_of_words, tmp_path, capsys):
        (tmp_path / "file").write_text("")
        assert_refused(
            run(capsys, folder_of_words, tmp_path / "file" / "out"), str(tmp_path / "file" / "out")
        )

    def test_models_that_cannot_be_exported_leave_nothing(self, tmp_path, capsys):
        words = Vocabulary.build([("ant",)])
        save_model(tmp_path / "lstm", LSTMSeq2Seq(LSTMSpec(8), words, words))
        save_model(tmp_path / "short", random_model(replace(SPEC, memory=2)))
        assert_refused(run(capsys, tmp_path / "lstm", tmp_path / "out"), "'lstm'", "recurrent")
        assert_refused(run(capsys, tmp_path / "short", tmp_path / "out"), "last 2 target words")
        assert_refused(run(capsys, tmp_path / "none", tmp_path / "out"), "none", "neither")
        assert_refused(
            run(capsys, tmp_path / "lstm", tmp_path / "out", "--quantisation", "int3"),
            "int3",
            "int8",
        )
        assert_refused(
            run(capsys, tmp_path / "lstm", tmp_path / "out", "--format", "onnx"),
            "onnx",
            "ctranslate2",
        )
        assert sorted(os.listdir(tmp_path)) == ["lstm", "short"]

    def test_without_ctranslate2_it_says_how_to_install_it(
        self, folder_of_words, tmp_path, monkeypatch, capsys
    ):
        monkeypatch.setitem(sys.modules, "ctranslate2", None)
        outcome = run(capsys, folder_of_words, tmp_path / "out")
        assert_refused(outcome, "pip install 'ctranslate2>=")
        assert outcome[2].count("\n") == 1

    def test_an_error_on_the_way_leaves_the_earlier_export_whole(
        self, folder_of_words, tmp_path, monkeypatch, capsys
    ):
        assert run(capsys, folder_of_words, tmp_path / "out")[0] == 0
        before = {file.name: file.read_bytes() for file in (tmp_path / "out").iterdir()}

        def full(*_):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(folder, "write_json", full)
        assert_refused(run(capsys, folder_of_words, tmp_path / "out"), "No space left")
        assert {file.name: file.read_bytes() for file in (tmp_path / "out").iterdir()} == before
        assert sorted(os.listdir(tmp_path)) == ["model", "out"]

    def test_an_export_that_computes_something_else_is_not_written(
        self, folder_of_words, tmp_path, monkeypatch, capsys
    ):
        specify = ctranslate2_format.specify

        def damaged(model):
            specification = specify(model)
            specification.encoder.layer_norm.beta += 1.0
            return specification

        monkeypatch.setattr(ctranslate2_format, "specify", damaged)
        assert_refused(run(capsys, folder_of_words, tmp_path / "out"), "other probabilities")
        assert not (tmp_path / "out").exists()

    def test_a_text_without_lines_is_refused(self, folder_of_words, tmp_path, capsys):
        (tmp_path / "empty").write_text("\n\n")
        for name in ("empty", "missing"):
            assert_refused(
                run(capsys, folder_of_words, tmp_path / "out", "--check", tmp_path / name), name
            )
        assert not (tmp_path / "out").exists()


@pytest.fixture
def benchmark(monkeypatch):
    monkeypatch.syspath_prepend(
        str(Path(__file__).resolve().parents[2])
    )  # benchmarks/ is run from the checkout
    from benchmarks import exported as module

    return module


class TestBenchmark:
    def test_it_measures_a_model_of_ones_own(self, benchmark, folder_of_words, tmp_path, capsys):
        (tmp_path / "text").write_text(
            "the cat sees\n\na dog hears the red house\nthe bird\n", encoding="utf-8"
        )
        arguments = [
            "--model",
            folder_of_words,
            "--input",
            tmp_path / "text",
            "--rounds",
            "2",
            "--results",
            tmp_path / "results.json",
        ]
        assert benchmark.main(list(map(str, arguments))) == 0
        assert "same of 3" in capsys.readouterr().out
        results = read_json(tmp_path / "results.json")
        assert (results["sentences"], results["source_words"]) == (3, 11)
        assert {(line["search"], line["way"]) for line in results["medians"]} == set(
            product(
                ("greedy", "beam 5", "greedy, one by one", "beam 5, one by one"),
                ("seqkd_lab", "CTranslate2 float32", "CTranslate2 int8"),
            )
        )
        assert all(
            len(seconds) == 2 for ways in results["cpu_s"].values() for seconds in ways.values()
        )
        assert str(tmp_path) not in (tmp_path / "results.json").read_text(encoding="utf-8")

    def test_ratios_are_made_round_by_round(self, benchmark):
        seconds = {"greedy": {"seqkd_lab": [1.0, 4.0, 9.0], "CTranslate2 int8": [1.0, 2.0, 3.0]}}
        lines = benchmark.lines_of(
            seconds, {"greedy": {"seqkd_lab": 5, "CTranslate2 int8": 4}}, n_words=12
        )
        assert [(line["words_a_cpu_s"], line["times_faster"], line["same"]) for line in lines] == [
            (3, 1, 5),
            (6, 2, 4),
        ]
        assert (lines[1]["times_faster_least"], lines[1]["times_faster_most"]) == (1, 3)

    def test_what_cannot_be_asked_is_said_before_anything_is_measured(
        self, benchmark, tmp_path, capsys, monkeypatch
    ):
        words = Vocabulary.build([("ant",)])
        save_model(tmp_path / "lstm", LSTMSeq2Seq(LSTMSpec(8), words, words))
        (tmp_path / "text").write_text("ant\n")
        monkeypatch.setattr(benchmark, "measure", lambda *_: pytest.fail("it measures"))
        for arguments, message in (
            (["--model", tmp_path / "lstm"], "belong together"),
            (["--rounds", "0"], "must be at least 1"),
            (["--batch", "0"], "must be at least 1"),
            (["--model", tmp_path / "lstm", "--input", tmp_path / "text"], "Transformers only"),
            (["--model", tmp_path / "lstm", "--input", tmp_path / "nothing"], "nothing"),
        ):
            assert benchmark.main(list(map(str, arguments))) == 2
            assert message in capsys.readouterr().err
