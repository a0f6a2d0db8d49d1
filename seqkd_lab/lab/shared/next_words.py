"""The next word, by teacher, truth and student: what temperature does to a distribution."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from matplotlib.figure import Figure
from torch import Tensor

from seqkd_lab.corpus.batching import encode, make_batch
from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.corpus.toy import ToyLanguage
from seqkd_lab.corpus.vocabulary import EOS, SPECIALS, Vocabulary
from seqkd_lab.lab.shared.bars import REST, ROOM, BarRows
from seqkd_lab.lab.shared.digits import shown_number
from seqkd_lab.lab.shared.models import TICKET, TICKET_GOLD
from seqkd_lab.lab.shared.picture import BlittedFigure
from seqkd_lab.lab.shared.style import TRUTH, panels, role_of, styled
from seqkd_lab.models.seq2seq import Seq2Seq, evaluating

N_WORDS = 8  # three bars a word and their numbers need room
TEACHER, STUDENT = "teacher", "student"
SERIES = (TRUTH, TEACHER, STUDENT)


def sentence_log_probs_by_word(
    model: Seq2Seq, source: Sequence[str], target: Sequence[str]
) -> Tensor:
    """Return log p(k | source, y_<t) in nats of every word k at every position: (T, V) float64, T =
    len(target) + 1."""
    pair = ParallelCorpus("pair", "shown", "", (tuple(source),), (tuple(target),))
    batch = make_batch(encode(pair, model.source_vocabulary, model.target_vocabulary), [0])
    with evaluating(model):
        logits = model(batch)
    return logits[0].double().log_softmax(dim=1)


def next_id(vocabulary: Vocabulary, word: str) -> int:
    """Return the id of a next word: that of a text's word, or EOS for the end."""
    return EOS if word == SPECIALS[EOS] else vocabulary.ids([word])[0]


def true_next_words(
    language: ToyLanguage, source: Sequence[str], prefix: Sequence[str], vocabulary: Vocabulary
) -> Tensor:
    """Return the true p(k | source, prefix) (V,). Raise ValueError when no translation of `source`
    starts with `prefix`."""
    probabilities = torch.zeros(len(vocabulary), dtype=torch.float64)
    for token, p in language.next_token(source, prefix).items():
        probabilities[next_id(vocabulary, token)] += p
    return probabilities


def soften(log_prob: Tensor, temperature: float) -> Tensor:
    """Return softmax(log p / τ) over the last dimension: τ = 1 is the model's own, a larger τ
    flatter.

    The same as softening the logits, which differ from log p by a constant. Raise ValueError unless
    τ > 0."""
    if not temperature > 0.0:
        raise ValueError(f"temperature must be positive; got {temperature}")
    return (log_prob / temperature).softmax(dim=-1)


def entropy(p: Tensor) -> float:
    """Return H(p) = −Σ p ln p in nats, of probabilities (V,)."""
    return float(-torch.xlogy(p, p).sum()) + 0.0  # no "−0.00" where one word is certain


def divergence(p: Tensor, q: Tensor) -> float:
    """Return KL(p ‖ q) = Σ p ln(p / q) in nats, of probabilities (V,); infinite where q is 0 and p
    is not."""
    return float((torch.xlogy(p, p) - torch.xlogy(p, q)).sum())


@dataclass(frozen=True)
class NextWords:
    """The distributions (V,) at one position, `words` their shared vocabulary; truth and student
    may be missing.

    teacher and student are softened by `temperature`, the truth never. `student_name` is what to
    call the student.
    """

    words: tuple[str, ...]
    temperature: float
    teacher: Tensor
    truth: Tensor | None
    student: Tensor | None
    student_name: str = STUDENT

    def distributions(self) -> dict[str, Tensor]:
        """Return those that are there, by name: truth, teacher, student."""
        named = {TRUTH: self.truth, TEACHER: self.teacher, self.student_name: self.student}
        return {name: p for name, p in named.items() if p is not None}

    def entropies(self) -> dict[str, float]:
        """Return the entropy of each distribution in nats."""
        return {name: entropy(p) for name, p in self.distributions().items()}

    def divergences(self) -> dict[str, float]:
        """Return KL(truth ‖ teacher), KL(truth ‖ student) and KL(teacher ‖ student) in nats, as far
        as they are there."""
        known = self.distributions()
        pairs = ((TRUTH, TEACHER), (TRUTH, self.student_name), (TEACHER, self.student_name))
        return {
            f"KL({p} ‖ {q})": divergence(known[p], known[q])
            for p, q in pairs
            if p in known and q in known
        }

    def rows(self, order: Sequence[int]) -> tuple[list[str], list[list[float] | None]]:
        """Return the words with ids `order` and "(rest)", and the bars of SERIES beside them."""
        ids, bars = list(order), []
        for p in (self.truth, self.teacher, self.student):
            shown = None if p is None else p[ids].tolist()
            bars.append(shown and [*shown, _rest(shown)])
        return [*(self.words[i] for i in ids), REST], bars


def _rest(shown: Sequence[float]) -> float:
    """Return what `shown` leaves of 1; nothing, where only rounding leaves it, so that a whole
    truth has no rest."""
    rest = 1.0 - sum(shown)
    return rest if rest > 1e-12 else 0.0


