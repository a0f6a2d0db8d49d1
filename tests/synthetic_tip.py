"""Results like those of `seqkd-lab later tip`, made by formula, for tests of tables, claims and
figures."""

from __future__ import annotations

from seqkd_lab.corpus.toy.planted import KINDS
from seqkd_lab.distillation.tip import ALL, BOTTOM, ENTROPY, RANDOM, SELECTORS, TOP_ENTROPY
from seqkd_lab.studies.token_importance.memory import CASES, memory_case
from seqkd_lab.studies.token_importance.recipes import COMPARED, SHARES, START, arm


def rows_of(seed: int) -> dict:
    """One seed: whoever looks at δ finds 90%, the others ρ of the mistakes; what is found is
    unlearnt."""
    blind = (RANDOM, ENTROPY, TOP_ENTROPY, BOTTOM, ALL)
    recall = {
        selector: {
            f"{share:g}": {"recall": share if selector in blind else 0.9, "kept": share * 0.8}
            for share in SHARES
        }
        for selector in SELECTORS
    }
    ends = {START: (0.5, 1.0), ALL: (0.6, 0.1)}
    ends |= {
        arm(selector, share): (
            0.45 if selector == BOTTOM else 0.6 + 0.01 * share,
            1.0 - recall[selector][f"{share:g}"]["recall"],
        )
        for selector in COMPARED
        for share in SHARES
    }
    return {
        "selection": recall,
        "kinds": {
            kind: {"tokens": 10 + n, "h": 0.1 * n, "delta": 6.0 - n, "soft_or": 0.5}
            for n, kind in enumerate(KINDS)
        },
        "n_mistakes": 100,
        "n_tokens": 10_000,
        "memory": {
            memory_case(n_words, share): {
                "logits_gradient": int(2560 * n_words * (share or 1.0)),
                "peak": int(20_000 * n_words * (share or 1.0)),
            }
            for n_words, share in CASES
        },
        "arms": {
            name: {
                "validity": valid + 0.001 * seed,
                "bleu": 80.0,
                "mistakes": mistakes,
                "rare": 0.3,
                "tokens": 0 if name == START else 74_000,
            }
            for name, (valid, mistakes) in ends.items()
        },
    }
