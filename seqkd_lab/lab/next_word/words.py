"""Lesson 03's sentences about what was measured: each is true for the values it is made from,
however they come out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from seqkd_lab.lab.next_word.measures import Doubt, Estimate, decided_pairs
from seqkd_lab.lab.next_word.sweep_measures import Mass, WrongWord
from seqkd_lab.lab.shared.lesson import Markdown
from seqkd_lab.lab.shared.next_words import SentenceReading, soften
from seqkd_lab.lab.shared.score_figures import TRUTH
from seqkd_lab.runs.recipes import BASELINE, SEQ_KD, TEACHER

CERTAIN, SMALL = 0.9, 0.02
AGREEING = ("article", "adjective", "pronoun")
"""Kinds of words whose form must agree with another word."""
ABOVE, BELOW, AT_ONE = "above 1", "below 1", "at 1"


def interval(measured: Estimate, digits: int = 2) -> str:
    """Write the value and its 95% interval."""
    low, high = measured.interval
    return f"{measured.value:.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]"


def listed(parts: Sequence[str]) -> str:
    """Join parts as in a sentence: "a, b and c"."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def word_p(
    reading: SentenceReading, name: str, position: int, word: str, temperature: float = 1.0
) -> float:
    """Look up what the truth or a model (softened) gives to `word` at a position."""
    number = reading.vocabulary.ids([word])[0]
    p = (
        reading.truth(position)
        if name == TRUTH
        else soften(reading.log_prob[name][position], temperature)
    )
    return float(p[number])


def ticket_in_words(reading: SentenceReading, choice: int, agreement: int) -> Markdown:
    """Say what truth, teacher and students give where the ticket's noun is chosen, and where its
    pronoun must agree."""
    truth = reading.truth(choice)
    options = [reading.vocabulary.tokens[k] for k in truth.argsort(descending=True)[:2].tolist()]
    shares = {
        name: [word_p(reading, name, choice, word) for word in options] for name in (TRUTH, TEACHER)
    }
    first, last = reading.target[choice], reading.target[agreement]
    given = {name: word_p(reading, name, agreement, last) for name in reading.log_prob}
    said = (
        f"**The choice.** *{options[0]}* and *{options[1]}* are both right. The truth gives them "
        f"{shares[TRUTH][0]:.2f} and {shares[TRUTH][1]:.2f}, the teacher {shares[TEACHER][0]:.2f} "
        f"and {shares[TEACHER][1]:.2f}.\n\n**The agreement.** After *{first} "
        f"{reading.target[choice + 1]}* only *{last}* is right. It gets "
        f"{listed([f'{p:.2f} from the {name_of(name)}' for name, p in given.items()])}. "
    )
    guessing = [name for name, p in given.items() if p < CERTAIN]
    if not guessing:
        return Markdown(said + "So in each model the noun still decides about the pronoun.")
    rivals = {name: _likeliest_other(reading, name, agreement, last) for name in guessing}
    others = [f"*{word}* {p:.2f} from the {name_of(name)}" for name, (word, p) in rivals.items()]
    return Markdown(
        said
        + f"The most probable wrong word: {listed(others)}. A model that gives so much to another "
        "pronoun guesses: what it has kept of the words so far does not tell the noun."
    )


def _likeliest_other(
    reading: SentenceReading, name: str, position: int, word: str
) -> tuple[str, float]:
    """The word to which a model gives most, apart from `word`, and what it gives."""
    p = reading.log_prob[name][position].exp()
    p[reading.vocabulary.ids([word])[0]] = 0.0
    return reading.vocabulary.tokens[int(p.argmax())], float(p.max())


def name_of(model: str) -> str:
    """Write a model's name within a sentence."""
    return {SEQ_KD: "Seq-KD student"}.get(model, model)


