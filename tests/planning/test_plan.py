"""Plans against hand-made arithmetic, and the laws that they must obey."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from synthetic_rates import LENGTHS, N_WORDS, measured, rate, rates

from seqkd_lab.models.lstm import LSTMSpec
from seqkd_lab.planning.needs import disk, fits, memory_of
from seqkd_lab.planning.plan import Corpus, Devices, Epochs, Order, Step, steps
from seqkd_lab.planning.rates import Rates
from seqkd_lab.planning.reported import beside_opennmt, reported
from seqkd_lab.planning.tables import plan_in_words

SPEC = LSTMSpec(width=100, layers=2)
ORDER = Order(
    Corpus(n_pairs=36_000, source_length=LENGTHS[0], target_length=LENGTHS[1], n_words=N_WORDS),
    SPEC,
    (SPEC,),
    Epochs(teacher=4, student=3, tuning=2),
    (5, 35),
    Devices(n=1, efficiency=1.0),
)


def hours(order: Order, of: Rates | None = None) -> list[float]:
    return [step.hours for step in steps(order, of or rates())]


def together(order: Order) -> list[float]:
    return [step.hours_together for step in steps(order, rates())]


def test_hours_are_those_computed_by_hand() -> None:
    """36,000 pairs of 25 tokens are 900,000 tokens; an hour has 3,600 seconds."""
    expected = [
        4 * 900_000 / 1_000 / 3_600,  # the teacher, 1,000 tokens a second
        900_000 / 400 / 3_600,  # K = 5
        36_000 / 7_000 / 3_600,  # a sentence BLEU each
        900_000 / 50 / 3_600,  # K = 35
        36 * 36_000 / 7_000 / 3_600,  # 35 to choose from, and one for the file
        3 * 900_000 / 1_000 / 3_600,
        2 * 900_000 / 1_000 / 3_600,
    ]
    assert hours(ORDER) == pytest.approx(expected)


def test_twice_the_pairs_are_twice_the_hours() -> None:
    twice = replace(ORDER, corpus=replace(ORDER.corpus, n_pairs=2 * ORDER.corpus.n_pairs))
    assert hours(twice) == pytest.approx([2 * each for each in hours(ORDER)])


def test_several_devices_share_the_work_and_lose_efficiency_in_training_only() -> None:
    many = replace(ORDER, devices=Devices(n=8, efficiency=0.75))
    assert hours(many) == hours(ORDER)
    found = [one / eight for one, eight in zip(together(ORDER), together(many), strict=True)]
    assert found == pytest.approx([6, 8, 8, 8, 8, 6, 6])


def test_one_device_loses_nothing_to_itself() -> None:
    assert together(replace(ORDER, devices=Devices(n=1, efficiency=0.5))) == hours(ORDER)


def test_a_device_is_taken_to_compute_as_many_operations_a_second_at_every_size() -> None:
    larger = replace(ORDER, teacher=LSTMSpec(width=300, layers=4))
    small, large = (steps(order, rates())[0] for order in (ORDER, larger))
    assert large.operations > 5 * small.operations
    assert large.per_s * large.operations == pytest.approx(small.per_s * small.operations)


def test_every_student_is_trained_and_tuned() -> None:
    two = replace(ORDER, students=(SPEC, LSTMSpec(width=50, layers=1)))
    names = [step.name for step in steps(two, rates())]
    assert [name.split()[1] for name in names[5:]] == ["2x100", "2x100", "1x50", "1x50"]


def test_the_nearest_measurement_has_the_same_architecture_then_the_same_beam_then_the_size() -> (
    None
):
    shape = measured(4, 400).shape()
    transformer, far = rate(measured(4, 400, 800), 5, 1), rate(measured(1, 50), 5, 1)
    near, other_beam = rate(measured(3, 300), 5, 1), rate(measured(4, 400), 35, 1)
    found = rates(transformer, far, other_beam, near)
    assert found.nearest("search", 5, shape) is near
    assert rates(transformer, other_beam).nearest("search", 5, shape) is other_beam
    assert rates(transformer).nearest("search", 5, shape) is transformer
    with pytest.raises(ValueError, match="train"):
        found.nearest("train", 0, shape)


def printed(order: Order, price: float | None = None, device: str = "cuda") -> str:
    of = rates(device=device)
    return plan_in_words(order, steps(order, of), of, "measured for a test", price)


def cells_of(text: str) -> list[list[str]]:
    """The rows of the table between its heads and the sum in days, each in cells."""
    table = text[text.index("step  ") : text.index("That is")]
    return [re.split(r"\s{2,}", line) for line in table.strip().splitlines()]


def value(cell: str) -> float:
    return float(cell.replace(",", "").split()[0])


def test_the_printed_table_adds_up() -> None:
    heads, *rows, total = cells_of(printed(replace(ORDER, devices=Devices(4, 0.5)), price=2.0))
    assert heads[-3:] == ["hours on 1", "hours on 4", "cost"]
    for column in (-3, -2, -1):
        values = [value(row[column]) for row in rows]
        assert sum(values) == pytest.approx(value(total[column]), rel=0.01)
    for row in rows:
        work, per_s, one, four, cost = (value(row[place]) for place in (1, 3, 4, 5, 6))
        assert work / per_s / 3600 == pytest.approx(one, rel=0.02)
        assert one / four == pytest.approx(2 if "epoch" in row[0] else 4, rel=0.02)
        assert cost == pytest.approx(four * 4 * 2.0, rel=0.02)


def test_each_line_of_the_arithmetic_is_true() -> None:
    text = printed(replace(ORDER, devices=Devices(4, 0.5)), price=2.0)
    lines = text[text.index("Arithmetic") : text.index("Memory")].strip().splitlines()[1:]
    assert len(lines) == len(steps(ORDER, rates()))
    number = r"([\d,]+(?:\.\d+)?)"
    for line in lines:
        factors, work = re.search(rf": (.*?) = {number} (?:tokens|sentence)", line).groups()
        product = 1.0
        for factor in re.findall(r"(?:^|× )([\d,.]+)", factors):
            product *= value(factor)
        assert product == pytest.approx(value(work), rel=0.01), line
        quotient = re.search(
            rf"; {number} / {number} / 3600 = {number} h; / ([\d.]+) = {number}", line
        )
        work, per_s, one, by, four = map(value, quotient.groups())
        assert work / per_s / 3600 == pytest.approx(one, rel=0.02), line
        assert one / by == pytest.approx(four, rel=0.02), line
        assert value(line.rpartition("= ")[2]) == pytest.approx(four * 4 * 2, rel=0.02), line


def test_the_plan_says_what_it_does_not_know() -> None:
    one, eight = printed(ORDER), printed(replace(ORDER, devices=Devices(8, 1.0)))
    assert "--efficiency" in eight and "--efficiency" not in one
    assert "no figure of one is ours" in printed(ORDER, device="cpu")
    assert "not a GPU" in printed(ORDER, device="cpu") and "not a GPU" not in one
    assert "cost" not in one and "cost" in printed(ORDER, price=1.0)


def test_what_others_reported_is_computed_for_these_pairs() -> None:
    """4 million sources of 25.8 words at 101.9 words a second are 11.7 days; 13 epochs of 50.2
    words a pair at 3,300 tokens a second are 9.2."""
    corpus = replace(ORDER.corpus, n_pairs=4_000_000, source_length=26.8, target_length=25.4)
    order = replace(ORDER, corpus=corpus, epochs=Epochs(13, 13, 1), devices=Devices(8, 1.0))
    said = {each.source: each.meaning for each in reported(order, steps(order, rates()))}
    table_2 = next(text for source, text in said.items() if "Table 2" in source)
    assert "11.7 days of one such GPU, 1.5 of 8" in table_2
    readme = next(text for source, text in said.items() if "README" in source)
    assert "teacher: 9.2 days" in readme and "student: 3.7" in readme


def test_the_comparison_with_opennmt_is_that_of_the_results(tmp_path) -> None:
    results = tmp_path / "results.json"
    results.write_text(
        '{"2x192/seqkd_lab/train": {"runs": [{"tokens": 300, "cpu_s": 1.0}]},'
        ' "2x192/opennmt-rnn/train": {"runs": [{"tokens": 400, "cpu_s": 4.0}]}}'
    )
    assert "training 300 and 100 (3.0 times)" in beside_opennmt(results)
    assert "no rounds" not in beside_opennmt() and "README" in beside_opennmt(tmp_path / "none")


def of_beam(order: Order, beam: int) -> Step:
    return next(step for step in steps(order, rates()) if step.beam == beam)


def test_memory_and_disk_grow_with_the_work() -> None:
    larger = replace(ORDER, teacher=LSTMSpec(width=1000, layers=4))
    for beam in (0, 5, 35):
        assert memory_of(of_beam(larger, beam)).bytes > memory_of(of_beam(ORDER, beam)).bytes
    assert memory_of(of_beam(ORDER, 35)).bytes > memory_of(of_beam(ORDER, 5)).bytes
    need = memory_of(of_beam(larger, 35))
    assert "NOT" in fits(need, need.bytes / 2**20 / 2) and "NOT" not in fits(need, 65_536)
    twice = replace(ORDER, corpus=replace(ORDER.corpus, n_pairs=2 * ORDER.corpus.n_pairs))
    for (name, one, _), (_, two, _) in zip(disk(ORDER), disk(twice), strict=True):
        assert two == pytest.approx(one if "trained" in name else 2 * one)
