"""Speculative sampling of the lab and of transformers, in turn, on the same weights; runs in the
peer's environment.

python -m benchmarks.peers.assisted_peer TARGET_FOLDER DRAFT_FOLDER SENTENCES DRAFT_LENGTH
REPETITIONS THREADS

`python -m benchmarks.assisted` calls this, once for each number of threads. Both libraries stand in
one process, so that they compute with the same torch and meet the same machine. It prints a line of
JSON.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import Any, Protocol

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch  # noqa: E402
from torch import Tensor, nn  # noqa: E402
from transformers import GenerationConfig, PegasusConfig, PegasusForConditionalGeneration  # noqa: E402
from transformers.utils import logging  # noqa: E402

from benchmarks import corpus as toy  # noqa: E402
from benchmarks.peers.pegasus import check_equal, load_both, weights  # noqa: E402
from benchmarks.worker import MARK, Clock, versions  # noqa: E402
from seqkd_lab.corpus.batching import source_batch  # noqa: E402
from seqkd_lab.corpus.vocabulary import BOS, EOS, PAD  # noqa: E402
from seqkd_lab.decoding.distribution import SamplingDistribution  # noqa: E402
from seqkd_lab.decoding.limits import longest_allowed  # noqa: E402
from seqkd_lab.decoding.sampling import sample_batch  # noqa: E402
from seqkd_lab.decoding.speculative import speculative_batch  # noqa: E402
from seqkd_lab.models.transformer import TransformerSeq2Seq  # noqa: E402

logging.set_verbosity_error()
TEMPERATURES = {"greedy": 0.0, "sampling": 1.0}


def converted(model: TransformerSeq2Seq, n_positions: int) -> PegasusForConditionalGeneration:
    """The same model in the peer's library. Raises RuntimeError when a weight is missing, left over
    or misshapen."""
    spec, layers = model.spec, model.spec.layers
    made = PegasusForConditionalGeneration(
        PegasusConfig(
            vocab_size=len(model.target_vocabulary),
            d_model=spec.width,
            max_position_embeddings=n_positions,
            encoder_layers=layers,
            decoder_layers=layers,
            encoder_ffn_dim=spec.hidden,
            decoder_ffn_dim=spec.hidden,
            encoder_attention_heads=spec.heads,
            decoder_attention_heads=spec.heads,
            activation_function="relu",
            dropout=0.0,
            attention_dropout=0.0,
            activation_dropout=0.0,
            scale_embedding=False,
            tie_word_embeddings=False,
            pad_token_id=PAD,
            eos_token_id=EOS,
            decoder_start_token_id=BOS,
            forced_eos_token_id=None,
        )
    )
    made.model.encoder.embed_tokens = nn.Embedding(len(model.source_vocabulary), spec.width, PAD)
    made.model.shared = made.model.decoder.embed_tokens
    made.load_state_dict(weights(model, n_positions))
    made.generation_config = GenerationConfig(
        pad_token_id=PAD, eos_token_id=EOS, decoder_start_token_id=BOS
    )
    return made.eval()


class Calls:
    """How often a module is called."""

    def __init__(self, module: nn.Module) -> None:
        self.n = 0
        module.register_forward_hook(self._count)

    def _count(self, module: nn.Module, inputs: Any, output: Any) -> None:
        self.n += 1


class Library(Protocol):
    """A target and its draft, and how a library translates with them; calls counts those of
    either's decoder."""

    calls: tuple[Calls, Calls]

    def seed(self, number: int) -> None:
        """Fixes what is drawn from here on."""

    def translate(self, source: Tensor, most: int, temperature: float, drafted: bool) -> list[int]:
        """The target's ids from source (1, S), at most `most`; at temperature 0 greedily, else
        drawn."""


class Ours:
    """The lab: draws by the target alone, or by speculative sampling."""

    def __init__(
        self, target: TransformerSeq2Seq, draft: TransformerSeq2Seq, draft_length: int
    ) -> None:
        self.target, self.draft, self.draft_length = target, draft, draft_length
        self.calls = Calls(target.decoder[0]), Calls(draft.decoder[0])
        self.generator = torch.Generator()

    def seed(self, number: int) -> None:
        self.generator.manual_seed(number)

    def translate(self, source: Tensor, most: int, temperature: float, drafted: bool) -> list[int]:
        lengths, most, distribution = (
            torch.tensor([source.shape[1]]),
            torch.tensor([most]),
            SamplingDistribution(temperature),
        )
        if drafted:
            tokens, _ = speculative_batch(
                self.target,
                self.draft,
                source,
                lengths,
                most,
                self.draft_length,
                distribution,
                self.generator,
            )
        else:
            tokens, _ = sample_batch(
                self.target, source, lengths, most, distribution, self.generator
            )
        return through_end(tokens[0].tolist())