def temperature_answer(
    reading: SentenceReading, position: int, temperatures: Sequence[float]
) -> str:
    """Say what τ does to the teacher's distribution at one position: to its likeliest word, to the
    wrong ones."""
    truth = reading.truth(position)
    wrong = [
        float(soften(reading.log_prob[TEACHER][position], tau)[truth == 0.0].sum())
        for tau in temperatures
    ]
    best = int(reading.log_prob[TEACHER][position].argmax())
    first = [float(soften(reading.log_prob[TEACHER][position], tau)[best]) for tau in temperatures]
    word = reading.vocabulary.tokens[best]
    taus = listed([f"{tau:g}" for tau in temperatures])
    said = (
        f"At τ = {taus} the teacher's likeliest word, *{word}*, gets "
        f"{listed([f'{p:.2f}' for p in first])}. All wrong words together get "
        f"{listed([f'{p:.3f}' for p in wrong])}. "
    )
    said += "A low τ gives the likeliest word more. " if first[0] > first[-1] else ""
    if wrong[-1] > wrong[0]:
        said += "A high τ gives more to all words that had little, and nearly all of the vocabulary is wrong here. "  # noqa: E501
    return (
        said + "The order of the words never changes, so τ cannot make another word the likeliest."
    )


def certain_answer(reading: SentenceReading, position: int) -> str:
    """Say whether the teacher is as certain as the truth where only one word is right."""
    word = reading.target[position]
    p, truth = word_p(reading, TEACHER, position, word), word_p(reading, TRUTH, position, word)
    if truth < 1.0:
        return (
            f"At this position *{word}* is not the only right word: the truth gives it {truth:.2f}."
        )
    how = "nearly as certain" if p >= CERTAIN else "not certain"
    return (
        f"Before *{word}* the truth gives this one word everything. The teacher gives it {p:.3f}: "
        f"it is {how}."
    )


def dark_in_words(mass: Mapping[str, Mass], share: Estimate) -> Markdown:
    """Say what the picture of the mass shows: gold cannot be known, and how much of the dark
    knowledge is true."""
    truth, teacher = mass[TRUTH], mass[TEACHER]
    worst = max((name for name in mass if name != TRUTH), key=lambda name: mass[name].wrong)
    low, high = (100.0 * end for end in share.interval)
    return Markdown(
        f"**Gold.** Even the truth gives only {truth.gold:.3f} to gold's word, since chance "
        f"decides which of several right words gold has. The teacher gives it {teacher.gold:.3f}. "
        f"**Dark knowledge.** Of the rest of the teacher's probability, {share.value:.1%} is on "
        f"other right words (95% interval {low:.1f}% to {high:.1f}%). A student can learn from it. "
        f"**Error.** The teacher has {teacher.wrong:.3f} on wrong words. Of the models, the "
        f"{name_of(worst)} has most there: {mass[worst].wrong:.3f}."
    )


def wrong_table(words: Sequence[WrongWord]) -> Markdown:
    """Show the wrong words with the rule that each one breaks."""
    head = (
        "| source | after | the teacher's word | right | why it is wrong |\n|---|---|---|---|---|\n"
    )
    rows = [
        f"| {word.source} | {word.before or '(the beginning)'} | **{word.word}** ({word.p:.2f}) | "
        f"{', '.join(word.expected)} | {word.rule} |"
        for word in words
    ]
    return Markdown(head + "\n".join(rows))


def wrong_answer(shares: Mapping[str, float], mass: Mass) -> str:
    """Say which kinds of words get the teacher's wrong probability."""
    kinds = list(shares)
    agreeing = sum(shares.get(kind, 0.0) for kind in AGREEING)
    said = (
        f"Wrong words get {mass.wrong:.3f} of the teacher's probability. Of this, "
        f"{shares[kinds[0]]:.0%} is on words of the kind *{kinds[0]}*, and {shares[kinds[1]]:.0%} "
        f"on the kind *{kinds[1]}*. Articles, adjectives and pronouns must agree with another "
        f"word; together they have {agreeing:.0%} of it. "
    )
    if agreeing > 0.6:
        return said + "So most of the teacher's errors concern words that must agree."
    return said + (
        "So about half of the teacher's errors concern words that must agree."
        if agreeing > 0.4
        else "So words that must agree are only a part of the teacher's errors."
    )


def nearest_in_words(
    new: Mapping[str, Estimate],
    training: Mapping[str, Estimate],
    least_loss: Mapping[str, Estimate],
) -> Markdown:
    """Show each model's τ with its 95% interval: nearest to the truth on new and training
    sentences; of least loss."""
    head = (
        "| model | nearest to the truth, new sentences | nearest to the truth, training sentences "
        "| least loss of gold, training sentences |\n|---|---|---|---|\n"
    )
    return Markdown(
        head
        + "\n".join(
            f"| {name} | {interval(new[name])} | {interval(training[name])} | "
            f"{interval(least_loss[name]) if name in least_loss else 'not trained on gold'} |"
            for name in new
        )
    )


