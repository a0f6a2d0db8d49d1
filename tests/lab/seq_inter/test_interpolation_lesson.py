"""Lesson 07's sentences and ranges: they quote what was measured, and say the other thing where it
is otherwise."""

from __future__ import annotations

import pytest

from seqkd_lab.decoding.search import Hypothesis
from seqkd_lab.lab.seq_inter import notebook as seq_inter
from seqkd_lab.lab.seq_inter import words
from seqkd_lab.lab.seq_inter.choice import BLEU, SIMILARITIES, Candidates, Means
from seqkd_lab.lab.seq_inter.tuning import Stage
from seqkd_lab.lab.seq_inter.views import ChoiceExplorer
from seqkd_lab.lab.shared import lesson
from seqkd_lab.lab.shared.predictions import CANNOT_TELL
from seqkd_lab.lab.shared.scores import Score
from seqkd_lab.runs.recipes import BASELINE, SEQ_KD, TEACHER

MODE = tuple("meine Fahrkarte war neu und der Arzt versteckte sie .".split())


def candidates(*pairs, source=lesson.TICKET, gold=lesson.TICKET_GOLD) -> Candidates:
    """Candidates with (words, similarity by every measure), each less probable than the one
    before."""
    found = tuple(
        Hypothesis(tuple(tokens), -1.0 - n, -1.0 - n) for n, (tokens, _) in enumerate(pairs)
    )
    return Candidates(
        source, gold, found, {name: tuple(value for _, value in pairs) for name in SIMILARITIES}
    )


def score(bleu: float, p_mode: float, error: float = 0.01) -> Score:
    return Score(300, (bleu, bleu + 1.0), (0.6, 0.7), p_mode, error, 0.8)


class TestTicket:
    def test_the_triangle_leaves_at_the_first_nearer_candidate(self, toy):
        ticket = candidates((MODE, 50.0), (("Unsinn",), 10.0), (lesson.TICKET_GOLD, 100.0))
        text = words.ticket_in_words(ticket, toy.language)
        assert (
            "at K = 3" in text
            and "This is gold itself" in text
            and "2 of its 3 candidates are valid" in text
        )
        near = candidates((MODE, 50.0), (MODE[:-1], 60.0))
        assert "at K = 2" in words.ticket_in_words(near, toy.language)
        assert "gold itself" not in words.ticket_in_words(near, toy.language)

    def test_it_may_never_leave(self, toy):
        assert "never leaves" in words.ticket_in_words(
            candidates((MODE, 50.0), (MODE, 40.0)), toy.language
        )

    def test_its_candidates_are_the_teachers_and_come_first_in_the_view(self, toy, toy_models):
        ticket = seq_inter.candidates_of(toy_models[TEACHER], lesson.TICKET, lesson.TICKET_GOLD, 4)
        assert (ticket.source, ticket.gold, len(ticket.hypotheses)) == (
            lesson.TICKET,
            lesson.TICKET_GOLD,
            4,
        )
        read = seq_inter.read_candidates(toy_models[TEACHER], toy.train[:5], 4)
        view = seq_inter.make_explorer(ticket, read, 2)
        assert view.data is ticket and view.K.value == 2 and "ticket" in view.text.value
        assert view.means == ChoiceExplorer(read).means  # the ticket is not of the corpus
        view.sentence.value = 1
        assert view.data is read[0]


class TestMeans:
    def test_the_shape_of_the_fall(self):
        shapes = {
            seq_inter.SLOWING: (-3.0, -3.8, -4.0),
            seq_inter.EVENLY: (-3.0, -3.5, -4.0),
            seq_inter.STAYS: (-3.0, -3.01, -3.02),
            seq_inter.RISES: (-3.0, -2.5, -2.0),
        }
        for shape, log_probs in shapes.items():
            assert seq_inter.shape_of_fall(log_probs) == shape

    def test_the_words_give_the_reason_only_where_it_holds(self):
        def text(*log_probs) -> str:
            return words.means_in_words(
                Means((40.0, 60.0, 85.4), log_probs, (1.0, 0.5, 0.07), (0.1, 0.2, 0.57))
            ).text

        falling = text(-3.0, -3.5, -4.0)
        assert "from 40.0 to 85.4" in falling and "each new one is less probable" in falling
        assert "57%" in falling and "−3.00 to −4.00" in falling
        assert "It cannot rise: the candidates" not in text(-3.0, -2.5, -2.0)

    def test_other_similarities_are_compared_with_sentence_bleu(self):
        same = candidates((MODE, 50.0), (MODE[:3], 60.0))
        other = Candidates(
            same.source,
            same.gold,
            same.hypotheses,
            {name: (50.0, 60.0) if name == BLEU else (60.0, 50.0) for name in SIMILARITIES},
        )
        text = words.other_similarity_in_words([same, other], 2)
        assert text.count("50%") == len(SIMILARITIES) - 1 and "With K = 2" in text

    def test_the_similarity_is_expected_where_the_seeds_have_it(self):
        seeds = (("1", 85.0), ("2", 86.0))
        results = {
            "by_seed": {
                seed: {"teacher+seq-inter": {"distilled": {"similarity": value}}}
                for seed, value in seeds
            }
        }
        alike = [candidates((MODE, 85.0), (MODE, 40.0))] * 3
        assert seq_inter.similarity_range(results, alike, 2) == (85.0, 86.0)
        varied = [*alike, candidates((MODE, 20.0), (MODE, 40.0))]
        low, high = seq_inter.similarity_range(results, varied, 2)
        assert low < 85.0 and 86.0 < high <= 100.0


