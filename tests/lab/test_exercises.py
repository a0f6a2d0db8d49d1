"""Every exercise: right answers pass whatever they are made of, wrong ones are refused with their
misconception."""

from __future__ import annotations

import heapq
import itertools
import math
import re
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from seqkd_lab.lab.shared import exercises
from seqkd_lab.lab.shared.exercises import all_exercises
from seqkd_lab.lab.shared.plan import lessons

EXERCISES = all_exercises()

WRONG = [(key, wrong) for key, exercise in EXERCISES.items() for wrong in exercise.wrong_answers]
by_key = pytest.mark.parametrize("key", list(EXERCISES))


def source_function(source: str, key: str):
    """The function called `key` that a cell with this source would define."""
    namespace: dict = {}
    exec(compile(source, "<cell>", "exec"), namespace)
    return namespace[key]


@by_key
class TestEachExercise:
    def test_the_solution_passes(self, key):
        result = exercises.check(key, EXERCISES[key].solution)
        assert (
            result
            and result.passed
            and "passed" in repr(result)
            and EXERCISES[key].insight in repr(result)
        )

    def test_the_solution_as_it_is_shown_passes_in_an_empty_notebook(self, key):
        shown = exercises.solution(key).text
        assert exercises.check(key, source_function(shown, key))
        assert len(shown.strip().splitlines()) <= 20

    def test_the_stub_is_refused(self, key):
        result = exercises.check(key, source_function(EXERCISES[key].stub, key))
        assert not result and "stub" in repr(result) and "Likely" not in repr(result)

    def test_it_expects_at_least_two_mistakes_with_different_reasons(self, key):
        misconceptions = {wrong.misconception for wrong in EXERCISES[key].wrong_answers}
        assert len(misconceptions) == len(EXERCISES[key].wrong_answers) >= 2

    @pytest.mark.slow
    def test_no_constant_passes(self, key):
        cases = EXERCISES[key].cases()
        assert len(cases) >= 3
        for case in cases:
            assert not exercises.check(key, lambda *arguments, case=case: case.expected)

    def test_an_answer_that_changes_its_arguments_is_refused(self, key):
        solution = EXERCISES[key].solution

        def spoil(*arguments):
            answer = solution(*arguments)
            for argument in arguments:
                if isinstance(argument, torch.Tensor):
                    argument.zero_()
                elif hasattr(argument, "clear"):
                    argument.clear()
            return answer

        arguments = EXERCISES[key].cases()[0].arguments
        takes_mutable = any(hasattr(a, "clear") or isinstance(a, torch.Tensor) for a in arguments)
        result = exercises.check(key, spoil)
        assert bool(result) != takes_mutable
        assert not takes_mutable or "changed its argument" in repr(result)

    def test_its_card_says_what_to_do(self, key):
        exercise, card = EXERCISES[key], exercises.task(key)._repr_markdown_()
        for part in (
            exercise.title,
            exercise.signature,
            f"{exercise.minutes} minutes",
            "NotImplementedError",
        ):
            assert part in card
        assert exercise.solution_source.splitlines()[-1] not in card
        assert exercise.difficulty in (1, 2, 3) and 1 <= exercise.minutes <= 15 and exercise.hints

    def test_its_hints_are_folded_and_end(self, key):
        n_hints = len(EXERCISES[key].hints)
        for number in range(1, n_hints + 1):
            page = exercises.hint(key, number)._repr_html_()
            assert page.startswith("<details>") and f"Hint {number} of {n_hints}" in page
        unknown: Any
        for unknown in (0, n_hints + 1, "x", None):
            assert "no hint" in repr(exercises.hint(key, unknown))

    def test_the_same_cases_come_every_time_and_chance_is_left_alone(self, key):
        torch.manual_seed(5)
        expected = torch.rand(1)
        torch.manual_seed(5)
        first, again = (
            [(c.name, repr(c.arguments)) for c in EXERCISES[key].cases()] for _ in range(2)
        )
        assert [name for name, _ in first] == [name for name, _ in again]
        assert "function" in first[0][1] or first == again
        assert torch.rand(1) == expected