def likeliest(distributions: Sequence[Tensor], n_words: int = N_WORDS) -> list[int]:
    """Return the ids of the words that some of the `distributions` (V,) gives most, the most
    probable first."""
    highest = torch.stack(list(distributions)).amax(dim=0)
    return highest.topk(min(n_words, len(highest))).indices.tolist()


def with_ticket(corpus: ParallelCorpus, n_sentences: int) -> ParallelCorpus:
    """Return the lessons' ticket with its gold translation, followed by the first `n_sentences`
    pairs of `corpus`."""
    others = corpus[:n_sentences]
    source, target = (TICKET, *others.source), (TICKET_GOLD, *others.target)
    return ParallelCorpus("shown", others.split, others.licence, source, target)


class SentenceReading:
    """All that the next-word views need of one sentence pair: each model reads it once, and the
    truth is computed at the first call.

    models holds "teacher" and any students; they share a target vocabulary, or ValueError is
    raised.
    """

    def __init__(
        self,
        models: Mapping[str, Seq2Seq],
        source: Sequence[str],
        target: Sequence[str],
        language: ToyLanguage | None = None,
    ) -> None:
        self.vocabulary = models[TEACHER].target_vocabulary
        if any(
            model.target_vocabulary.tokens != self.vocabulary.tokens for model in models.values()
        ):
            raise ValueError(
                "the models have different target vocabularies: their words cannot be compared"
            )
        self.source, self.target, self.language = tuple(source), tuple(target), language
        self.log_prob = {
            name: sentence_log_probs_by_word(model, source, target)
            for name, model in models.items()
        }
        self._truth: dict[int, Tensor | None] = {}

    def __len__(self) -> int:
        """Return T, the number of positions: one before each target word, and one before the
        end."""
        return len(self.target) + 1

    def truth(self, position: int) -> Tensor | None:
        """Return the true next-word distribution (V,) there; None without a language, or where the
        prefix is not valid."""
        if position not in self._truth:
            try:
                known = None
                if self.language is not None:
                    prefix = self.target[:position]
                    known = true_next_words(self.language, self.source, prefix, self.vocabulary)
            except ValueError:  # a sentence that the language does not have, or an invalid prefix
                known = None
            self._truth[position] = known
        return self._truth[position]

    def order(self, position: int, names: Sequence[str], n_words: int = N_WORDS) -> list[int]:
        """Return the ids of the words to show there, by τ = 1, so that rows stand still while τ
        moves."""
        truth = self.truth(position)
        shown = [self.log_prob[name][position].exp() for name in names]
        return likeliest([*shown, *(() if truth is None else (truth,))], n_words)

    def next_words(
        self, position: int, temperature: float = 1.0, student: str | None = None
    ) -> NextWords:
        """Return the distributions before target word `position` (0 is the first), after the
        target's own words."""
        softened = soften(self.log_prob[TEACHER][position], temperature)
        follower = (
            None if student is None else soften(self.log_prob[student][position], temperature)
        )
        return NextWords(
            self.vocabulary.tokens,
            temperature,
            softened,
            self.truth(position),
            follower,
            student or STUDENT,
        )


class NextWordsDrawing:
    """Bars of truth, teacher and student, as far as they are there, on a fixed scale from 0 to
    1."""

    @styled
    def __init__(self) -> None:
        figure, self._axes = panels(9, 7.4)
        colours = [role_of(name).colour for name in SERIES]
        self._bars = BarRows(self._axes, SERIES, colours, N_WORDS + 1)
        self._axes.set(xlabel="probability of the next word", ylabel=ROOM)
        self._axes.margins(x=0)
        self._names: tuple[str, ...] = ()
        self.picture = BlittedFigure(figure, self._bars.animated)

    @styled
    def show(self, next_words: NextWords, order: Sequence[int]) -> None:
        """Move the bars. The legend names those that are shown, each in the colour of its role."""
        words, bars = next_words.rows(order)
        names = tuple(next_words.distributions())
        if names != self._names:
            self._names = names
            student = next_words.student_name
            self._bars.colour(SERIES.index(STUDENT), student, role_of(student).colour)
            shown = [number for number, column in enumerate(bars) if column is not None]
            self._axes.legend(handles=self._bars.handles(shown), loc="lower right")
            self.picture.renew()
        self._bars.show(words, bars)


@styled
def temperature_figure(
    reading: SentenceReading, position: int, temperature: float, student: str | None = None
) -> Figure:
    """Draw the still twin of the TemperatureExplorer: the next-word distributions at one position
    and temperature."""
    drawing, next_words = NextWordsDrawing(), reading.next_words(position, temperature, student)
    names = (TEACHER,) if student is None else (TEACHER, student)
    drawing.show(next_words, reading.order(position, names))
    numbers = " · ".join(
        f"H({name}) = {shown_number(value, 2)}" for name, value in next_words.entropies().items()
    )
    divergences = " · ".join(
        f"{name} = {shown_number(value, 2)}" for name, value in next_words.divergences().items()
    )
    prefix = " ".join(reading.target[:position]) or "(the beginning)"
    title = (
        f"{' '.join(reading.source)}\n{prefix} …   τ = {temperature:g}\n{numbers} "
        f"nats\n{divergences} nats"
    )
    drawing.picture.figure.suptitle(title)
    return drawing.picture.figure