def side(measured: Estimate) -> str:
    """Tell on which side of 1 the whole interval lies; AT_ONE where it contains 1."""
    low, high = measured.interval
    return ABOVE if low > 1.0 else BELOW if high < 1.0 else AT_ONE


def baseline_answer(new: Estimate, training: Estimate, least_loss: Estimate) -> str:
    """Say what the baseline's three temperatures tell of its training."""
    on_new, on_loss = side(new), side(least_loss)
    said = (
        f"The baseline is nearest to the truth at τ = {interval(new)} on new sentences, and at "
        f"{interval(training)} on training sentences. Its *training* loss is least at τ = "
        f"{interval(least_loss)}. "
    )
    if on_loss == BELOW:
        said += (
            "This last interval lies below 1. Dividing all logits by such a τ would lower even "
            "the training loss, and a model of any size can learn to do that: its output layer "
            "only needs larger weights. So the training has **not converged**. It was stopped "
            "before its optimum; the model is not too small. "
        )
    elif on_loss == ABOVE:
        said += (
            "This last interval lies above 1: softer distributions would lower even the training "
            "loss. So the training has **not converged**: its last updates made the model too "
            "confident. "
        )
    else:
        said += "This last interval contains 1, so in this respect the training has **converged**. "
    return (
        said
        + {
            BELOW: "On new sentences the baseline is **underconfident**: sharper distributions are "
            "nearer to the truth.",
            ABOVE: "On new sentences the baseline is **overconfident**: it has overfitted its "
            "training sentences.",
            AT_ONE: "On new sentences the best τ may be 1.",
        }[on_new]
    )


def teacher_answer(new: Estimate, training: Estimate, least_loss: Estimate) -> str:
    """Say whether the teacher is nearest to the truth at τ = 1, and why its training loss may
    prefer another τ."""
    said = (
        f"The teacher is nearest to the truth at τ = {interval(new)} on new sentences and at "
        f"{interval(training)} on training sentences. Its training loss is least at "
        f"{interval(least_loss)}. "
    )
    if side(training) == AT_ONE and side(least_loss) == BELOW:
        said += (
            "A lower τ would thus raise the probability of the gold words that it was trained on, "
            "and move the teacher away from the truth: it has memorised some of gold's choices. "
        )
    return said + (
        "(The teacher is trained with dropout, which sets some values in the network to 0 at "
        "random. So its training did not minimise exactly this loss. The baseline is trained "
        "without dropout.)"
    )


def student_answer(tau: Estimate, at_one: float, least: float, others: Mapping[str, float]) -> str:
    """Say how far a temperature helps the Seq-KD student: its best τ, and the KL that remains
    there."""
    how = {
        ABOVE: "too confident",
        BELOW: "not confident enough",
        AT_ONE: "neither too confident nor too vague",
    }
    said = (
        f"The Seq-KD student is nearest at τ = {interval(tau)}, so along gold it is "
        f"{how[side(tau)]}. Its best τ lowers its KL from {at_one:.2f} to {least:.2f} nats a word. "
    )
    rest = listed([f"{kl:.2f} for the {name_of(name)}" for name, kl in others.items()])
    said += f"Compare the others at their best τ: {rest}. "
    if least > max(others.values()):
        said += (
            "So most of the gap remains, since no temperature can change the order of the words. "
            "A likely reason: this student was trained on one translation of each source. Gold's "
            "words lead it to prefixes that it has not seen."
        )
    else:
        said += "So at its best τ this student is not the farthest from the truth."
    return said


def doubts_answer(most: Doubt, least: Doubt) -> str:
    """Say where the teacher's entropy exceeds the truth's most, and where it falls short of it
    most."""

    def place(doubt: Doubt) -> str:
        before = f"after *{doubt.before}*" if doubt.before else "at the beginning"
        return (
            f"{before} (“{doubt.source}”), where the teacher has {doubt.of_model:.2f} nats and the "
            f"truth {doubt.of_truth:.2f}"
        )

    too_much = (
        f"The teacher hesitates most without a reason {place(most)}."
        if most.excess > SMALL
        else "At no position does the teacher hesitate more than the truth."
    )
    too_little = (
        f"It is too certain {place(least)}."
        if least.excess < -SMALL
        else "At no position is it more certain than the truth."
    )
    return (
        f"{too_much} {too_little} Both are the largest such differences in all of these sentences."
    )