@pytest.mark.parametrize(
    "key, wrong", WRONG, ids=[f"{key}-{wrong.function.__name__}" for key, wrong in WRONG]
)
def test_a_wrong_answer_is_refused_with_its_misconception(key, wrong):
    result = exercises.check(key, wrong.function)
    assert not result
    assert result.misconception == wrong.misconception and wrong.misconception in repr(result)
    assert re.search("In the case “.+”", repr(result)) and "Traceback" not in repr(result)


def test_every_lesson_has_at_least_two():
    first, *others = (exercises.of_lesson(lesson.number) for lesson in lessons())
    assert len(first) == 1 and all(len(of_lesson) >= 2 for of_lesson in others)


class TestInstructorsPage:
    page = (Path(__file__).parents[2] / "notebooks" / "instructors.md").read_text(encoding="utf-8")

    def test_each_lesson_names_its_exercises(self):
        texts = re.split(r"\n### \d\d (?!minutes)", self.page)[1:]
        for lesson, text in zip(lessons(), texts, strict=True):
            for exercise in exercises.of_lesson(lesson.number):
                assert f"`{exercise.key}`" in text, (lesson.name, exercise.key)

    def test_each_plan_takes_its_time(self):
        for minutes, plan in re.findall(r"### (\d+) minutes:.*\n((?:(?!###).*\n)*)", self.page):
            assert sum(map(int, re.findall(r"^\| (\d+) \|", plan, re.MULTILINE))) == int(minutes)


# Other right answers: other libraries, precisions and orders of operations.


def greedy_by_appending(next_word):
    words: list[str] = []
    while (word := sorted(next_word(words).items(), key=lambda item: item[1])[-1][0]) != "</s>":
        words.append(word)
    return words


def entropy_by_numpy(probability_of):
    p = np.array([p for p in probability_of.values() if p > 0], dtype=np.float32)
    return -(p * np.log(p)).sum()


def entropy_by_torch(probability_of):
    return torch.special.entr(torch.tensor(list(probability_of.values()))).sum().reshape(1)


def next_word_with_defaultdict(probability_of, prefix):
    mass: defaultdict[str, np.float64] = defaultdict(np.float64)
    for translation, p in reversed(probability_of.items()):
        if list(translation[: len(prefix)]) == list(prefix):
            mass[next(iter(translation[len(prefix) :]), "</s>")] += p
    total = torch.tensor(list(mass.values())).sum()
    return {word: torch.tensor(p) / total for word, p in mass.items()}


def nll_by_loop(logits, target):
    log_p = logits.double().softmax(dim=-1).log()
    tokens = [
        log_p[b, t, y] for b, row in enumerate(target.tolist()) for t, y in enumerate(row) if y != 0
    ]
    return -sum(tokens) / len(tokens)


def nll_by_torch(logits, target):
    return F.cross_entropy(logits.transpose(1, 2), target, ignore_index=0)


def perplexity_by_bits(log_probs, n_tokens):
    return np.exp2(-np.sum(log_probs) / np.log(2) / np.sum(n_tokens))


def softmax_by_torch(logits, temperature):
    return torch.softmax(torch.tensor(logits, dtype=torch.float32) / temperature, dim=0)


def softmax_by_log_sum(logits, temperature):
    scaled = np.array(logits) / temperature
    return tuple(np.exp(scaled - np.logaddexp.reduce(scaled)))


def kl_as_a_difference(truth, model):
    q, p = np.array(truth), np.array(model)
    return -(q * np.log(p)).sum() + (q[q > 0] * np.log(q[q > 0])).sum()


def word_kd_flat(student_logits, teacher_logits, target, temperature):
    real = target.ne(0)
    q = F.softmax(teacher_logits[real].div(temperature), dim=-1)
    return F.cross_entropy(student_logits[real] / temperature, q) * temperature * temperature


def mixed_by_index(gold, teacher_probabilities, alpha):
    target = alpha * torch.tensor(teacher_probabilities)
    target[gold] += 1 - alpha
    return target


def gradient_by_autograd(student_logits, teacher_probabilities, gold, alpha):
    z = torch.tensor(student_logits, requires_grad=True)
    log_p = z.log_softmax(0)
    loss = -alpha * (torch.tensor(teacher_probabilities) * log_p).sum() - (1 - alpha) * log_p[gold]
    loss.backward()
    return z.grad