class Theirs:
    """transformers: `generate`, or `generate` with an assistant that always proposes `draft_length`
    words."""

    def __init__(
        self,
        target: PegasusForConditionalGeneration,
        draft: PegasusForConditionalGeneration,
        draft_length: int,
    ) -> None:
        self.target, self.draft = target, draft
        self.calls = Calls(target.model.decoder.layers[0]), Calls(draft.model.decoder.layers[0])
        draft.generation_config.update(
            num_assistant_tokens=draft_length,
            num_assistant_tokens_schedule="constant",
            assistant_confidence_threshold=0.0,
        )

    def seed(self, number: int) -> None:
        torch.manual_seed(number)

    def translate(self, source: Tensor, most: int, temperature: float, drafted: bool) -> list[int]:
        # Without a mask over BOS the assistant of 5.24 reads all words again in each round, at
        # places too far behind.
        read = torch.ones(1, 1)
        found = self.target.generate(
            input_ids=source,
            attention_mask=torch.ones_like(source),
            decoder_attention_mask=read,
            max_new_tokens=most,
            assistant_model=self.draft if drafted else None,
            do_sample=temperature > 0.0,
            temperature=temperature or None,
            top_k=0,
            top_p=1.0,
        )
        return through_end(found[0, 1:].tolist())


def through_end(numbers: list[int]) -> list[int]:
    """The ids up to the first EOS, and with it."""
    return numbers[: numbers.index(EOS) + 1] if EOS in numbers else numbers


def words(numbers: list[int], most: int) -> list[int]:
    """The ids before EOS, at most `most` − 1: at the last place ours ends a sentence, theirs writes
    one word more."""
    return [number for number in numbers if number != EOS][: most - 1]


def largest_difference(
    ours: TransformerSeq2Seq,
    theirs: PegasusForConditionalGeneration,
    what: str,
    pairs: Sequence[toy.Pair],
) -> float:
    """Of the logits after each prefix of the gold targets. Raises ValueError when it says that the
    models differ."""
    found = []
    for x, y in pairs:
        source, lengths = source_batch([x], ours.source_vocabulary)
        target = torch.tensor([[BOS, *ours.target_vocabulary.ids(y)]])
        with torch.inference_mode():
            logits, _ = ours.step(target, ours.start(source, lengths))
            mask = torch.ones_like(source)
            converted_logits = theirs(
                input_ids=source, attention_mask=mask, decoder_input_ids=target
            ).logits
        found.append(check_equal(logits, converted_logits, what))
    return max(found)


def one_run(
    library: Library,
    sources: Sequence[Tensor],
    most: Sequence[int],
    temperature: float,
    drafted: bool,
    seed: int,
) -> tuple[dict[str, float], list[list[int]]]:
    """All sentences once, one by one: seconds, tokens and calls of both decoders; and what was
    written."""
    library.seed(seed)
    target, draft = library.calls
    target.n, draft.n, clock = 0, 0, Clock()
    found = [
        library.translate(source, n, temperature, drafted)
        for source, n in zip(sources, most, strict=True)
    ]
    seconds = clock.read()
    return {
        **seconds,
        "tokens": sum(map(len, found)),
        "target_calls": target.n,
        "draft_calls": draft.n,
    }, found


def measure(
    libraries: dict[str, Library], sources: Sequence[Tensor], most: Sequence[int], repetitions: int
) -> tuple[list[dict[str, Any]], dict[str, list[list[int]]]]:
    """Every way in turn, `repetitions` + 1 times, the first of which does not count; and what each
    wrote greedily."""
    rounds, greedy = [], {}
    ways = [
        (decoding, name, drafted)
        for decoding in TEMPERATURES
        for name in libraries
        for drafted in (False, True)
    ]
    for n_round in range(repetitions + 1):
        for decoding, name, drafted in ways:
            run, found = one_run(
                libraries[name], sources, most, TEMPERATURES[decoding], drafted, seed=n_round
            )
            if n_round:
                rounds.append(
                    {
                        "round": n_round,
                        "decoding": decoding,
                        "library": name,
                        "drafted": drafted,
                        **run,
                    }
                )
            if decoding == "greedy":
                greedy[f"{name}, with draft" if drafted else name] = found
    return rounds, greedy


def same(greedy: dict[str, list[list[int]]], most: Sequence[int]) -> dict[str, int]:
    """For each two ways how many of their greedy translations agree token by token."""
    return {
        f"{a} = {b}": sum(
            words(x, n) == words(y, n) for x, y, n in zip(greedy[a], greedy[b], most, strict=True)
        )
        for a, b in combinations(greedy, 2)
    }


def main(arguments: list[str]) -> None:
    """Checks that the models are the same, measures, and prints the result."""
    target, draft = load_both(Path(arguments[0]), Path(arguments[1]))
    n_sentences, draft_length, repetitions, threads = map(int, arguments[2:])
    torch.set_num_threads(threads)
    pairs = toy.load().test[:n_sentences]
    batches = [source_batch([x], target.source_vocabulary) for x, _ in pairs]
    sources, most = (
        [source for source, _ in batches],
        [int(longest_allowed(lengths)) for _, lengths in batches],
    )
    n_positions = max(most) + draft_length + 1
    their_target, their_draft = converted(target, n_positions), converted(draft, n_positions)
    differences = {
        "target": largest_difference(target, their_target, "target", pairs),
        "draft": largest_difference(draft, their_draft, "draft", pairs),
    }
    libraries = {
        "seqkd_lab": Ours(target, draft, draft_length),
        "transformers": Theirs(their_target, their_draft, draft_length),
    }
    rounds, greedy = measure(libraries, sources, most, repetitions)
    result = {
        "threads": torch.get_num_threads(),
        "versions": versions(),
        "largest_logit_difference": differences,
        "same_greedy_translations": same(greedy, most),
        "rounds": rounds,
    }
    print(MARK + json.dumps(result), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
