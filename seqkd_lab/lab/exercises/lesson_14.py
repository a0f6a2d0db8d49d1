"""Exercises of lesson 14, near-policy distillation: whose weights wrote it, who sees whom, and what k words say."""

from __future__ import annotations

import math
import random

import torch

from seqkd_lab.lab.exercises.exercise import Case, Exercise, WrongAnswer


def written_after(update, interval):
    """How many updates the student had seen as it wrote what update `update` (from 0) learns from."""
    return max(0, update // interval - 1) * interval


def written_after_cases() -> list[Case]:
    """Expected: the weights that were sent when the window before began, found by walking through the windows."""
    cases = []
    for interval in (1, 4, 16):
        for update in (0, interval - 1, interval, 2 * interval - 1, 2 * interval, 5 * interval + interval // 2):
            starts = [start for start in range(update + 1) if start % interval == 0]
            expected = float(starts[-2] if len(starts) > 1 else 0)
            cases.append(Case(f"update {update}, every {interval}", (update, interval), expected))
    return cases


def _own_window(update, interval):
    return update // interval * interval


def _always_one_interval(update, interval):
    return max(0, update - interval)


def _number_of_window(update, interval):
    return max(0, update // interval - 1)


def _below_nought(update, interval):
    return (update // interval - 1) * interval


WRITTEN_AFTER = Exercise(
    lesson=14, title="Whose weights wrote it?", difficulty=1, minutes=4,
    task="The updates 0, 1, 2, … are cut into windows of `interval` updates. At the beginning of each window the "
         "student's weights are sent to the generator, which writes the sentences of the **next** window with them; "
         "those of the first two windows are written with the weights of update 0. Write "
         "`written_after(update, interval)`: how many updates the student had seen when it wrote the sentences that "
         "update `update` learns from.",
    hints=("Which window does the update belong to? `update // interval`, counted from 0.",
           "The weights are those of the beginning of the window before; before the first window there is none."),
    solution=written_after,
    wrong_answers=(
        WrongAnswer(_own_window, "these are the weights sent at the beginning of the update's *own* window. With them "
                                 "the trainer would have to wait while the generator writes; here it is one ahead."),
        WrongAnswer(_always_one_interval, "this is always one interval old. Weights are sent at the beginning of a "
                                          "window alone, so sentences grow staler within it."),
        WrongAnswer(_number_of_window, "this counts windows. Asked is a number of updates."),
        WrongAnswer(_below_nought, "before the first window nothing was sent: no student is younger than update 0."),
    ),
    cases=written_after_cases,
    insight="So staleness is between one interval and two. It follows from the schedule and not from who was faster, "
            "which is why two processes learn the same as one.",
)


def packed_mask(sentence):
    """(T, T) truth values: where each place of a packed row may look, from the sentence each place belongs to (T,)."""
    T = len(sentence)
    own = sentence[:, None] == sentence[None, :]
    return own & torch.ones(T, T, dtype=torch.bool).tril()


def packed_mask_cases() -> list[Case]:
    """Rows of one, some and many sentences, padded or not; expected place by place."""
    rows = {"one sentence": [0, 0, 0, 0], "two sentences": [0, 0, 0, 1, 1], "words alone": [2, 0, 1],
            "three sentences and padding": [5, 5, 1, 1, 1, 3, -1, -1]}
    return [Case(name, (torch.tensor(row),),
                 [[row[t] == row[u] and u <= t for u in range(len(row))] for t in range(len(row))])
            for name, row in rows.items()]


def _only_causal(sentence):
    return torch.ones(len(sentence), len(sentence), dtype=torch.bool).tril()


def _only_blocks(sentence):
    return sentence[:, None] == sentence[None, :]


def _not_itself(sentence):
    T = len(sentence)
    return (sentence[:, None] == sentence[None, :]) & torch.ones(T, T, dtype=torch.bool).tril(-1)


def _ahead(sentence):
    T = len(sentence)
    return (sentence[:, None] == sentence[None, :]) & torch.ones(T, T, dtype=torch.bool).triu()


def _forbidden(sentence):
    return ~packed_mask(sentence)


PACKED_MASK = Exercise(
    lesson=14, title="Who sees whom in a packed row", difficulty=2, minutes=6,
    task="A row of the decoder holds several sentences one behind the other. `sentence` is a torch tensor (T,) that "
         "says of each place which sentence it belongs to (−1 at padding, which counts as one more sentence). Write "
         "`packed_mask(sentence)`: a tensor (T, T) of truth values, True at [t, u] where place t may look at place u: "
         "at its own sentence only, at itself, and never ahead.",
    hints=("`sentence[:, None] == sentence[None, :]` compares every place with every other.",
           "`torch.ones(T, T, dtype=torch.bool).tril()` is True on the diagonal and below it: at [t, u] with u ≤ t."),
    imports="import torch",
    solution=packed_mask,
    wrong_answers=(
        WrongAnswer(_only_causal, "this lets a sentence look at those before it in the row: the student would learn "
                                  "to translate in the light of a stranger's words."),
        WrongAnswer(_only_blocks, "within its sentence a place sees what comes after it, the very word it is to say."),
        WrongAnswer(_not_itself, "a place does not see itself. What stands there has been read (the word before), and "
                                 "the first place of a sentence would see nothing at all: NaN."),
        WrongAnswer(_ahead, "this looks ahead instead of back: rows are who looks, columns whom at."),
        WrongAnswer(_forbidden, "True is where one may look; this is the opposite."),
    ),
    cases=packed_mask_cases,
    insight="With positions that restart, this and the same for the source is all that packing takes: the packed loss "
            "is the padded one.",
)


def remainder_kl(p, q, words):
    """KL over k words and the rest, in nats: the teacher's q (k,) at `words` (k,), the student's p (V,) at all."""
    same, rest_p, rest_q = p[words], 1.0 - p[words].sum(), 1.0 - q.sum()
    return (q * (q / same).log()).sum() + rest_q * (rest_q / rest_p).log()


def remainder_kl_cases() -> list[Case]:
    """Random laws; expected by Python's own numbers over the merged outcomes."""
    cases = []
    for seed, (V, k) in enumerate([(4, 1), (6, 2), (12, 3), (5, 4)]):
        rng = random.Random(seed)
        laws = [[rng.expovariate(1.0) for _ in range(V)] for _ in range(2)]
        p, full = ([value / sum(law) for value in law] for law in laws)
        words = sorted(range(V), key=lambda word: -full[word])[:k]
        outcomes = [(full[word], p[word]) for word in words]
        outcomes.append((sum(full) - sum(full[w] for w in words), sum(p) - sum(p[w] for w in words)))
        expected = math.fsum(x * math.log(x / y) for x, y in outcomes)
        arguments = (torch.tensor(p, dtype=torch.float64), torch.tensor([full[w] for w in words], dtype=torch.float64),
                     torch.tensor(words))
        cases.append(Case(f"V = {V}, k = {k}", arguments, expected))
    return cases


def _without_rest(p, q, words):
    return (q * (q / p[words]).log()).sum()


def _renormalised(p, q, words):
    same, own = p[words] / p[words].sum(), q / q.sum()
    return (own * (own / same).log()).sum()


def _reverse(p, q, words):
    same, rest_p, rest_q = p[words], 1.0 - p[words].sum(), 1.0 - q.sum()
    return (same * (same / q).log()).sum() + rest_p * (rest_p / rest_q).log()


def _own_best(p, q, words):
    return remainder_kl(p, q, p.topk(len(words)).indices)


def _cross_entropy(p, q, words):
    return -(q * p[words].log()).sum() - (1.0 - q.sum()) * (1.0 - p[words].sum()).log()


REMAINDER_KL = Exercise(
    lesson=14, title="What k words say", difficulty=2, minutes=7,
    task="Of one place the teacher sends only its k likeliest words: `words` (k,), places in the vocabulary, and their "
         "probabilities `q` (k,). The student's law is `p` (V,). Put all other words into one bucket, of the teacher's "
         "law and of the student's, and write `remainder_kl(p, q, words)`: the forward KL(q‖p) over these k + 1 "
         "outcomes, in nats. All are torch tensors.",
    hints=("`p[words]` are the student's probabilities of the words that the teacher sent.",
           "What is left for the bucket is 1 − the sum, on either side; it adds one more term of the same form."),
    imports="import torch",
    solution=remainder_kl,
    wrong_answers=(
        WrongAnswer(_without_rest, "the rest is missing. A sum over some outcomes is no divergence: it can fall below "
                                   "0, and the student could lower it by taking probability from all other words and "
                                   "never be told when it has gone too far."),
        WrongAnswer(_renormalised, "both are scaled to sum to 1 over the k words: how much the student gives to all "
                                   "others is then never seen."),
        WrongAnswer(_reverse, "this is the reverse KL: the student's law stands where the teacher's should."),
        WrongAnswer(_own_best, "these are the student's own likeliest words; `q` belongs to the teacher's."),
        WrongAnswer(_cross_entropy, "this is the cross-entropy: the teacher's own entropy is still in it. The gradient "
                                    "is the same, the number is not 0 where both agree."),
    ),
    cases=remainder_kl_cases,
    insight="Putting outcomes together can only hide differences, so this is never above the KL over all words, and "
            "grows to it with k.",
)

EXERCISES = (WRITTEN_AFTER, PACKED_MASK, REMAINDER_KL)
