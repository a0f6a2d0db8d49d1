"""Lesson 04's sentences about the map of α and τ, and about a student's own path; each is true of
the values given."""

from __future__ import annotations

from collections.abc import Mapping

from seqkd_lab.lab.shared.lesson import Markdown
from seqkd_lab.lab.shared.predictions import CANNOT_TELL
from seqkd_lab.lab.word_kd.map_measures import Cell, Difference, best, difference, place_name
from seqkd_lab.lab.word_kd.measures import Waste
from seqkd_lab.lab.word_kd.paths import Walk
from seqkd_lab.lab.word_kd.words import percent, signed
from seqkd_lab.runs.recipes import BASELINE, SEQ_KD, WORD_KD
from seqkd_lab.runs.verdicts import UNDECIDED
from seqkd_lab.studies.word_kd_map import Place

GOLD_ALONE: Place = (0.0, None)
CANDIDATES: tuple[Place, ...] = (GOLD_ALONE, (0.5, 1.0), (1.0, 0.5), (1.0, 1.0), (1.0, 4.0))
SHARPEST: Place = (1.0, 0.5)
LOWER, HIGHER = "lower than gold alone's", "higher than gold alone's"
ALL_TEACHER, HALF = "α = 1 is better", "α = 0.5 is better"


def best_place(bleu: Mapping[Place, Cell]) -> str:
    """Return the name of the candidate that is best in BLEU; CANNOT_TELL where the seeds leave
    another one open."""
    tested = {place: bleu[place] for place in CANDIDATES}
    top = best(tested)
    open_too = [
        place
        for place in tested
        if place != top and not difference(tested[top], tested[place]).clear
    ]
    return CANNOT_TELL if open_too else place_name(top)


def which_side(gap: Difference, above: str, below: str) -> str:
    """Return `above` or `below` where the whole interval lies on one side of 0, else
    CANNOT_TELL."""
    if not gap.clear:
        return CANNOT_TELL
    return above if gap.mean > 0.0 else below


def all_teacher(bleu: Mapping[Place, Cell]) -> str:
    """Return the option that is right: α = 1 or α = 0.5, at τ = 1, by BLEU."""
    return which_side(difference(bleu[1.0, 1.0], bleu[0.5, 1.0]), ALL_TEACHER, HALF)


def likelihood_there(nll: Mapping[Place, Cell]) -> str:
    """Return the option that is right: the NLL of gold at α = 1 and τ = 0.5, beside that of gold
    alone."""
    return which_side(difference(nll[SHARPEST], nll[GOLD_ALONE]), HIGHER, LOWER)


def bleu_in_words(bleu: Mapping[Place, Cell]) -> Markdown:
    """Say which place is best, and whether the teacher alone differs from half and half at τ =
    1."""
    top, more = best(bleu), difference(bleu[1.0, 1.0], bleu[0.5, 1.0])
    gain = difference(bleu[top], bleu[GOLD_ALONE])
    return Markdown(
        f"The best place is **{place_name(top)}**: {bleu[top].mean:.1f} BLEU, "
        f"{with_interval(gain)} against gold alone. At τ = 1, α = 1 minus α = 0.5 is "
        f"{with_interval(more)}"
        + ("." if more.clear else ": with so many seeds the two cannot be told apart.")
    )


def nll_in_words(bleu: Mapping[Place, Cell], nll: Mapping[Place, Cell]) -> Markdown:
    """Say whether the place that is best for translating is also the best for predicting gold."""
    top, likeliest = best(bleu), best(nll, "nll")
    worse = difference(nll[top], nll[GOLD_ALONE])
    said = (
        f"The best place for BLEU, {place_name(top)}, has an NLL of gold of {nll[top].mean:.2f}; "
        f"gold alone has {nll[GOLD_ALONE].mean:.2f}. The difference is "
        f"{with_interval(worse, 2, 'nats')}. The lowest NLL stands at {place_name(likeliest)}, "
        f"with {nll[likeliest].mean:.2f}. "
    )
    if top == likeliest:
        return Markdown(said + "So here the same place is the best for both.")
    if which_side(worse, HIGHER, LOWER) == HIGHER:
        return Markdown(
            said + "So the best translator is **not** the best predictor of gold. A low τ makes it "
            "surer "
            "of one translation, and gold is often another one. Lesson 06 returns to this."
        )
    return Markdown(
        said + "So the two maps have different best places; the seeds do not show that the best "
        "translator "
        "predicts gold worse than gold alone does."
    )


def differences_table(bleu: Mapping[Place, Cell]) -> Markdown:
    """Show each place minus gold alone, paired by seed, with the 95% interval and the verdict; and
    sum up τ = 1."""
    head = "| place | BLEU minus gold alone | 95% interval | verdict |\n|---|---|---|---|\n"
    gaps = {
        place: difference(cell, bleu[GOLD_ALONE])
        for place, cell in bleu.items()
        if place != GOLD_ALONE
    }
    rows = [
        f"| {place_name(place)} | {signed(gap.mean, 1)} | {signed(gap.low, 1)} to "
        f"{signed(gap.high, 1)} | {verdict(gap)} |"
        for place, gap in gaps.items()
    ]
    return Markdown(head + "\n".join(rows) + "\n\n" + _reproduced(gaps))


def verdict(gap: Difference) -> str:
    """Return "better", "worse" or "undecided", by the lab's one rule."""
    if not gap.clear:
        return UNDECIDED
    return "better" if gap.mean > 0.0 else "worse"