def beam_step_by_heap(hypotheses, next_log_probs, beam_size):
    def grown():
        for (words, log_prob), after in zip(hypotheses, next_log_probs, strict=True):
            if words and words[-1] == "</s>":
                yield log_prob, list(words)
            else:
                yield from ((np.float64(log_prob + p), [*words, w]) for w, p in after.items())

    return [
        [words, log_prob]
        for log_prob, words in heapq.nlargest(beam_size, grown(), key=lambda c: c[0])
    ]


def ranking_by_numpy(hypotheses, length_penalty):
    scores = [log_prob / np.power(len(words), length_penalty) for words, log_prob in hypotheses]
    return [list(hypotheses[i][0]) for i in np.argsort(scores)[::-1]]


def mass_by_torch(log_probs):
    return torch.tensor(log_probs).exp().mean()


def conditional_by_numpy(pairs):
    def entropy(items):
        _, counts = np.unique(["\t".join(map(str, item)) for item in items], return_counts=True)
        p = counts / counts.sum()
        return -(p * np.log(p)).sum()

    return entropy(pairs) - entropy([(source,) for source, _ in pairs])


def history_by_ratios(triples):
    """The mean of ln p(word | source, earlier) / p(word | source)."""
    n: defaultdict[tuple, int] = defaultdict(int)
    for s, e, w in triples:
        for key in ((s, e, w), (s, e), (s, None, w), (s,)):
            n[key] += 1
    return np.mean(
        [np.log(n[s, e, w] / n[s, e] / (n[s, None, w] / n[(s,)])) for s, e, w in triples]
    )


def ratio_by_chain(distilled, gold):
    return len(list(itertools.chain(*distilled))) / len(list(itertools.chain(*gold)))


def choice_by_sorting(candidates, gold, similarity):
    ranked = sorted(candidates, key=lambda c: c[1])
    return list(sorted(ranked, key=lambda c: similarity(c[0], gold))[-1][0])


def precision_by_removing(hypothesis, gold, n):
    left = list(zip(*(gold[i:] for i in range(n)), strict=False))
    found, matched = list(zip(*(hypothesis[i:] for i in range(n)), strict=False)), 0
    for gram in found:
        if gram in left:
            left.remove(gram)
            matched += 1
    return matched / len(found) if found else 0


def speed_by_tensor(teacher_beam, student_beam, student_greedy):
    return torch.tensor(
        [student_greedy / teacher_beam, student_beam / teacher_beam, student_greedy / student_beam]
    )


def bootstrap_by_numpy(scores, other_scores, resamples):
    rows = np.array(resamples)
    return np.mean(np.array(scores)[rows].mean(axis=1) <= np.array(other_scores)[rows].mean(axis=1))


def interval_by_numpy(values):
    from scipy import stats

    return [
        np.mean(values),
        *stats.t.interval(0.95, len(values) - 1, np.mean(values), stats.sem(values)),
    ]


def threshold_by_numpy(weights, share):
    magnitudes = np.sort(
        np.concatenate([np.abs(weight.numpy()).ravel() for weight in weights.values()])
    )
    return np.append(np.float64(0.0), magnitudes)[round(share * magnitudes.size)]


def threshold_by_selection(weights, share):
    magnitudes = [abs(w) for weight in weights.values() for w in weight.double().flatten().tolist()]
    return max(heapq.nsmallest(round(share * len(magnitudes)), magnitudes), default=torch.zeros(1))


def update_by_numpy(weight, gradient, mask, learning_rate):
    return np.where(
        mask.numpy(), weight.numpy().astype(float) - learning_rate * gradient.numpy(), 0.0
    )


def update_by_filling(weight, gradient, mask, learning_rate):
    return weight.sub(gradient, alpha=learning_rate).masked_fill(mask.logical_not(), 0).tolist()


def pay_off_in_closed_form(alpha, K, c):
    tokens = K + 1.0 if alpha == 1 else (1 - alpha ** (K + 1)) / (1 - alpha)
    return tokens, tokens / (1 + K * c)


def pay_off_round_by_round(alpha, K, c):
    """The mean over what a round may bring: k accepted words and one of the target's."""
    chances = [alpha**k * (1 - alpha) for k in range(K)] + [alpha**K]
    tokens = sum(chance * (k + 1) for k, chance in enumerate(chances))
    return [tokens, tokens / (K * c + 1)]


