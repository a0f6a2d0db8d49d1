"""The on-policy experiment: whose translations a student learns along, and by which divergence
(GKD, arXiv 2306.13649)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import fmean

import pandas

from seqkd_lab.distillation import exposure
from seqkd_lab.distillation.exposure import STUDENT
from seqkd_lab.runs.presets import EARLIER
from seqkd_lab.runs.recipes import Recipe
from seqkd_lab.runs.results import with_interval
from seqkd_lab.runs.schedule import Evaluate, Task
from seqkd_lab.runs.store import Report, Store
from seqkd_lab.runs.study import Study
from seqkd_lab.runs.verdicts import Claim, Rows
from seqkd_lab.studies.on_policy import recipes
from seqkd_lab.studies.on_policy.measures import (
    DISCOUNT_0,
    DISCOUNT_1,
    ENTROPY,
    FULL,
    drawn_validity,
    exposure_record,
    gradient_record,
    own_reverse,
)
from seqkd_lab.studies.on_policy.recipes import (
    ARMS,
    FORWARD,
    GOLD,
    HALF,
    LOSSES,
    NLL_GOLD,
    NLL_MODE,
    OWN,
    RATES,
    REVERSE,
    START,
    TEACHER_DRAWN,
    TOKEN,
    arm,
)

BEAM, N_EXPOSED, N_GRADIENT, N_DRAWS = 5, 500, 64, 64
"""Places in the beam; test sentences of the exposure; validation sentences of the gradients, and
draws of targets."""
SETTINGS = {
    "sentences": recipes.N_SENTENCES,
    "batch_size": recipes.BATCH_SIZE,
    "rates": RATES,
    "beam": BEAM,
    "exposed": N_EXPOSED,
    "gradient_sentences": N_GRADIENT,
    "draws": N_DRAWS,
    "arms": [START, *ARMS],
}


def tasks(seed: int) -> list[Task]:
    """Every arm, the start and the teacher, each trained and judged on the test set."""
    return [
        Evaluate(recipe, BEAM, 0.0)
        for recipe in (*recipes.models(seed), *recipes.arms(seed).values())
    ]


def measure(seed: int, store: Store, report: Report) -> dict:
    """The arms of a seed, the gradients at its start, and the teacher's own scores."""
    teacher_recipe, start = recipes.models(seed)
    every = {START: start, **recipes.arms(seed)}
    teacher, data = store.model(teacher_recipe), store.dataset(EARLIER)
    rows: dict[str, dict] = {}
    for done, (name, recipe) in enumerate(every.items(), start=1):
        rows[name] = measure_arm(store, recipe, teacher, seed)
        report(done, len(every) + 1)
    gradient = gradient_record(store.model(start), teacher, data.valid[:N_GRADIENT], N_DRAWS, seed)
    report(len(every) + 1, len(every) + 1)
    return {
        "arms": rows,
        "gradient": gradient,
        "teacher": scores(store.evaluation(teacher_recipe, BEAM, 0.0)),
    }


def measure_arm(store: Store, recipe: Recipe, teacher, seed: int) -> dict:
    """Scores on the test set, validity of samples, exposure on its first sentences, and the tokens
    learned from."""
    model, test = store.model(recipe), store.dataset(recipe.data).test
    return {
        **scores(store.evaluation(recipe, BEAM, 0.0)),
        "drawn_validity": drawn_validity(model, test, store.dataset(recipe.data).language, seed),
        "exposure": exposure_record(model, teacher, test[:N_EXPOSED], seed),
        "tokens": 0 if recipe.start is None else store.n_tokens(recipe),
    }


def scores(found: dict) -> dict:
    """What is kept of an evaluation."""
    searches = {
        search: {key: round(found[search][key], 4) for key in ("bleu", "validity", "length_ratio")}
        for search in ("greedy", "beam")
    }
    return searches | {key: round(found[key], 5) for key in ("perplexity", "p_mode", "kl_to_truth")}


Value = Callable[[dict], float]


def greedy_bleu(measured: dict) -> float:
    """BLEU of greedy translations, 0–100."""
    return measured["greedy"]["bleu"]


def percent_drawn(measured: dict) -> float:
    """Valid samples in percent."""
    return 100.0 * measured["drawn_validity"]


def per_token(measured: dict, name: str) -> float:
    """A measure along the student's own prefixes."""
    return measured["exposure"][STUDENT]["per_token"][name]


