"""The benchmarks' own arithmetic: counts of operations, ratios, merged results, refusals. No peer
is needed."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))  # benchmarks/ is run from the checkout, never installed

import benchmarks.tool  # noqa: E402
from benchmarks import __main__ as command  # noqa: E402
from benchmarks import ceiling, levers, profile, report, results, runner, worker  # noqa: E402
from benchmarks import corpus as toy  # noqa: E402
from benchmarks.peers import setup, tutorial  # noqa: E402
from benchmarks.tool import OURS, SIZES, TOOLS, Size  # noqa: E402
from seqkd_lab.decoding.search import search  # noqa: E402
from seqkd_lab.optimisation import one_cycle  # noqa: E402
from seqkd_lab.planning.operations import Shape, lstm_decoder  # noqa: E402
from seqkd_lab.runs.data import load_toy  # noqa: E402
from seqkd_lab.runs.recipes import ToyData  # noqa: E402

SHAPE = Shape(
    width=8, layers=2, n_source_words=20, n_target_words=30, source_length=5, target_length=7
)


def test_larger_batches_share_the_bytes_of_the_weights() -> None:
    alone, together = (ceiling.decoding(SHAPE, 5, batch_size) for batch_size in (1, 64))
    assert together.bytes < alone.bytes and together.operations == alone.operations
    quantised = ceiling.decoding(SHAPE, 5, 1, weight_bytes=1)
    weights = lstm_decoder(SHAPE) / 2
    assert alone.bytes - quantised.bytes == pytest.approx(3 * weights)


def test_the_least_time_is_that_of_the_slower_of_arithmetic_and_memory() -> None:
    work = ceiling.Work(operations=100.0, bytes=10.0)
    assert work.seconds(operations_per_s=10.0, bytes_per_s=10.0) == 10.0
    assert work.seconds(operations_per_s=1000.0, bytes_per_s=10.0) == 1.0


def test_transformers_have_about_as_many_parameters_as_the_lstm_of_their_size() -> None:
    size = SIZES["2x192"]
    lstm, transformer = (ceiling.n_parameters(report.shape(size, kind)) for kind in (False, True))
    assert 0.85 < lstm / transformer < 1.15


def test_spread_and_ratios() -> None:
    assert results.spread([3.0, 1.0, 2.0]) == results.Spread(2.0, 1.0, 3.0)
    assert math.isnan(results.spread([]).median) and str(results.NOTHING) == "–"
    assert results.ratios([4.0, 6.0, 9.0], [2.0, 2.0]) == results.Spread(
        2.5, 2.0, 3.0
    )  # the third has no pair
    assert str(results.Spread(1234.4, 0.125, 15.25)) == "1,234 (0.12–15.2)"


def test_merging_keeps_other_entries_and_adds_rounds() -> None:
    machine = {"cpu": "a cpu"}
    before = results.merge({}, "other", {"cpu_s": 1.0}, machine)
    once = results.merge(
        before, "mine", {"cpu_s": 2.0, "tokens": 10, "versions": {"torch": "2"}}, machine
    )
    twice = results.merge(once, "mine", {"cpu_s": 5.0, "tokens": 10}, machine)
    assert results.rates(twice, "mine", None, "tokens") == [5.0, 2.0]
    assert (
        once["mine"]["versions"] == {"torch": "2"}
        and once["mine"]["machine"] == machine
        and once["mine"]["date"]
    )
    assert twice["other"] == before["other"] and results.runs(before, "mine") == []


def test_a_refusal_takes_the_place_of_rounds_and_a_round_that_of_a_refusal() -> None:
    measured = results.merge({}, "mine", {"cpu_s": 1.0}, {})
    refused = results.merge(measured, "mine", {"refused": "no wheel"}, {})
    assert refused["mine"]["refused"] == "no wheel" and results.runs(refused, "mine") == []
    again = results.merge(refused, "mine", {"cpu_s": 1.0}, {})
    assert "refused" not in again["mine"] and len(results.runs(again, "mine")) == 1


def test_results_are_written_and_read_back(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "results.json"
    assert results.read(path) == {}
    measured = {"a": {"date": "2026-11-24", "machine": {}, "runs": [{"cpu_s": 1.0}]}}
    results.write(path, measured)
    assert results.read(path) == measured
    assert [left.name for left in path.parent.iterdir()] == [path.name]


def test_a_peer_that_is_not_set_up_is_refused_with_what_to_do(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setattr(setup, "ENVIRONMENTS", tmp_path)
    assert "benchmarks.peers.setup joeynmt" in setup.why_not("joeynmt")
    assert runner.run_worker(TOOLS["joeynmt-rnn"], "2x192", "train", {})["refused"].startswith(
        "not set up"
    )
    setup.record_path("joeynmt").write_text(json.dumps({"fingerprint": "f", "reason": "no wheel"}))
    assert setup.why_not("joeynmt") == "no wheel"
    assert setup.why_not("") is None


def test_an_installation_that_fails_is_recorded_and_not_raised(
    monkeypatch, tmp_path: Path, capsys
) -> None:
    monkeypatch.setattr(setup, "ENVIRONMENTS", tmp_path)
    failing = [
        sys.executable,
        "-c",
        "import sys; sys.exit('ERROR: No matching distribution found for joeynmt')",
    ]
    monkeypatch.setattr(setup, "steps", lambda environment: [failing])
    assert setup.main(["joeynmt"]) == 0
    assert "does not install: ERROR: No matching distribution" in capsys.readouterr().out
    assert setup.why_not("joeynmt") == "ERROR: No matching distribution found for joeynmt"


def test_unknown_names_are_answered_with_the_choices(capsys) -> None:
    assert setup.main(["fairseq"]) == 2
    assert "choose joeynmt, opennmt, transformers" in capsys.readouterr().err
    assert command.main(["--tools", "fairseq", "--report"]) == 2
    assert "unknown tool 'fairseq'" in capsys.readouterr().err
    with pytest.raises(ValueError, match=f"ratios need {OURS}"):
        runner.check(["2x192"], ["marian"])
    with pytest.raises(ValueError, match="unknown size '9x9': choose 1x128, 2x192"):
        runner.check(["9x9"], [OURS])


def test_the_last_error_of_a_message_is_its_reason() -> None:
    assert setup.last_line("ERROR: no such wheel\nnotice: a new pip\n") == "ERROR: no such wheel"
    assert setup.last_line("\n") == "no message"


def test_a_worker_that_dies_says_nothing_or_hangs_is_a_refusal() -> None:
    python, variables = sys.executable, runner.environment_variables()
    dead = runner.run([python, "-c", "raise ValueError('too small')"], variables)
    assert dead == {"refused": "ValueError: too small"}
    assert "refused" in runner.run([python, "-c", "print('hello')"], variables)
    asleep = runner.run([python, "-c", "import time; time.sleep(60)"], variables, seconds=0.2)
    assert "did not finish" in asleep["refused"]
    said = f"print({worker.MARK!r} + '{{\"cpu_s\": 1.5}}')"
    assert runner.run([python, "-c", said], variables) == {"cpu_s": 1.5}


def test_decoding_without_weights_says_how_to_make_them(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setattr(benchmarks.tool, "WORK", tmp_path)
    refused = runner.run_worker(TOOLS[OURS], "1x128", "decode", {"runs": [], "plan": "full"})[
        "refused"
    ]
    assert refused == "no weights of seqkd_lab at 1x128; run: python -m benchmarks --prepare"


def measured_by(seconds: dict[str, list[float]]) -> results.Results:
    """Results in which each tool trained 100 sentences of 10 tokens in the given CPU seconds."""
    made: results.Results = {}
    for tool, times in seconds.items():
        for cpu_s in times:
            run = {
                "cpu_s": cpu_s,
                "sentences": 100,
                "tokens": 1000,
                "peak_mib": 5.0,
                "n_parameters": 7,
            }
            made = results.merge(made, runner.name_of("2x192", tool, "train"), run, {})
    return made


def test_aims_compare_round_by_round() -> None:
    found = measured_by({OURS: [1.0, 2.0, 1.0], "joeynmt-rnn": [4.0, 2.0, 4.0]})
    aim = next(aim for aim in report.AIMS if aim.job == "train" and aim.theirs == "joeynmt-rnn")
    assert report.ratio(found, "2x192", aim) == results.Spread(4.0, 1.0, 4.0)
    assert report.verdict(report.ratio(found, "2x192", aim), 3.0) == "yes"
    assert report.verdict(results.NOTHING, 3.0) == "–"


def test_tables_are_printed_from_whatever_there_is() -> None:
    found = measured_by({OURS: [1.0]})
    found = results.merge(found, "2x192/marian/train", {"refused": "no wheel"}, {})
    found = results.merge(
        found, "ceiling", {"threads": 1.0, "square 2048": 100.0, ceiling.WEIGHTS: 10.0}, {}
    )
    printed = report.everything(found, ["2x192"])
    assert "| seqkd_lab | 100 (100–100)" in printed and "marian (not measured: no wheel)" in printed
    assert report.everything({}, list(SIZES))


def test_the_fastest_batch_size_is_taken() -> None:
    run = {
        "greedy 32": {"cpu_s": 2.0, "sentences": 10},
        "greedy 64": {"cpu_s": 1.0, "sentences": 10},
    }
    found = results.merge({}, "sweep", run, {})
    assert runner.fastest(found, "sweep", "greedy", (32, 64)) == 64
    assert runner.fastest({}, "sweep", "greedy", (32, 64)) == 64


def test_every_tool_gets_the_ids_that_the_lab_gives() -> None:
    corpus, lab = toy.load(), load_toy(ToyData())
    assert corpus.source_vocabulary == lab.source_vocabulary.tokens
    assert corpus.target_vocabulary == lab.target_vocabulary.tokens
    encoded = corpus.encoded(corpus.test[:3])
    assert [x[:-1] for x, _ in encoded] == [
        lab.source_vocabulary.ids(x) for x in lab.test.source[:3]
    ]
    assert toy.words(encoded[0][1], corpus.target_vocabulary) == list(lab.test.target[0])


@pytest.mark.parametrize("seed", [None, 3])
def test_each_pair_stands_in_one_batch(seed: int | None) -> None:
    encoded = [([2] * (n % 7 + 1), [1, 2]) for n in range(50)]
    found = [pair for batch in toy.batches(encoded, 8, seed) for pair in batch]
    assert sorted(map(id, found)) == sorted(map(id, encoded))


def test_the_peers_schedule_is_the_labs() -> None:
    for progress in (0.0, 0.05, 0.1, 0.4, 1.0):
        assert benchmarks.tool.one_cycle(progress) == one_cycle(progress, benchmarks.tool.WARMUP)


@pytest.mark.parametrize("kind", [tutorial.Tutorial, tutorial.Prefix])
@pytest.mark.parametrize("beam_size", [1, 3])
def test_tutorial_decoding_writes_what_the_labs_search_writes(kind: type, beam_size: int) -> None:
    words = tuple("abcdef")
    pairs = [(words[n : n + 3], words[: n + 1]) for n in range(4)]
    corpus = toy.Corpus(pairs, pairs, pairs, toy.SPECIALS + words, toy.SPECIALS + words)
    tool = kind(Size("tiny", 1, 8, 0), corpus, None)
    with torch.no_grad():
        for parameter in tool.model.parameters():
            parameter.mul_(3.0)  # uneven distributions
    sources = [source for source, _ in pairs]
    expected = [list(found[0].tokens) for found in search(tool.model, sources, beam_size)]
    longest = (
        2 * (len(sources[0]) + 1) + 10
    )  # there, the lab ends a translation by force, and a tutorial just stops
    for found, wanted in zip(tool.translate(sources, beam_size, 1), expected, strict=True):
        if beam_size == 1 or len(found) < longest:
            assert found[: len(wanted)] == wanted and len(found) - len(wanted) <= (
                len(found) == longest
            )


def test_the_profile_is_written_between_its_markers() -> None:
    text = f"above\n{profile.BEGIN}\nold\n{profile.END}\nbelow"
    assert (
        profile.between_markers(text, "new")
        == f"above\n{profile.BEGIN}\n\nnew\n\n{profile.END}\nbelow"
    )
    with pytest.raises(ValueError, match="put them back"):
        profile.between_markers("nothing", "new")
    assert profile.BEGIN in profile.README.read_text(encoding="utf-8")


def test_a_profile_table_adds_up() -> None:
    table = profile.table([("mm", 10, 0.75), ("add", 5, 0.25)], top=1)
    assert "| `mm` | 75.0% | 10 | 75000.0 |" in table and "| 1 others | 25.0% | | |" in table


def test_pins_are_exact_and_name_no_place() -> None:
    for path in sorted(setup.REQUIREMENTS.glob("*.txt")):
        assert path.stem in setup.TRIALS
        for line in path.read_text(encoding="utf-8").splitlines():
            assert line.startswith("#") or (
                line.count("==") == 1 and "/" not in line and "@" not in line
            ), line


@pytest.mark.parametrize(
    "lever", [lever for lever in levers.LEVERS if lever.exact], ids=lambda lever: lever.name
)
def test_both_ways_of_a_lever_give_the_same(lever) -> None:
    before, after = lever.make()
    torch.testing.assert_close(before(), after(), rtol=1e-4, atol=1e-5)


def test_a_lever_whose_ways_differ_is_refused() -> None:
    wrong = levers.Lever("wrong", "", lambda: (lambda: torch.zeros(2), lambda: torch.ones(2)))
    with pytest.raises(ValueError, match="wrong"):
        levers.measure(wrong)


def test_sliders_are_judged_by_their_median_and_those_that_move_no_picture_are_not() -> None:
    name = report.WITH_SLIDERS[0]
    sliders = {"quick": [50.0, 60.0, 900.0], "slow": [90.0, 101.0, 300.0], "words": []}
    lines = report.sliders_table(
        {f"sliders/{name}": {"runs": [{"bare": [20.0], "sliders": sliders}]}}
    ).splitlines()
    assert [
        line.split("|")[2].strip() + ": " + line.split("|")[6].strip() for line in lines[-3:]
    ] == ["quick: yes", "slow: no", "words: changes text alone"]
