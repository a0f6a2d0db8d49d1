"""CTranslate2 in fp32 and int8, with the weights of the MarianMT that marian.py trained; loads no
torch."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import ctranslate2

from benchmarks.corpus import SPECIALS, UNK, Corpus, Sentence
from benchmarks.tool import Size

FLOAT, INT8 = "float32", "int8"


def convert(model: Any, corpus: Corpus, folder: Path) -> None:
    """Writes `model` (a MarianMTModel) for CTranslate2 to folder/float32 and folder/int8."""
    from ctranslate2.converters.converter import Converter
    from ctranslate2.converters.transformers import BartLoader, MarianMTLoader

    class Loader(MarianMTLoader):
        """Two vocabularies of our own instead of a tokenizer's. PAD keeps its place, and the
        decoder starts with its embedding, which training has moved from zero."""

        def set_config(self, config: Any, model: Any, tokenizer: Any) -> None:
            config.decoder_start_token, config.bos_token, config.eos_token, config.unk_token = (
                SPECIALS
            )

        def set_decoder(self, spec: Any, decoder: Any) -> None:
            BartLoader.set_decoder(self, spec, decoder)

        def get_vocabulary(self, model: Any, tokenizer: Any) -> None:
            return None

        def set_vocabulary(self, spec: Any, tokens: None) -> None:
            spec.register_source_vocabulary(list(corpus.source_vocabulary))
            spec.register_target_vocabulary(list(corpus.target_vocabulary))

        def _remove_pad_weights(self, spec: Any) -> None:
            pass

    class Loaded(Converter):
        def _load(self) -> Any:
            return Loader()(deepcopy(model).eval(), None)  # a copy: its optimisations work in place

    for precision in (FLOAT, INT8):
        quantisation = None if precision == FLOAT else INT8
        Loaded().convert(str(folder / precision), quantization=quantisation, force=True)


class CTranslate2:
    """A Tool that only decodes."""

    precision = FLOAT

    def __init__(self, size: Size, corpus: Corpus, folder: Path | None) -> None:
        if folder is None:
            raise ValueError("CTranslate2 decodes the weights of marian; prepare that first")
        self.translator = ctranslate2.Translator(
            str(folder / self.precision),
            device="cpu",
            compute_type=self.precision,
            inter_threads=1,
            intra_threads=1,
        )
        self.known = frozenset(corpus.source_vocabulary)

    def n_parameters(self) -> int:
        """Unknown here: those of the MarianMT that it was converted from."""
        return 0

    def translate(
        self, sources: Sequence[Sentence], beam_size: int, batch_size: int
    ) -> list[list[str]]:
        eos = SPECIALS[2]
        texts = [
            [*(word if word in self.known else SPECIALS[UNK] for word in source), eos]
            for source in sources
        ]
        found = self.translator.translate_batch(
            texts,
            beam_size=beam_size,
            max_batch_size=batch_size,
            length_penalty=0.0,
            max_decoding_length=2 * max(map(len, texts)) + 10,
        )
        return [result.hypotheses[0] for result in found]


class Float(CTranslate2):
    """fp32."""


class Int8(CTranslate2):
    """8-bit weights, quantised when converted."""

    precision = INT8
