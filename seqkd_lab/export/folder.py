"""The folder of an exported model: written whole or not at all, with what a person needs to use
it."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from seqkd_lab import __version__
from seqkd_lab.decoding.limits import LONGEST_SOURCE
from seqkd_lab.export.ctranslate2_format import (
    N_POSITIONS,
    ExportError,
    check_exportable,
    import_ctranslate2,
    write_ctranslate2,
)
from seqkd_lab.export.searching import SETTINGS
from seqkd_lab.files import (
    FileError,
    make_folder,
    named,
    read_json,
    sweep,
    temporary_prefix,
    write_json,
)
from seqkd_lab.models.folder import SUBWORDS, TrainedModel

FORMAT = "ctranslate2"
ABOUT = "export.json"
"""What an exported folder says of itself; a folder without it is no earlier export and is not
replaced."""

USAGE = """# A translation model for CTranslate2

Made by seqkd_lab {version}; weights in {quantisation}. It needs `pip install {packages}`, not seqkd_lab.

```python
{code}
```

- **Tokens in:** {tokens}. Do not add `<s>` or `</s>`. A token that the source vocabulary lacks is read as
  `<unk>`. The model reads up to {longest:,} source tokens, and translates an empty source by nothing.
- **Tokens out:** the translation; with `return_end_token`, `</s>` stands at its end.
- **beam_size:** 1 is greedy search, which is the fastest.
- **length_penalty:** hypotheses are compared by log-probability / length^length_penalty. 0 compares log-probabilities,
  as seqkd_lab does by default; CTranslate2's default is 1. `return_end_token` makes `</s>` count in the length.
- **min_decoding_length:** 0 allows the empty translation, as seqkd_lab does; CTranslate2's default is 1.

With these settings greedy translations are those of seqkd_lab's own search in float32. So are those of beam search
without a length penalty, as long as they end before the longest length; where one differs, this one is more probable.
With a length penalty the two searches stop at different times, and either may write the better translation.
`export.json` holds the same settings for programs.
"""  # noqa: E501

OF_SUBWORDS = """import unicodedata

import ctranslate2
import sentencepiece

cutter = sentencepiece.SentencePieceProcessor(model_file="subwords.model")
translator = ctranslate2.Translator(".", device="cpu")
text = " ".join(unicodedata.normalize("NFC", "Your sentence.".replace("▁", " ")).split())
tokens = cutter.encode(text, out_type=str)
{call}
print("".join(translation).replace("▁", " ").strip())"""

OF_WORDS = """import ctranslate2

translator = ctranslate2.Translator(".", device="cpu")
tokens = "{example}".split()
{call}
print(" ".join(translation))"""

CALL = """(result,) = translator.translate_batch(
    [tokens], beam_size=5, length_penalty=0, max_decoding_length=min(2 * len(tokens) + 11, {longest}),
    {settings})
translation = [token for token in result.hypotheses[0] if token != "</s>"]"""  # noqa: E501


def check_place(out: Path) -> None:
    """Raise ExportError where `out` exists and is no earlier export."""
    if not out.exists() and not out.is_symlink():
        return
    try:
        is_earlier = read_json(out / ABOUT)["format"] == FORMAT
    except (FileError, KeyError, TypeError, OSError):
        is_earlier = False
    if not is_earlier or out.is_symlink():
        raise ExportError(
            f"{out}: exists already and is not an earlier export; name a folder that does not "
            "exist yet"
        )


@contextmanager
def new_folder(out: Path) -> Iterator[Path]:
    """Give an empty folder beside `out` to write to; afterwards it takes the place of `out`, unless
    an error is raised.

    Raise ExportError where `out` is in the way, and OSError, with its path, where nothing can be
    written.
    """
    check_place(out)
    around = out.absolute().parent
    with named(out):
        make_folder(around)
        sweep(around)
        beside = Path(tempfile.mkdtemp(dir=around, prefix=temporary_prefix("new")))
    try:
        new, old = beside / "new", beside / "old"
        new.mkdir()
        yield new
        if out.exists():
            os.replace(out, old)
        try:
            os.replace(new, out)
        except OSError:
            if old.exists():
                os.replace(old, out)
            raise
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def write_export(directory: Path, trained: TrainedModel, quantisation: str = "float32") -> None:
    """Write everything of an export to the empty `directory`: the model, its cutter, README.md and
    export.json.

    Raise ExportError for a model or quantisation that cannot be exported, or without ctranslate2;
    OSError on a full disk.
    """
    check_exportable(trained.model)
    write_ctranslate2(trained.model, directory, quantisation)
    if trained.subwords is not None:
        trained.subwords.save(directory / SUBWORDS)
    (directory / "README.md").write_text(
        usage(trained, quantisation), encoding="utf-8", newline="\n"
    )
    write_json(directory / ABOUT, about(trained, quantisation))


def about(trained: TrainedModel, quantisation: str) -> dict:
    """Say what the folder holds and how it is searched, for programs."""
    return {
        "format": FORMAT,
        "seqkd_lab": __version__,
        "ctranslate2": import_ctranslate2().__version__,
        "quantisation": quantisation,
        "n_parameters": trained.model.n_parameters(),
        "spec": asdict(trained.model.spec),
        "tokens": SUBWORDS if trained.subwords else "words divided by spaces",
        "max_decoding_length": f"min(2 * (source tokens) + 11, {N_POSITIONS - 1})",
        "translate_batch": {"beam_size": 5, "length_penalty": 0, **SETTINGS},
    }


def usage(trained: TrainedModel, quantisation: str) -> str:
    """Say how the folder is used, for people."""
    settings = ", ".join(f"{name}={value}" for name, value in SETTINGS.items())
    call = CALL.format(longest=N_POSITIONS - 1, settings=settings)
    if trained.subwords:
        tokens, code = (
            "the subwords of `subwords.model`, of text in Unicode NFC",
            OF_SUBWORDS.format(call=call),
        )
    else:
        example = (
            " ".join(trained.model.source_vocabulary.tokens[4:8])
            .replace("\\", "\\\\")
            .replace('"', '\\"')
        )
        tokens, code = "words, divided by spaces", OF_WORDS.format(call=call, example=example)
    return USAGE.format(
        version=__version__,
        quantisation=quantisation,
        code=code,
        tokens=tokens,
        longest=LONGEST_SOURCE,
        packages="ctranslate2 sentencepiece" if trained.subwords else "ctranslate2",
    )


def n_bytes(directory: Path) -> int:
    """Return the size of all files in `directory`, in bytes."""
    return sum(file.stat().st_size for file in directory.iterdir())