def accepted_by_numpy(p, q, r):
    return (r.numpy() * p.numpy() <= q.numpy()).astype(int)


def accepted_from_above(p, q, r):
    """Another use of r, and so other words, by the same chances."""
    return [
        1.0 - s < min(1.0, y / x)
        for x, y, s in zip(p.tolist(), q.tolist(), r.tolist(), strict=True)
    ]


def accepted_by_refusing(p, q, r):
    return torch.logical_not(r > torch.minimum(torch.ones_like(p), q / p))


def residual_by_numpy(p, q):
    p, q = p.double().numpy(), q.double().numpy()
    left = q - np.minimum(p, q)
    return left / left.sum() if left.any() else q.copy()


def residual_by_loop(p, q):
    more = [max(y - x, 0.0) for x, y in zip(p.tolist(), q.tolist(), strict=True)]
    return tuple(np.float32(each / math.fsum(more)) for each in more) if sum(more) else q.tolist()


def jsd_by_numpy(p, q, beta):
    from scipy.special import rel_entr

    p, q = p.double().numpy(), q.double().numpy()
    if beta in (0.0, 1.0):
        return (rel_entr(q, p) if beta else rel_entr(p, q)).sum()
    m = beta * p + (1 - beta) * q
    return np.dot([beta, 1 - beta], [rel_entr(p, m).sum(), rel_entr(q, m).sum()])


def jsd_by_kl_div(p, q, beta):
    """torch's argument order: kl_div(log of the second law, the first law)."""
    if beta == 0:
        return F.kl_div(q.log(), p, reduction="sum")
    if beta == 1:
        return F.kl_div(p.log(), q, reduction="sum")
    m = torch.lerp(q, p, beta).log()
    return beta * F.kl_div(m, p, reduction="sum") + (1 - beta) * F.kl_div(m, q, reduction="sum")


def advantages_by_matrix(log_p_student, log_p_teacher, discount):
    T = len(log_p_student)
    powers = np.array(
        [[discount ** (u - t) if u >= t else 0.0 for u in range(T)] for t in range(T)]
    )
    return powers @ (log_p_teacher - log_p_student).numpy()


def advantages_by_sums(log_p_student, log_p_teacher, discount):
    costs = [s - t for s, t in zip(log_p_student.tolist(), log_p_teacher.tolist(), strict=True)]
    return tuple(
        -sum(discount**n * cost for n, cost in enumerate(costs[t:])) for t in range(len(costs))
    )


def weights_by_logs(rates, a, b):
    """e^(a log p + b log(1 − p)), where 0 · log 0 is 0."""
    p = rates.double().numpy()
    logs = [
        power * np.log(x) if power else 0.0 * x
        for power, x in ((a, np.maximum(p, 1e-300)), (b, np.maximum(1 - p, 1e-300)))
    ]
    w = np.exp(logs[0] + logs[1])
    return w / w.mean()


def weights_by_loop(rates, a, b):
    plain = [math.pow(p, a) * math.pow(1.0 - p, b) for p in rates.tolist()]
    return tuple(len(plain) * w / math.fsum(plain) for w in plain)


def ratio_by_products(gradients):
    """The mean product of two different gradients, from all products at once."""
    g, n = gradients.double().numpy(), len(gradients)
    products = g @ g.T
    signal = (products.sum() - np.trace(products)) / (n * (n - 1))
    return max(0.0, signal) / (np.trace(products) / n - signal)


def ratio_by_covariance(gradients):
    noise = torch.cov(gradients.T).trace()
    return torch.relu(gradients.mean(0).norm() ** 2 - noise / gradients.shape[0]).reshape(1) / noise


def written_after_by_search(update, interval):
    sent = [n for n in range(update + 1) if n % interval == 0]
    return sent[-2] if len(sent) >= 2 else 0


def written_after_by_rest(update, interval):
    return np.maximum(0, update - update % interval - interval)


def mask_by_numpy(sentence):
    sentence = sentence.numpy()
    return np.equal.outer(sentence, sentence) & np.tri(len(sentence), dtype=bool)