def over_losses(targets: str, other: str, value: Value) -> Callable[[Rows], float]:
    """The mean over the grid's losses of value(arm on `targets`) − value(the same loss on
    `other`)."""
    return lambda rows: fmean(
        value(rows["arms"][arm(targets, loss)]) - value(rows["arms"][arm(other, loss)])
        for loss in LOSSES
    )


def reverse_minus_forward(value: Value) -> Callable[[Rows], float]:
    """value(on-policy, reverse KL) − value(on-policy, forward KL)."""
    return lambda rows: (
        value(rows["arms"][arm(OWN, REVERSE)]) - value(rows["arms"][arm(OWN, FORWARD)])
    )


def by_own_loss(rows: Rows) -> float:
    """The divergence that an arm trained on, along its own prefixes: own − gold, mean over forward
    and reverse KL."""
    return fmean(
        per_token(rows["arms"][arm(OWN, loss)], loss)
        - per_token(rows["arms"][arm(GOLD, loss)], loss)
        for loss in (FORWARD, REVERSE)
    )


def mismatch(rows: Rows) -> float:
    """At the start: reverse KL along the student's own prefixes, in multiples of that along
    gold."""
    found = rows["arms"][START]["exposure"]
    return found[STUDENT]["per_token"][REVERSE] / found[exposure.GOLD]["per_token"][REVERSE]


GKD = "GKD, abstract: "
MISMATCH = (
    GKD
    + "“current KD methods for auto-regressive sequence models suffer from distribution mismatch "
    "between "
    "output sequences seen during training and those generated by the student during inference”"
)
FIXED = (
    GKD
    + "“Instead of solely relying on a fixed set of output sequences, GKD trains the student on "
    "its "
    "self-generated output sequences by leveraging feedback from the teacher on such sequences”"
)
SEEKS = (
    "GKD: alternative divergences “may be useful when the student lacks the expressivity to mimic "
    "the teacher's distribution” (abstract); reverse KL seeks modes, forward KL covers (our "
    "summary of section 3)"
)
TRAP = (
    "an aim of this lab: what the sampled word alone tells, and what the full sum leaves out, "
    "measured"
)

CLAIMS = (
    Claim(
        "mismatch",
        "before: reverse KL along the student's own prefixes ≥ 1.2 times that along gold",
        mismatch,
        least=1.2,
        original=MISMATCH,
    ),
    Claim(
        "shrinks",
        "reverse KL along own prefixes: on-policy below gold prefixes, equal updates, mean of "
        "three losses (nats a token)",
        over_losses(OWN, GOLD, own_reverse),
        most=0.0,
        original=MISMATCH,
    ),
    Claim(
        "shrinks-t",
        "the same against prefixes that the teacher drew",
        over_losses(OWN, TEACHER_DRAWN, own_reverse),
        most=0.0,
        original=MISMATCH,
    ),
    Claim(
        "shrinks-own-loss",
        "along own prefixes, forward and reverse KL each after training on itself: on-policy "
        "below gold prefixes, mean of the two (nats a token; asked when two seeds had been seen)",
        by_own_loss,
        most=0.0,
        original=MISMATCH,
    ),
    Claim(
        "bleu-gold",
        "greedy BLEU: on-policy ≥ gold, equal updates, mean of three losses",
        over_losses(OWN, GOLD, greedy_bleu),
        least=0.0,
        original=FIXED,
    ),
    Claim(
        "bleu-teacher",
        "greedy BLEU: on-policy ≥ the teacher's samples, equal updates, mean of three losses",
        over_losses(OWN, TEACHER_DRAWN, greedy_bleu),
        least=0.0,
        original=FIXED,
    ),
    Claim(
        "valid-gold",
        "valid samples (points of percent): on-policy ≥ gold, mean of three losses",
        over_losses(OWN, GOLD, percent_drawn),
        least=0.0,
        original=FIXED,
    ),
    Claim(
        "valid-teacher",
        "valid samples (points of percent): on-policy ≥ the teacher's samples, mean of three "
        "losses",
        over_losses(OWN, TEACHER_DRAWN, percent_drawn),
        least=0.0,
        original=FIXED,
    ),
    Claim(
        "half",
        "greedy BLEU: half of the targets on-policy ≥ all gold, mean of three losses",
        over_losses(HALF, GOLD, greedy_bleu),
        least=0.0,
        original=FIXED,
    ),
    Claim(
        "seeks-valid",
        "on-policy, valid samples (points of percent): reverse KL ≥ forward KL",
        reverse_minus_forward(percent_drawn),
        least=0.0,
        original=SEEKS,
    ),
    Claim(
        "seeks-sure",
        "on-policy, entropy along own prefixes (nats a token): reverse KL below forward KL",
        reverse_minus_forward(lambda measured: per_token(measured, ENTROPY)),
        most=0.0,
        original=SEEKS,
    ),
    Claim(
        "covers",
        "on-policy, KL(truth‖student) along gold: forward KL below reverse KL (nats a token)",
        reverse_minus_forward(lambda measured: measured["kl_to_truth"]),
        least=0.0,
        original=SEEKS,
    ),
    Claim(
        "against-nll",
        "greedy BLEU: on-policy, reverse KL ≥ NLL on gold, equal updates",
        lambda rows: (
            greedy_bleu(rows["arms"][arm(OWN, REVERSE)]) - greedy_bleu(rows["arms"][NLL_GOLD])
        ),
        least=0.0,
        original=FIXED,
    ),
    Claim(
        "against-seq-kd",
        "greedy BLEU: on-policy, reverse KL ≥ NLL on the teacher's mode (Seq-KD), equal updates",
        lambda rows: (
            greedy_bleu(rows["arms"][arm(OWN, REVERSE)]) - greedy_bleu(rows["arms"][NLL_MODE])
        ),
        least=0.0,
        original=FIXED,
    ),
    Claim(
        "same-mean",
        "cosine of the expected gradients, sampled token and full vocabulary ≥ 0.95",
        lambda rows: rows["gradient"]["cosine"][f"{FULL} / {DISCOUNT_0}"],
        least=0.95,
        original=TRAP,
    ),
    Claim(
        "bias",
        "cosine of the full-vocabulary gradient and that of KL between translations ≤ 0.95",
        lambda rows: rows["gradient"]["cosine"][f"{FULL} / {DISCOUNT_1}"],
        most=0.95,
        original=TRAP,
    ),
    Claim(
        "noise",
        "variance of the sampled token's gradient ≥ 2 times the full one's",
        lambda rows: rows["gradient"]["variance"][DISCOUNT_0],
        least=2.0,
        original=TRAP,
    ),
    Claim(
        "full-better",
        "greedy BLEU: full vocabulary ≥ sampled token, equal updates",
        lambda rows: (
            greedy_bleu(rows["arms"][arm(OWN, REVERSE)]) - greedy_bleu(rows["arms"][TOKEN])
        ),
        least=0.0,
        original=TRAP,
    ),
)


