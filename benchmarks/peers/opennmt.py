"""OpenNMT-py 3.5: its model, loss and Translator; runs in its own environment."""

from __future__ import annotations

import warnings

import torch
from torch import Tensor

from benchmarks.corpus import PAD, SPECIALS
from benchmarks.peers.torch_peer import TorchPeer, longest_output

warnings.filterwarnings(
    "ignore", category=FutureWarning
)  # torch.cuda.amp decorators of modules that are not used

import pyonmttok  # noqa: E402
from onmt import opts  # noqa: E402
from onmt.constants import DefaultTokens  # noqa: E402
from onmt.model_builder import build_model  # noqa: E402
from onmt.translate import GNMTGlobalScorer, Translator  # noqa: E402
from onmt.utils.loss import LossCompute  # noqa: E402
from onmt.utils.parse import ArgumentParser  # noqa: E402

NAMES = (
    DefaultTokens.PAD,
    DefaultTokens.BOS,
    DefaultTokens.EOS,
    DefaultTokens.UNK,
)  # our SPECIALS, as it calls them


def vocabulary(tokens: tuple[str, ...]) -> pyonmttok.Vocab:
    """Our ids under its names."""
    vocab = pyonmttok.build_vocab_from_tokens([*NAMES, *tokens[len(SPECIALS) :]], special_tokens=[])
    vocab.default_id = vocab[DefaultTokens.UNK]
    return vocab


class OpenNMT(TorchPeer):
    """A Tool: bidirectional LSTM encoder, LSTM decoder without input feeding, general attention."""

    def options(self):
        """OpenNMT-py's own defaults, with our sizes."""
        parser = ArgumentParser()
        opts.model_opts(parser)
        opts.distributed_opts(parser)
        opts._add_train_general_opts(parser)
        opts._add_quant_opts(parser)
        width, layers = str(self.size.width), str(self.size.layers)
        arguments = [
            "-encoder_type",
            "brnn",
            "-decoder_type",
            "rnn",
            "-rnn_type",
            "LSTM",
            "-input_feed",
            "0",
            "-layers",
            layers,
            "-hidden_size",
            width,
            "-word_vec_size",
            width,
            "-dropout",
            "0.0",
            "-global_attention",
            "general",
        ]
        options, _ = parser.parse_known_args(arguments)
        ArgumentParser.update_model_opts(options)
        ArgumentParser.validate_model_opts(options)
        return options

    def build(self) -> None:
        options = self.options()
        self.vocabularies = {
            "src": vocabulary(self.corpus.source_vocabulary),
            "tgt": vocabulary(self.corpus.target_vocabulary),
            "data_task": "seq2seq",
            "decoder_start_token": DefaultTokens.BOS,
        }
        self.model = build_model(options, options, self.vocabularies, None, -1)
        self.criterion = LossCompute.from_opts(options, self.model, self.vocabularies["tgt"])
        # Its load_state_dict takes a checkpoint of its own kind; the plain one of nn.Module is all
        # that is needed.
        self.model.load_state_dict = lambda state: torch.nn.Module.load_state_dict(
            self.model, state
        )

    def loss(self, source: Tensor, lengths: Tensor, target: Tensor) -> Tensor:
        batch = {"src": source[:, :, None], "srclen": lengths, "tgt": target[:, :, None]}
        outputs, attention = self.model(batch["src"], batch["tgt"], lengths, with_align=False)
        return self.criterion(batch, outputs, attention)[0]

    def search(self, source: Tensor, lengths: Tensor, beam_size: int) -> list[list[int]]:
        greedy = (
            {"random_sampling_topk": 1} if beam_size == 1 else {}
        )  # what its own command line does for a beam of 1
        translator = Translator(
            self.model,
            self.vocabularies,
            n_best=1,
            beam_size=beam_size,
            max_length=longest_output(lengths),
            max_length_ratio=0,
            global_scorer=GNMTGlobalScorer(0.0, 0.0, "none", "none"),
            dump_beam="",
            report_score=False,
            **greedy,
        )
        batch = {"src": source[:, :, None], "srclen": lengths}
        found = translator.translate_batch(batch, attn_debug=False)["predictions"]
        return [[token for token in best[0].tolist() if token != PAD] for best in found]