def ticket_doubt_answer(words: Sequence[str], entropies: Mapping[str, Sequence[float]]) -> str:
    """Say where in the ticket the truth leaves a choice, and where a model hesitates although it
    leaves none."""
    truth = entropies[TRUTH]
    open_at = [word for word, value in zip(words, truth, strict=True) if value > SMALL]
    said = (
        f"The truth leaves a choice before {listed([f'*{word}*' for word in open_at])}, and "
        "nowhere else. "
    )
    for name, values in entropies.items():
        if name == TRUTH:
            continue
        closed = {
            word: value
            for word, value, true in zip(words, values, truth, strict=True)
            if true <= SMALL
        }
        word = max(closed, key=closed.get)
        said += f"Where it leaves none, the {name_of(name)} hesitates most before *{word}*: {closed[word]:.2f} nats. "  # noqa: E501
    return said.strip()


def entropy_answer(entropies: Mapping[str, Estimate], kl: Mapping[str, float]) -> str:
    """Say the mean entropies and which of the pairs these sentences decide."""
    ranked = sorted(entropies, key=lambda name: -entropies[name].value)
    decided = decided_pairs(entropies)
    said = (
        "Mean entropy, in nats: "
        + "; ".join(f"{name} {interval(entropies[name], 3)}" for name in ranked)
        + ". "
    )
    open_pairs = [
        f"{a} and {b}"
        for i, a in enumerate(ranked)
        for b in ranked[i + 1 :]
        if (a, b) not in decided
    ]
    said += (
        f"These sentences do not tell {listed(open_pairs)} apart. "
        if open_pairs
        else "These sentences tell all of them apart. "
    )
    if (BASELINE, SEQ_KD) in decided and kl[SEQ_KD] > kl[BASELINE]:
        said += (
            "The Seq-KD student has less entropy than the baseline, and yet it is farther from "
            "the truth: a low entropy does not show that a model is right."
        )
    return said


def calibration_answer(errors: Mapping[str, Estimate], kl: Mapping[str, float]) -> str:
    """Compare the order of the calibration errors with the order of the KL from the truth."""
    by_error, by_kl = (
        sorted(errors, key=lambda name: errors[name].value),
        sorted(kl, key=lambda name: kl[name]),
    )
    said = (
        "From the smallest calibration error: "
        f"{', '.join(f'{n} {interval(errors[n], 3)}' for n in by_error)}. From the smallest KL at "
        f"τ = 1: {', '.join(f'{n} {kl[n]:.3f}' for n in by_kl)}. "
    )
    if by_error == by_kl:
        return said + "Here both orders are the same; they need not be."
    surer = [(a, b) for b, a in decided_pairs(errors) if kl[a] > kl[b]]
    if not surer:
        return (
            said
            + "The orders differ, but these sentences do not tell the calibration errors apart."
        )
    best, nearer = surer[0]
    return said + (
        f"The orders differ: the {name_of(best)} is better calibrated than the {name_of(nearer)}, "
        "and yet farther from the truth."
    )


def softening_answer(masses: Mapping[float, Mass]) -> str:
    """Say how much right and how much wrong probability beside gold the teacher shows at each τ."""
    rows = [
        f"at τ = {tau:g}, {mass.other_right:.3f} right and {mass.wrong:.3f} wrong"
        for tau, mass in masses.items()
    ]
    low, high = min(masses), max(masses)
    gained = masses[high].other_right - masses[low].other_right
    lost = masses[high].wrong - masses[low].wrong
    said = f"Beside gold the teacher shows, on average: {'; '.join(rows)}. "
    if lost <= gained:
        return said + "So the higher τ adds more right probability than wrong."
    said += (
        "So the higher τ adds more wrong probability than right, "
        if gained > 0.0
        else "So the higher τ adds wrong probability and takes right probability away, "
    )
    return (
        said
        + "since far more words are wrong than right. Lesson 04 measures what a student gains from "
        "it."
    )


def end_label(words: Sequence[str]) -> list[str]:
    """Return the words of a translation and a label for its end."""
    return [*words, "(end)"]