def scores(**after) -> dict[str, Score]:
    found = {}
    for name, p in ((TEACHER, 0.06), (BASELINE, 0.02), (SEQ_KD, 0.23)):
        found[name] = score(90.0, p)
        found[name + seq_inter.TUNED] = score(90.0 + after.get(name.replace("-", "_"), 0.0), 0.1)
    return found


def gains(teacher, baseline, seq_kd) -> dict:
    return {
        name: {seq_inter.GREEDY: values, seq_inter.BEAM: values}
        for name, values in ((TEACHER, teacher), (BASELINE, baseline), (SEQ_KD, seq_kd))
    }


class TestTuned:
    def test_each_model_is_said_to_rise_or_fall(self):
        text = words.tuned_in_words(scores(baseline=-2.0))
        assert (
            "p(ŷ) of the Seq-KD student falls from 0.23 to 0.10" in text
            and "changes by −2.0" in text
        )
        assert "makes them more certain" in text
        all_fall = {name: score(90.0, 0.5 if "ỹ" not in name else 0.1) for name in scores()}
        assert "more certain" not in words.tuned_in_words(all_fall)

    def test_a_run_outside_the_seeds_is_called_so(self):
        seeds = gains((0.4, 0.5, 0.6), (-0.5, 0.8, 0.2), (-2.0, -2.5, -2.3))
        text = words.seeds_in_words(seeds, scores(teacher=0.5, baseline=-2.0, seq_kd=-2.2)).text
        assert (
            "it helps" in text and "it hurts" in text and "do not decide whether it helps" in text
        )
        assert (
            "outside the seeds for baseline (−2.0 in this run, −0.5 to +0.8 over the seeds)" in text
        )
        inside = words.seeds_in_words(seeds, scores(teacher=0.5, baseline=0.2, seq_kd=-2.2)).text
        assert "within the range of the seeds for all three" in inside

    def test_what_becomes_of_the_papers_result(self):
        assert (
            "is not reproduced"
            in words.paper_in_words(gains((1.0, 1.1), (0.1, 0.2), (-2.0, -2.1))).text
        )
        assert (
            "here, too, it helps"
            in words.paper_in_words(gains((1.0, 1.1), (0.1, 0.2), (2.0, 2.1))).text
        )
        assert (
            "do not decide" in words.paper_in_words(gains((1.0, 1.1), (0.1, 0.2), (-2.0, 2.1))).text
        )

    @pytest.mark.parametrize(
        "before, after, said",
        [(1.8, 0.1, "is held"), (1.8, 0.9, "is not held"), (0.5, 0.29, "the seeds do not decide")],
    )
    def test_what_the_beam_adds_to_the_teacher(self, before, after, said):
        rows = [
            {
                name: {"greedy": {"bleu": 96.0}, "beam": {"bleu": 96.0 + gap + seed / 50}}
                for name, gap in ((TEACHER, before), (seq_inter.TEACHER_INTER, after))
            }
            for seed in range(3)
        ]
        text = words.teacher_in_words(rows)
        assert (
            said in text
            and ("less than 1 BLEU" in text) == (before < 1.0)
            and "adds less after" in text
        )

    def test_the_committed_table_decides_what_it_decides(self):
        rows = seq_inter.rows_by_seed(lesson.table_results())
        found = seq_inter.table_gains(rows, seq_inter.PAIRS)
        pairs = seq_inter.decided(
            {name: values[seq_inter.GREEDY] for name, values in found.items()}
        )
        assert (TEACHER, SEQ_KD) in pairs and all(pair[::-1] not in pairs for pair in pairs)


def stages(dependence, bleu, p_mode, error: float = 0.01) -> list[Stage]:
    return [
        Stage(name, nats, score(points, p, error))
        for name, nats, points, p in zip(("K = 1", "gold"), dependence, bleu, p_mode, strict=True)
    ]


class TestPath:
    @pytest.mark.parametrize(
        "dependence, p_mode, said",
        [
            ((0.8, 1.2), (0.23, 0.11), seq_inter.APART),
            ((0.8, 1.2), (0.11, 0.23), seq_inter.BOTH_RISE),
            ((1.2, 0.8), (0.11, 0.23), seq_inter.TURNED),
            ((1.2, 0.8), (0.23, 0.11), seq_inter.BOTH_FALL),
            ((0.8, 1.2), (0.23, 0.225), CANNOT_TELL),
        ],
    )
    def test_which_way_the_two_go(self, dependence, p_mode, said):
        assert seq_inter.way_to_gold(stages(dependence, (92.0, 90.0), p_mode)) == said

    def test_without_a_measured_dependence_or_error_nothing_is_claimed(self):
        assert (
            seq_inter.way_to_gold(stages((0.8, 1.2), (92.0, 90.0), (0.2, 0.1), float("nan")))
            == CANNOT_TELL
        )

    def test_the_words_draw_the_conclusion_only_where_it_holds(self):
        text = words.path_in_words(
            score(92.9, 0.2), stages((0.8, 1.2), (92.0, 90.0), (0.23, 0.11))
        ).text
        assert "the more the student must remember" in text and "by −0.9" in text
        other = words.path_in_words(
            score(91.0, 0.2), stages((0.8, 1.2), (92.0, 93.0), (0.23, 0.3))
        ).text
        assert (
            "decides nothing" in other
            and "the more the student" not in other
            and "due to" not in other
        )
