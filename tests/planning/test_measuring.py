"""What measures a device: what it counts, that it steps back where memory is short, its file."""

from __future__ import annotations

import json

import pytest
import torch
from synthetic_rates import rates

from seqkd_lab.decoding.search import search
from seqkd_lab.files import FileError
from seqkd_lab.models.lstm import LSTMSpec
from seqkd_lab.models.transformer import TransformerSpec
from seqkd_lab.planning import made_up, measuring
from seqkd_lab.planning.here import fitting
from seqkd_lab.planning.measuring import Effort, Search, Subject
from seqkd_lab.planning.rates import read_rates, write_rates

SPECS = (LSTMSpec(8), TransformerSpec(8, 1, 2, 12, 0.1), TransformerSpec(8, 1, 2, 12, tied=True))
LENGTHS = made_up.Lengths(source=6, target=5, deviation=3, longest=11)
CPU = torch.device("cpu")


def subject(spec) -> Subject:
    words = made_up.vocabulary(30)
    return Subject("test", made_up.model(spec, words, words), pairs(60))


def pairs(n_pairs: int):
    return made_up.pairs(n_pairs, LENGTHS, (30, 30), seed=1)


@pytest.mark.parametrize("spec", SPECS, ids=str)
@pytest.mark.parametrize("how", [(1, 1), (5, 1), (9, 9)])
def test_every_translation_of_a_made_up_model_is_as_long_as_it_must_be(spec, how) -> None:
    model = subject(spec).model
    for n_best in search(model, pairs(7).source, *how, max_length=4):
        assert {len(hypothesis.tokens) for hypothesis in n_best} <= {3} and len(n_best) == how[1]


def test_made_up_pairs_have_the_lengths_of_a_corpus() -> None:
    made = made_up.pairs(4_000, made_up.MULTI30K, (50, 60), seed=3)
    source = sum(map(len, made.source)) / len(made)
    target = sum(map(len, made.target)) / len(made)
    assert source == pytest.approx(made_up.MULTI30K.source, rel=0.02)
    assert target == pytest.approx(made_up.MULTI30K.target, rel=0.04)
    assert max(map(len, made.source)) <= 39 and min(map(len, made.target)) >= 1
    assert made == made_up.pairs(4_000, made_up.MULTI30K, (50, 60), seed=3)


@pytest.mark.parametrize("spec", SPECS, ids=str)
def test_a_training_counts_what_it_learned_from(spec) -> None:
    measured = measuring.training_rate(subject(spec), Effort(rounds=2, n_batches=10, batch_size=16))
    made = pairs(60)
    assert (measured.sentences, measured.job, measured.beam) == (60, "train", 0)
    assert measured.source_tokens == sum(len(words) + 1 for words in made.source)
    assert measured.target_tokens == sum(len(words) + 1 for words in made.target)
    assert len(measured.seconds) == 2 and measured.tokens_per_s > 0
    assert measured.model.source_length == pytest.approx(measured.source_tokens / 60)


def test_a_search_counts_what_it_translated() -> None:
    how = Search(beam=5, kept=2)
    measured = measuring.search_rate(subject(SPECS[0]), how, 4, Effort(1, 3, 8))
    assert (measured.sentences, measured.target_tokens) == (24, 4 * 24)
    assert (measured.beam, measured.kept, measured.batch_size) == (5, 2, 8)


def test_spread_batches_are_batches_of_the_sorted_text() -> None:
    sources = pairs(60).source
    chosen = measuring.spread_batches(sources, 10, 3)
    lengths = [len(words) for words in sorted(sources, key=len)]
    assert [len(words) for words in chosen] == lengths[10:20] + lengths[30:40] + lengths[50:60]
    assert sorted(measuring.spread_batches(sources, 100, 3)) == sorted(sources)


def memory_for(most: int, error: Exception):
    """Work that fails with `error` for batches of more than `most` sentences."""

    def work(batch_size: int) -> None:
        if batch_size > most:
            raise error

    return work


