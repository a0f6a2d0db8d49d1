"""Rates of a device that nobody has: round numbers, so that a plan can be computed by hand."""

from __future__ import annotations

from seqkd_lab.planning.rates import MeasuredShape, Rate, Rates, Similarities

LENGTHS = (20.0, 25.0)
"""Mean tokens of source and target, EOS included."""
N_WORDS = 5_000


def measured(layers: int, width: int, hidden: int = 0) -> MeasuredShape:
    """A model with N_WORDS words a side, at LENGTHS."""
    kind = "transformer" if hidden else "lstm"
    return MeasuredShape(kind, width, layers, hidden, N_WORDS, N_WORDS, *LENGTHS)


def rate(model: MeasuredShape, beam: int, tokens_per_s: int, kept: int = 1) -> Rate:
    """So many target tokens a second, in the middle one of three rounds."""
    job, seconds = ("search" if beam else "train"), [2.0, 1.0, 4.0]
    kept = min(kept, beam)
    return Rate(
        "test", model, job, beam, kept, 16, [], 100, 1_600, 2 * tokens_per_s, seconds, 1_000.0
    )


def rates(*of_jobs: Rate, device: str = "cuda") -> Rates:
    """The rates of a device with 64 GiB; without any named: of a 2x100 LSTM."""
    model = measured(2, 100)
    known = of_jobs or (rate(model, 0, 1_000), rate(model, 5, 400), rate(model, 35, 50, 35))
    return Rates(
        date="2026-11-29",
        lab="0.1.0",
        device=device,
        device_name="Made-up 1000",
        precision="bf16",
        memory_mib=65_536.0,
        memory_of="of the device",
        threads=1,
        machine={"system": "Linux"},
        similarities=Similarities(number=7_000, seconds=[1.0]),
        rates=list(known),
    )