def _reproduced(gaps: Mapping[Place, Difference]) -> str:
    """One sentence on the paper's own objective, τ = 1."""
    faithful = {place: verdict(gap) for place, gap in gaps.items() if place[1] == 1.0}
    better = [place_name(place) for place, said in faithful.items() if said == "better"]
    if better:
        return (
            "**Reproduced**: at τ = 1, which is the paper's objective, Word-KD is better than "
            f"gold alone at {'; '.join(better)}."
        )
    return (
        "**Not reproduced**: the paper reports a small gain from Word-KD. At τ = 1, which is the "
        "paper's objective, these students show no gain that the seeds decide, at any α."
    )


def waste_answer(waste: Mapping[float, Waste]) -> str:
    """Say what softening gives to impossible next words, and what follows for the upper rows of the
    map."""
    targets = ", ".join(f"{percent(each.target)} at τ = {tau:g}" for tau, each in waste.items())
    pulls = ", ".join(f"{percent(each.pull)} at τ = {tau:g}" for tau, each in waste.items())
    low, high = waste[min(waste)], waste[max(waste)]
    said = (
        "The language rules out most words at each position. Of the soft target they have "
        f"{targets}. Of the gradient's size they take {pulls}. "
    )
    if high.target > low.target and high.pull > low.pull:
        return said + (
            "So at a high τ most of the teaching is about words that cannot stand there, which "
            "fits the poor upper rows. The strength of the pull is not the reason: on this map it "
            "is the same at every τ. A larger student, or more updates, may learn both; the map "
            "does not test that."
        )
    return said + "So here softening does not move the teaching to words that cannot stand there."


def with_interval(gap: Difference, digits: int = 1, unit: str = "BLEU") -> str:
    """Return "+1.9 BLEU (95% interval −3.3 to +7.2)"."""
    return (
        f"{signed(gap.mean, digits)} {unit} (95% interval {signed(gap.low, digits)} to "
        f"{signed(gap.high, digits)})"
    )


def walks_in_words(walks: Mapping[str, Walk], n_words: int = 4) -> Markdown:
    """Say how long the students stay on their paths, and where their first mistakes lie."""
    still = ", ".join(f"{percent(walk.still[n_words])} for {name}" for name, walk in walks.items())
    word_kd = walks[WORD_KD]
    on, off, _ = word_kd.shares
    return Markdown(
        f"After {n_words} words, the share of sentences still on the path is "
        f"{still}.\n\n{percent(on + off)} of Word-KD's translations have a mistake. In "
        f"{percent(word_kd.share_off)} of these, the first mistake comes after its own words have "
        "left gold's.\n\n" + rates_in_words(word_kd)
    )


def rates_in_words(walk: Walk) -> str:
    """Say whether Word-KD makes more mistakes a word off the path, by a bootstrap interval."""
    (on, off), (low, high) = walk.rates, walk.interval()
    said = (
        "Most words are off the path, so compare rates. Of a hundred words that Word-KD writes on "
        f"the path, {on:.1f} are a first mistake; off the path it is {off:.1f}. The difference is "
        f"{signed(off - on, 1)} (95% interval {signed(low, 1)} to {signed(high, 1)}, a bootstrap "
        "over sentences). "
    )
    if low > 0.0:
        return said + (
            "So mistakes are more frequent off the path. That does not prove that leaving the "
            "path causes them: words off the path are also later words, which have more to agree "
            "with."
        )
    if high < 0.0:
        return (
            said
            + "So here mistakes are *less* frequent off the path: standing on one's own words does "
            "no harm."
        )
    return said + (
        "The interval contains 0: these sentences do not show that standing on one's own words "
        "makes a mistake likelier."
    )


def path_answer(walks: Mapping[str, Walk]) -> str:
    """Say what α and τ cannot change, and what Seq-KD changes."""
    share = {name: sum(walk.on) / (sum(walk.on) + sum(walk.off)) for name, walk in walks.items()}
    said = (
        f"Of the words that it writes, the baseline writes {percent(share[BASELINE])} on the path "
        f"that training showed, Word-KD {percent(share[WORD_KD])}, Seq-KD "
        f"{percent(share[SEQ_KD])}. "
    )
    said += _fewer_mistakes(walks)
    if share[SEQ_KD] > share[WORD_KD]:
        return said + (
            "α and τ change the target at each position of the path. They do not change the path "
            "itself: gold, one of many translations, drawn by chance. Seq-KD's path is the "
            "teacher's own best translation, and its student stays on it longer. Lesson 06 builds "
            "on that."
        )
    return said + "So here Seq-KD's student does not stay on its path longer than Word-KD's."


def _fewer_mistakes(walks: Mapping[str, Walk]) -> str:
    """Say how many translations are without a mistake, and whether Seq-KD and Word-KD differ in
    that."""
    without = {name: walk.shares[2] for name, walk in walks.items()}
    n, gap = len(walks[WORD_KD].on), without[SEQ_KD] - without[WORD_KD]
    chance = (
        1.96
        * sum(share * (1.0 - share) / n for share in (without[SEQ_KD], without[WORD_KD])) ** 0.5
    )
    numbers = ", ".join(f"{percent(share)} for {name}" for name, share in without.items())
    said = f"The share of translations without a mistake is {numbers}. "
    if abs(gap) <= chance:
        return said + (
            "So these sentences do not tell Word-KD and Seq-KD apart in mistakes; the paths are "
            "where they differ. "
        )
    return said + f"So {SEQ_KD if gap > 0.0 else WORD_KD} makes fewer mistakes here. "
