"""Small corpora in many kinds of writing, and the path that a person takes with one: tour, teacher,
distilled corpus, student, translations, scores."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from typed import SPLITS

from seqkd_lab.models.lstm import LSTMSpec
from seqkd_lab.models.transformer import TransformerSpec
from seqkd_lab.optimisation import Optimisation
from seqkd_lab.runs.presets import PRESETS
from seqkd_lab.runs.recipes import Preset
from seqkd_lab.runs.schedule import Watcher, _raise_as
from seqkd_lab.runs.store import Store, silent
from seqkd_lab.runs.tasks import Task, with_needs

Pairs = list[tuple[str, str]]
ONE_EPOCH = Optimisation(epochs=1, learning_rate=0.01, batch_size=16)
LSTM = LSTMSpec(width=8)
TRANSFORMER = TransformerSpec(width=8, layers=1, heads=2, hidden=8, dropout=0.0)

ENGLISH = ("the cat", "a dog", "one bird", "old tree", "sees", "hears", "finds", "red house")
WRITINGS = {
    "chinese": ("", ("那只猫", "一条狗", "一只鸟", "老树", "看见", "听到", "找到", "红房子")),
    "japanese": (
        "",
        ("その猫は", "犬が", "一羽の鳥", "古い木", "見る", "聞く", "見つける", "赤い家"),
    ),
    "thai": ("", ("แมวตัวนั้น", "หมาตัวหนึ่ง", "นกตัวหนึ่ง", "ต้นไม้เก่า", "เห็น", "ได้ยิน", "พบ", "บ้านสีแดง")),
    "arabic": (
        " ",
        ("القطة", "كلب", "طائر واحد", "شجرة قديمة", "يرى", "يسمع", "يجد", "البيت الأحمر"),
    ),
    "hebrew": (" ", ("הַחָתוּל", "כלב", "ציפור אחת", "עץ זקן", "רואה", "שומע", "מוצא", "בית אדום")),
    "hindi": (
        " ",
        ("बिल्ली", "एक कुत्ता", "एक चिड़िया", "पुराना पेड़", "देखता है", "सुनता है", "पाता है", "लाल घर"),
    ),
    "emoji": (" ", ("🐈", "🐕‍🦺", "🐦", "🌳", "👀", "👂🏽", "👩‍👩‍👧", "🏠❤️")),
    "german in NFD": (
        " ",
        (
            "die Hu\u0308ndin",
            "ein Ma\u0308dchen",
            "o\u0308ffnet",
            "gru\u0308n",
            "Ba\u0308ume",
            "fu\u0308nf",
            "scho\u0308n",
            "Ka\u0308se",
        ),
    ),
}
"""What is written between words, and what the words of ENGLISH become."""

MARKUP = (
    "<script>alert(1)</script>",
    "<s> <unk> </s> <pad>",
    "a & b &lt; c",
    "\u2581the\u2581cat",
    "\ttab\ta\t",
    "line\u2028one\u2029two",
    "next\u0085line",
    "\x0bvertical\x0cform",
    "\x1cfile\x1e\x1f",
    "ex\u00adtra\u200b",
    "\ufeffmark",
    "\u202eover\u202c",
    "x\u0301\u0323",
    "\U0001f9d1\u200d\U0001f4bb",
    "\x1b[31mred\x1b[0m",
    "'; --",
)


def written(numbers: Sequence[int], words: Sequence[str], between: str) -> str:
    """The sentence of these numbers of words."""
    return between.join(words[number] for number in numbers)


def sentences(
    n: int, seed: int, joined: str = " ", words: Sequence[str] = WRITINGS["hindi"][1]
) -> Pairs:
    """`n` sentences of 3 to 6 words, English and what `words` make of them."""
    rng = random.Random(seed)
    rows = [[rng.randrange(len(ENGLISH)) for _ in range(rng.randint(3, 6))] for _ in range(n)]
    return [(written(row, ENGLISH, " "), written(row, words, joined)) for row in rows]


@dataclass(frozen=True)
class Kind:
    """The pairs of train, valid and test, how their lines end, and what stands before them and
    after the last."""

    train: Pairs
    valid: Pairs
    test: Pairs
    end: str = "\n"
    start: str = ""
    last: str = "\n"

    def with_lines(self, pairs: Pairs, *splits: str) -> Kind:
        """The same kind with `pairs` before the others of these splits."""
        return replace(self, **{split: pairs + getattr(self, split) for split in splits})

    def write(self, folder: Path) -> tuple[str, ...]:
        """Write the six files into `folder`; return them as options."""
        folder.mkdir(parents=True)
        options: list[str] = []
        for split in ("train", "valid", "test"):
            for side, name in enumerate(("source", "target")):
                path = folder / f"{split}.{name}"
                lines = [pair[side] for pair in getattr(self, split)]
                path.write_bytes((self.start + self.end.join(lines) + self.last).encode())
                options += [SPLITS[len(options) // 2], str(path)]
        return tuple(options)


def kind_of(joined: str, words: Sequence[str], n: int = 24) -> Kind:
    return Kind(
        *(sentences(size, seed, joined, words) for seed, size in enumerate((n, 4, 5), start=1))
    )


PLAIN = kind_of(*WRITINGS["hindi"])
LONG = ("the cat sees " * 2000).strip(), ("बिल्ली देखता " * 3000).strip()
BLANK = [("", "सुनता है"), ("a dog", ""), ("", ""), (" \t ", "\u3000")]
MANY = [chr(0x4E00 + number) for number in range(150)]
KINDS = {
    **{name: kind_of(*writing) for name, writing in WRITINGS.items()},
    **{
        f"from {name}": Kind(
            *(
                [(target, source) for source, target in split]
                for split in (kind.train, kind.valid, kind.test)
            )
        )
        for name, kind in ((name, kind_of(*WRITINGS[name])) for name in ("chinese", "arabic"))
    },
    "one word": Kind(
        [(" ".join(["no"] * n), " ".join(["nein"] * n)) for n in range(1, 13)],
        [("no", "nein")] * 2,
        [("no no", "nein nein")] * 2,
    ),
    **{
        f"{n} pairs": replace(
            PLAIN, train=PLAIN.train[:n], valid=PLAIN.valid[:n], test=PLAIN.test[:n]
        )
        for n in (1, 2, 5)
    },
    "CRLF": replace(PLAIN, end="\r\n", last="\r\n"),
    "BOM and no last newline": replace(PLAIN, start="\ufeff", last=""),
    "markup and separators": PLAIN.with_lines(
        [(text, f"{text} घर") for text in MARKUP], "train", "valid", "test"
    ),
    "blank lines": PLAIN.with_lines(BLANK, "train", "valid", "test"),
    "equal targets": Kind(
        *(
            [(source, "हाँ") for source, _ in split]
            for split in (PLAIN.train, PLAIN.valid, PLAIN.test)
        )
    ),
    "copies in test": replace(
        PLAIN,
        valid=[(target, target) for _, target in PLAIN.valid],
        test=[(target, target) for _, target in PLAIN.test],
    ),
    "more characters than subwords": kind_of("", MANY[:8]).with_lines(
        [(f"a dog hears {at}", "".join(MANY[at : at + 10])) for at in range(0, 150, 10)], "train"
    ),
    "a line of 6,000 words in train": PLAIN.with_lines([LONG], "train"),
}


def tiny_preset(model: LSTMSpec | TransformerSpec) -> Preset:
    """The quick preset with a model of width 8 that learns for one epoch."""
    return replace(
        PRESETS["quick"],
        teacher=model,
        student=model,
        teacher_training=ONE_EPOCH,
        student_training=ONE_EPOCH,
        teacher_tuning=ONE_EPOCH,
        student_tuning=ONE_EPOCH,
        beam_size=2,
        inter_beam_size=3,
        n_pairs=None,
        vocabulary_size=150,
    )


def run_here(tasks: Sequence[Task], store: Store, n_workers: int, watcher: Watcher) -> None:
    """Do what `run_all` does, without processes."""
    for task in with_needs(tasks):
        try:
            task.run(store, silent)
        except Exception as error:
            _raise_as(task, error)