def mask_by_loop(sentence):
    ids = sentence.tolist()
    return [
        [ids[u] == ids[t] if u <= t else False for u in range(len(ids))] for t in range(len(ids))
    ]


def remainder_by_numpy(log_p, log_q, words):
    from scipy.special import rel_entr

    p, q = np.exp(log_p.numpy()), np.exp(log_q.numpy())
    mine = np.append(p[words.numpy()], np.delete(p, words.numpy()).sum())
    return rel_entr(q, mine).sum()


def remainder_by_merging(log_p, log_q, words):
    p, other = log_p.exp(), torch.ones_like(log_p, dtype=torch.bool)
    other[words] = False
    mine = torch.cat([p[words], p[other].sum()[None]])
    return F.kl_div(mine.log(), log_q, reduction="sum", log_target=True)


def soft_or_as_chances(h, delta):
    def scaled(values):
        values = values.double().numpy()
        return np.interp(values, (values.min(), values.max()), (0.0, 1.0))

    return 1.0 - (1.0 - scaled(h)) * (1.0 - scaled(delta))


def soft_or_by_loop(h, delta):
    found = []
    for x, y in zip(h.tolist(), delta.tolist(), strict=True):
        x, y = (
            (v - min(all_)) / (max(all_) - min(all_))
            for v, all_ in ((x, h.tolist()), (y, delta.tolist()))
        )
        found.append(x + y * (1.0 - x))
    return found


def kept_tokens_by_torch(scores, share):
    n = math.floor(share * len(scores) + 1e-9)
    return torch.tensor(scores).argsort(descending=True, stable=True)[:n].sort().values.tolist()


EQUIVALENT: dict[str, list[Callable]] = {
    "greedy_search": [greedy_by_appending],
    "entropy_of_translations": [entropy_by_numpy, entropy_by_torch],
    "next_word_distribution": [next_word_with_defaultdict],
    "masked_nll": [nll_by_loop, nll_by_torch],
    "perplexity": [perplexity_by_bits],
    "softmax_with_temperature": [softmax_by_torch, softmax_by_log_sum],
    "kl_from_truth": [kl_as_a_difference],
    "word_kd_loss": [word_kd_flat],
    "mixed_target": [mixed_by_index],
    "word_gradient": [gradient_by_autograd],
    "beam_step": [beam_step_by_heap],
    "rank_with_penalty": [ranking_by_numpy],
    "mode_mass": [mass_by_torch],
    "conditional_entropy": [conditional_by_numpy],
    "history_dependence": [history_by_ratios],
    "length_ratio": [ratio_by_chain],
    "seq_inter_choice": [choice_by_sorting],
    "clipped_precision": [precision_by_removing],
    "speed_up": [speed_by_tensor],
    "bootstrap_p_value": [bootstrap_by_numpy],
    "mean_and_interval": [interval_by_numpy],
    "global_threshold": [threshold_by_numpy, threshold_by_selection],
    "prune_and_hold": [update_by_numpy, update_by_filling],
    "pay_off": [pay_off_in_closed_form, pay_off_round_by_round],
    "accepted": [accepted_by_numpy, accepted_from_above, accepted_by_refusing],
    "residual": [residual_by_numpy, residual_by_loop],
    "generalised_jsd": [jsd_by_numpy, jsd_by_kl_div],
    "advantages": [advantages_by_matrix, advantages_by_sums],
    "paced_weights": [weights_by_logs, weights_by_loop],
    "signal_to_noise": [ratio_by_products, ratio_by_covariance],
    "soft_or": [soft_or_as_chances, soft_or_by_loop],
    "kept_tokens": [kept_tokens_by_torch],
    "written_after": [written_after_by_search, written_after_by_rest],
    "packed_mask": [mask_by_numpy, mask_by_loop],
    "remainder_kl": [remainder_by_numpy, remainder_by_merging],
}


def test_every_exercise_has_another_right_answer():
    assert set(EQUIVALENT) == set(EXERCISES)


@pytest.mark.parametrize(
    "key, function", [(key, f) for key, functions in EQUIVALENT.items() for f in functions]
)
def test_any_right_answer_is_accepted(key, function):
    result = exercises.check(key, function)
    assert result, repr(result)