@pytest.mark.parametrize(
    "error", [torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"), MemoryError()]
)
def test_the_batch_is_halved_until_it_fits(error) -> None:
    found = measuring.largest_that_fits(memory_for(37, error), 256, CPU)
    assert found == (32, [256, 128, 64])
    assert measuring.largest_that_fits(memory_for(37, error), 37, CPU) == (37, [])
    with pytest.raises(type(error)):
        measuring.largest_that_fits(memory_for(0, error), 4, CPU)


def test_another_error_is_not_taken_for_want_of_memory() -> None:
    with pytest.raises(RuntimeError, match="shapes"):
        measuring.largest_that_fits(memory_for(3, RuntimeError("shapes differ")), 8, CPU)


def test_a_gpu_is_waited_for_before_the_clock_is_read(monkeypatch) -> None:
    """Without it, the seconds would be those of asking, not of computing."""
    calls: list[str] = []
    clock = iter(range(100))

    def note(name: str, value=None):
        return lambda *_: calls.append(name) or (next(clock) if value is None else value)

    monkeypatch.setattr(torch.cuda, "synchronize", note("wait", 0))
    monkeypatch.setattr(measuring.time, "perf_counter", note("clock"))
    seconds = measuring.timed(note("work", 0), torch.device("cuda"), rounds=2)
    assert calls == ["wait", "clock", "work", "wait", "clock"] * 2 and seconds == [1, 1]


def test_a_gpus_peak_is_counted_anew_for_each_job(monkeypatch) -> None:
    calls: list[str] = []
    for name in ("empty_cache", "reset_peak_memory_stats", "max_memory_allocated"):
        monkeypatch.setattr(
            torch.cuda, name, lambda *_, name=name: calls.append(name) or 3 * measuring.MIB
        )
    measuring.forget_peak(torch.device("cuda"))
    assert measuring.peak_mib(torch.device("cuda")) == 3
    assert calls == ["empty_cache", "reset_peak_memory_stats", "max_memory_allocated"]


def test_similarities_are_counted() -> None:
    found = measuring.similarity_rate(LENGTHS, rounds=1, number=70)
    assert found.number == 70 and found.per_s > 0


def test_a_model_that_does_not_fit_is_measured_smaller() -> None:
    spec, n_words = LSTMSpec(width=1000, layers=4), 50_000
    assert fitting(spec, n_words, 64e9) == (spec, n_words)
    assert fitting(spec, n_words, float("nan")) == (spec, n_words)
    small, few = fitting(spec, n_words, 1e8)
    assert small.width < 500 and small.layers == 4 and few < 25_000
    least, fewest = fitting(spec, 100, 1.0)
    assert 2 <= least.width <= 32 and fewest == 100


def test_rates_are_read_as_they_were_written(tmp_path) -> None:
    path = tmp_path / "rates of a GPU, ä.json"
    write_rates(path, rates())
    assert read_rates(path) == rates()


@pytest.mark.parametrize(
    ("keys", "value", "named"),
    [
        (("device",), "tpu", "device"),
        (("rates",), [], "rates"),
        (("rates", 0, "seconds"), [], "seconds"),
        (("rates", 0, "seconds", 0), 0, "seconds"),
        (("rates", 0, "seconds", 0), -1.0, "seconds"),
        (("rates", 0, "target_tokens"), 0, "target_tokens"),
        (("rates", 0, "model", "width"), "wide", "width"),
        (("rates", 0, "beam"), 5, "training has none"),
        (("rates", 1, "kept"), 6, "no more is kept"),
        (("similarities", "seconds", 0), 1e300, "similarities"),
        (("surprise",), 1, "surprise"),
    ],
)
def test_a_damaged_file_is_refused_by_the_name_of_its_key(tmp_path, keys, value, named) -> None:
    path = tmp_path / "rates.json"
    write_rates(path, rates())
    content = json.loads(path.read_text())
    place = content
    for key in keys[:-1]:
        place = place[key]
    place[keys[-1]] = value
    path.write_text(json.dumps(content))
    with pytest.raises(FileError, match=named) as refused:
        read_rates(path)
    assert "rates.json" in str(refused.value) and "benchmarks.device" in str(refused.value)