COLUMNS: dict[str, Value] = {
    "greedy BLEU": greedy_bleu,
    "greedy valid %": lambda measured: 100.0 * measured["greedy"]["validity"],
    "drawn valid %": percent_drawn,
    "beam BLEU": lambda measured: measured["beam"]["bleu"],
    "p(ŷ) %": lambda measured: 100.0 * measured["p_mode"],
    "entropy": lambda measured: per_token(measured, ENTROPY),
    "KL(truth‖S)": lambda measured: measured["kl_to_truth"],
    "reverse KL, gold": lambda measured: measured["exposure"][exposure.GOLD]["per_token"][REVERSE],
    "reverse KL, teacher": lambda measured: measured["exposure"][exposure.TEACHER]["per_token"][
        REVERSE
    ],
    "reverse KL, own": own_reverse,
    "tokens": lambda measured: measured["tokens"],
}


def tables(by_seed: Sequence[Rows]) -> dict[str, pandas.DataFrame]:
    """Every arm's means with half of their 95% interval, and the estimators' gradients."""
    rows = {
        name: {
            head: with_interval([value(rows["arms"][name]) for rows in by_seed], digits(head))
            for head, value in COLUMNS.items()
        }
        for name in by_seed[0]["arms"]
    }
    kinds = {
        f"{kind}: {name}": with_interval(
            [rows["gradient"][kind][name] for rows in by_seed], digits(kind)
        )
        for kind in ("cosine", "variance")
        for name in by_seed[0]["gradient"][kind]
    }
    return {
        "Arms (mean ± half of the 95% interval over seeds; nats a "
        "token)": pandas.DataFrame.from_dict(rows, "index"),
        "Gradients at the start (cosines of means; variance in multiples of the full "
        "one's)": pandas.DataFrame({"mean ± interval": kinds}),
    }


def digits(head: str) -> int:
    """Decimals of a column."""
    return 0 if head == "tokens" else 1 if "%" in head or "BLEU" in head else 3


STUDY = Study(
    "on-policy",
    "along whose translations should a student learn, and by which divergence?",
    "on_policy.json",
    SETTINGS,
    tasks,
    measure,
    tables,
    CLAIMS,
    data=EARLIER,
)
EXPERIMENT = STUDY  # until its users are renamed
