"""Made-up results of the memory study, for figures, view and verdicts: nobody trained them."""

from __future__ import annotations

from seqkd_lab.studies.live import GOLD, MODE, SAMPLES
from seqkd_lab.studies.memory.students import EXAMPLES, MEMORIES, TRUTH, memory_key

VALID = {
    GOLD: (20, 30, 40, 55, 70, 75),
    SAMPLES: (22, 31, 42, 55, 71, 74),
    MODE: (50, 65, 75, 78, 80, 82),
}
DRAWS = (0.2, 0.35, 0.45, 0.7, 0.9, 1.0)


def student(percent: float) -> dict:
    share = percent / 100
    return {
        "greedy": 80 + percent / 10,
        "beam": 81 + percent / 10,
        "valid": share,
        "valid_beam": share,
        "valid_as_truth": share,
        "p_mode": 0.1,
        "same_translation": 0.5,
    }


def seed(shift: float = 0.0) -> dict:
    """One seed's measurements, its students `shift` points above the others'."""
    labels = [memory_key(memory) for memory in MEMORIES]
    return {
        **{
            name: {
                label: student(percent + shift)
                for label, percent in zip(labels, column, strict=True)
            }
            for name, column in VALID.items()
        },
        TRUTH: {
            label: {"draws": share, "greedy": (1 + share) / 2, "n": 9}
            for label, share in zip(labels, DRAWS, strict=True)
        },
    }


def example(source: str, target: str, telling: int, wrong: str = "er") -> dict:
    """A sentence whose next words are `target`'s, with `wrong` beside them where little is
    remembered."""
    words = [*target.split(), "</s>"]
    places = []
    for word in words:
        memories = {}
        for number, memory in enumerate(MEMORIES):
            known = 0.5 + 0.5 * number / 5
            unsure = {word: round(known, 4), wrong: round(1 - known, 4)}
            memories[memory_key(memory)] = {
                "truth": unsure,
                GOLD: unsure,
                MODE: {word: 0.9, wrong: 0.1},
            }
        places.append({"truth": {word: 1.0}, "memories": memories})
    return {
        "source": source.split(),
        "target": target.split(),
        "telling": telling,
        "places": places,
    }


def results(n_seeds: int = 3) -> dict:
    """A results file's content."""
    by_seed = {str(21 + number): seed(number - 1.0) for number in range(n_seeds)}
    by_seed["21"][EXAMPLES] = [
        example(
            "my ticket was new and he hid it .", "mein Ticket war neu und er versteckte es .", 7
        ),
        example("<b>the</b> box .", "die <i>Kiste</i> war sie .", 3, wrong="<script>"),
        example("a .", "ein .", 0),
    ]
    return {"study": "memory", "settings": {}, "by_seed": by_seed, "made_with": {}}
