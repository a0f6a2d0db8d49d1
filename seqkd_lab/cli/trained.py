"""What `seqkd-lab train` leaves behind: the folder of the model, a summary and a next command."""

from __future__ import annotations

import math
import shlex
import sys
from argparse import Namespace

from seqkd_lab.cli.learning import forget_all, preset_of
from seqkd_lab.cli.options import names_own_text, text_options
from seqkd_lab.models.folder import TRAINED_ON, TrainedModel, save_folder
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.optimisation import History
from seqkd_lab.runs.data import Dataset
from seqkd_lab.runs.presets import PRESETS
from seqkd_lab.runs.recipes import Recipe


def save(
    arguments: Namespace,
    recipe: Recipe,
    data: Dataset,
    trained: TrainedModel,
    history: History,
    seconds: float,
) -> None:
    """Write the folder of the trained model, remove the unfinished run, and print a summary."""
    assert recipe.optimisation is not None
    kept_epoch = history.kept_epoch(recipe.optimisation)
    save_folder(arguments.out, trained, record_of(arguments, recipe, data, history, kept_epoch))
    forget_all(arguments.out)
    describe(arguments, trained.model, history, kept_epoch, seconds)


def record_of(
    arguments: Namespace, recipe: Recipe, data: Dataset, history: History, kept_epoch: int
) -> dict:
    """Return the history of the model's folder: the curves, the kept epoch, and what `distil` needs
    to know of a teacher."""
    ratio = data.train.tokens_per_source_token
    trained_on = {
        "preset": preset_of(arguments),
        "n_pairs": recipe.data.n_train,
        "tokens_per_source_token": round(ratio, 4),
    }
    return {**history.as_dict(), "kept_epoch": kept_epoch, TRAINED_ON: trained_on}


def describe(
    arguments: Namespace, model: Seq2Seq, history: History, kept_epoch: int, seconds: float
) -> None:
    """Print the result of the training, and a suggested next command."""
    loss, n_words = history.valid_loss[kept_epoch - 1], len(model.target_vocabulary)
    bleu = ""
    if history.valid_bleu:
        bleu = f", BLEU {history.valid_bleu[kept_epoch - 1]:.1f} (greedy)"
    print(
        f"{arguments.out}: {model.n_parameters():,} parameters, validation NLL {loss:.3f} nats a "
        f"token{bleu}; epoch {kept_epoch} of {len(history.valid_loss)} kept; {seconds:.0f} s"
    )
    # a distilled student's loss on gold says little
    if arguments.distilled is None and loss > math.log(n_words):
        print(
            f"The validation NLL is worse than that of guessing ({math.log(n_words):.2f}, the log "
            f"of {n_words:,} words): the training failed. Try a smaller --learning-rate.",
            file=sys.stderr,
        )
    print(f"next: {next_command(arguments)}")


def test_source(arguments: Namespace) -> str:
    """Return the file of the test sources, as a shell takes it."""
    folder = arguments.corpus
    return shlex.quote(str(arguments.test_source if folder is None else folder / "test.source"))


def next_command(arguments: Namespace) -> str:
    """Return the command that usually follows this one."""
    if arguments.as_teacher:
        penalty = PRESETS[preset_of(arguments)].length_penalty
        how = f" --length-penalty {penalty:g}" if penalty else ""
        command = f"seqkd-lab distil --teacher {arguments.out} --out distilled.tsv{how}"
        return f"{command} {text_options(arguments)}".rstrip()
    if names_own_text(arguments):
        return (
            f"seqkd-lab translate --model {arguments.out} --input {test_source(arguments)} "
            "--output translations.txt"
        )
    return (
        f"seqkd-lab translate --model {arguments.out} "
        '"the old teacher sold the sofa because it was broken ."'
    )
