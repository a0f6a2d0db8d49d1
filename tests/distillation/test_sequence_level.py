"""Corpora that a teacher rewrites: Seq-KD, Seq-Inter and samples, and the files that hold them."""

from __future__ import annotations

import random
import warnings

import pytest
import torch
from sacrebleu.metrics import BLEU
from small_corpus import TINY

from seqkd_lab.corpus.parallel import CorpusError, ParallelCorpus
from seqkd_lab.corpus.vocabulary import EOS
from seqkd_lab.decoding.scoring import sentence_log_probs
from seqkd_lab.decoding.search import Hypothesis, search
from seqkd_lab.distillation.distilled import (
    DistilledCorpus,
    read_distilled,
    similarity,
    write_distilled,
)
from seqkd_lab.distillation.sequence_level import (
    INTERPOLATED,
    MODE,
    SAMPLED,
    distil,
    distil_interpolated,
    distil_mode,
    distil_sampled,
    nearest_to_gold,
)
from seqkd_lab.runs.recipes import TEACHER, Distillation, ToyData, table_recipes
from seqkd_lab.runs.store import identity

RNG = random.Random(3)
SOURCES = tuple(
    tuple(RNG.choices(["ant", "bee", "cat", "dog"], k=RNG.randint(1, 6))) for _ in range(40)
)
TARGETS = tuple(
    tuple(RNG.choices(["ant", "bee", "cat", "dog"], k=RNG.randint(3, 6))) for _ in SOURCES
)
REFERENCES = tuple((" ".join(target), "ant") for target in TARGETS)
GOLD = ParallelCorpus("n", "train", "l", SOURCES, TARGETS, REFERENCES)

pytestmark = pytest.mark.filterwarnings(
    "ignore:the teacher wrote"
)  # a random teacher's lengths are random


@pytest.fixture
def teacher(make_model):
    return make_model(5, sharpness=2.0)


def sacrebleu_similarity(hypothesis, gold) -> float:
    """sacreBLEU's own sentence BLEU with its default smoothing; tokens are what spaces divide."""
    metric = BLEU(effective_order=True, tokenize="none")
    return metric.sentence_score(" ".join(hypothesis), [" ".join(gold)]).score


class TestMode:
    @pytest.mark.parametrize(("beam_size", "length_penalty"), [(1, 0.0), (5, 0.0), (5, 1.0)])
    def test_each_target_is_the_best_of_the_teachers_search(
        self, teacher, beam_size, length_penalty
    ):
        distilled = distil_mode(teacher, GOLD, beam_size, length_penalty, batch_size=7)
        expected = [n_best[0] for n_best in search(teacher, SOURCES, beam_size, 1, length_penalty)]
        assert distilled.corpus.target == tuple(h.tokens for h in expected)
        assert distilled.log_probs == pytest.approx([h.log_prob for h in expected], abs=2e-4)
        assert len(set(distilled.corpus.target)) > 5

    def test_counts_what_it_reports(self, teacher):
        gold = GOLD.with_target((*distil_mode(teacher, GOLD).corpus.target[:10], *TARGETS[10:]))
        distilled = distil_mode(teacher, gold)
        pairs = list(zip(distilled.corpus.target, gold.target, strict=True))
        assert distilled.length_ratio == sum(len(a) for a, _ in pairs) / sum(
            len(b) for _, b in pairs
        )
        assert distilled.exact_matches == sum(a == b for a, b in pairs) >= 10
        assert f"{100 * distilled.exact_matches / 40:.1f}%" in distilled.describe()


class TestInterpolated:
    def test_each_target_is_the_nearest_of_the_k_best(self, teacher):
        distilled = distil_interpolated(teacher, GOLD, beam_size=8, batch_size=6)
        for source, gold, chosen in zip(SOURCES, TARGETS, distilled.corpus.target, strict=True):
            k_best = search(teacher, [source], 8, 8)[0]
            scores = [sacrebleu_similarity(h.tokens, gold) for h in k_best]
            assert chosen in {
                h.tokens for h, score in zip(k_best, scores, strict=True) if score == max(scores)
            }

    def test_is_at_least_as_near_to_gold_as_the_mode(self, teacher):
        nearest, mode = (
            distil_interpolated(teacher, GOLD, beam_size=8),
            distil_mode(teacher, GOLD, beam_size=8),
        )
        assert all(a >= b for a, b in zip(nearest.similarities, mode.similarities, strict=True))
        assert sum(nearest.similarities) > sum(mode.similarities)
        assert all(a <= b + 2e-4 for a, b in zip(nearest.log_probs, mode.log_probs, strict=True))

    def test_a_corpus_of_several_parts_stays_aligned(self, teacher):
        parts = distil_interpolated(teacher, GOLD, beam_size=4, batch_size=1)
        small = distil_interpolated(teacher, GOLD[20:], beam_size=4)
        assert parts.corpus.target[20:] == small.corpus.target

    @pytest.mark.parametrize("seed", range(20))
    def test_nearest_to_gold_is_the_argmax_of_sentence_bleu(self, seed):
        rng = random.Random(seed)
        gold = tuple(rng.choices("abcde", k=6))
        candidates = [
            Hypothesis(tuple(rng.choices("abcde", k=rng.randint(0, 8))), -float(i), -float(i))
            for i in range(12)
        ]
        rng.shuffle(candidates)
        scores = [sacrebleu_similarity(h.tokens, gold) for h in candidates]
        best = [h for h, score in zip(candidates, scores, strict=True) if score == max(scores)]
        assert nearest_to_gold(candidates, gold) == max(best, key=lambda h: h.log_prob)

    def test_ties_go_to_the_likelier(self):
        candidates = [
            Hypothesis(("x",), -3.0, -3.0),
            Hypothesis(("y",), -1.0, -1.0),
            Hypothesis(("z",), -2.0, -2.0),
        ]
        assert nearest_to_gold(candidates, ("a", "b")).tokens == ("y",)

    @pytest.mark.parametrize("seed", range(5))
    def test_similarity_is_sacrebleus_and_100_for_gold_itself(self, seed):
        rng = random.Random(seed)
        gold, other = tuple(rng.choices("abcde.,", k=6)), tuple(rng.choices("abcde.,", k=5))
        assert similarity(other, gold) == sacrebleu_similarity(other, gold) < 100
        assert similarity(gold, gold) == pytest.approx(100.0)
        assert similarity((), gold) == 0.0


class TestSampled:
    def test_seeds_differ_and_each_repeats_itself(self, teacher):
        first, again, other = (distil_sampled(teacher, GOLD, seed) for seed in (1, 1, 2))
        assert first == again
        assert first.corpus.target != other.corpus.target

    def test_log_probs_are_the_teachers_own(self, teacher):
        distilled = distil_sampled(teacher, GOLD, 1)
        expected = sentence_log_probs(teacher, SOURCES, distilled.corpus.target)
        assert distilled.log_probs == pytest.approx(expected, abs=2e-4)

    def test_what_is_refused_is_drawn_again_and_nothing_else(self, teacher):
        def is_valid(source, target) -> bool:
            return len(target) % 2 == 0

        plain, drawn_again = (
            distil_sampled(teacher, GOLD, 1),
            distil_sampled(teacher, GOLD, 1, is_valid=is_valid),
        )
        pairs = list(zip(plain.corpus.target, drawn_again.corpus.target, strict=True))
        assert {len(before) % 2 for before, _ in pairs} == {0, 1}
        assert all(is_valid((), after) for _, after in pairs)
        assert all(before == after for before, after in pairs if is_valid((), before))
        expected = sentence_log_probs(teacher, SOURCES, drawn_again.corpus.target)
        assert drawn_again.log_probs == pytest.approx(expected, abs=2e-4)

    def test_where_no_draw_is_valid_the_last_one_stays(self, teacher):
        never = distil_sampled(teacher, GOLD, 1, is_valid=lambda source, target: False)
        assert len(never.corpus.target) == len(GOLD)

    def test_only_samples_are_drawn_again(self):
        recipe = table_recipes(ToyData(60), TINY, 1)[TEACHER]
        with pytest.raises(ValueError, match="only samples"):
            Distillation(recipe, MODE, valid=True)
        assert "valid" not in identity(Distillation(recipe, SAMPLED))


@pytest.mark.parametrize("method", [MODE, INTERPOLATED, SAMPLED])
class TestEveryMethod:
    def test_sources_references_and_order_are_untouched(self, teacher, method):
        distilled = distil(teacher, GOLD, method, beam_size=4).corpus
        assert distilled.source == SOURCES
        assert distilled.references == REFERENCES
        assert len(distilled.target) == len(SOURCES)
        assert GOLD.target == TARGETS

    def test_reports_every_sentence_once(self, teacher, method):
        heard = []
        distil(teacher, GOLD, method, beam_size=4, report=heard.append)
        assert sum(heard) == len(GOLD)

    def test_what_is_read_is_what_was_written(self, teacher, method, tmp_path):
        distilled, path = distil(teacher, GOLD, method, beam_size=4), tmp_path / "d.tsv"
        write_distilled(path, distilled)
        assert read_distilled(path, GOLD) == distilled
        assert path.read_text(encoding="utf-8").splitlines()[1].split("\t")[0] == " ".join(
            SOURCES[0]
        )


def test_an_unknown_method_is_refused(teacher):
    with pytest.raises(ValueError, match="beam"):
        distil(teacher, GOLD, "beam")


class TestFiles:
    @pytest.fixture
    def path(self, teacher, tmp_path):
        path = tmp_path / "d.tsv"
        write_distilled(path, distil_mode(teacher, GOLD))
        return path

    def change(self, path, number: int, edit) -> None:
        lines = path.read_text(encoding="utf-8").split("\n")
        lines[number - 1] = edit(lines[number - 1])
        path.write_text("\n".join(lines), encoding="utf-8")

    @pytest.mark.parametrize(
        "edit",
        [
            lambda line: "x " + line,
            lambda line: line.split("\t")[0],
            lambda line: line + "\tmore",
            lambda line: "",
            lambda line: line.rsplit("\t", 1)[0] + "\tmuch",
            lambda line: line.replace("\t", " "),
        ],
    )
    def test_a_line_that_does_not_fit_is_named(self, path, edit):
        self.change(path, 17, edit)
        with pytest.raises(CorpusError, match="d.tsv:17"):
            read_distilled(path, GOLD)

    def test_lines_that_changed_places_are_named(self, path):
        lines = path.read_text(encoding="utf-8").split("\n")
        a = next(i for i in range(2, 40) if lines[i].split("\t")[0] != lines[i + 1].split("\t")[0])
        lines[a], lines[a + 1] = lines[a + 1], lines[a]
        path.write_text("\n".join(lines), encoding="utf-8")
        with pytest.raises(CorpusError, match=f"d.tsv:{a + 1}"):
            read_distilled(path, GOLD)

    def test_another_number_of_lines(self, path):
        with pytest.raises(CorpusError, match="d.tsv: 40 rows for 39"):
            read_distilled(path, GOLD[:39])

    def test_bytes_that_are_not_utf_8(self, path):
        path.write_bytes(path.read_bytes().replace(b"\n", b"\n\xff", 3))
        with pytest.raises(CorpusError, match="d.tsv:2"):
            read_distilled(path, GOLD)

    def test_an_empty_or_a_missing_file(self, path):
        path.write_bytes(b"")
        with pytest.raises(CorpusError, match="d.tsv"):
            read_distilled(path, GOLD)
        path.unlink()
        with pytest.raises(CorpusError, match="d.tsv"):
            read_distilled(path, GOLD)

    def test_words_of_other_languages_survive(self, path):
        source = (("naïve", "日本"), ("ß",))
        corpus = ParallelCorpus("n", "s", "l", source, (("Ä",), ("ẞ", "𝔘")))
        distilled = DistilledCorpus(corpus, (-1.5, -2.25), (100.0, 100.0), 1.0, 2)
        write_distilled(path, distilled)
        assert read_distilled(path, corpus) == distilled


class TestLengthWarning:
    def lengthen(self, teacher, by: float):
        with torch.no_grad():
            teacher.output.bias[EOS] -= by
        return teacher

    @pytest.mark.parametrize(("eos", "word"), [(-50.0, "0.00"), (50.0, "tokens per gold token")])
    @pytest.mark.filterwarnings("default:the teacher wrote")
    def test_a_teacher_that_writes_too_short_or_too_long_is_pointed_out(self, teacher, eos, word):
        with pytest.warns(UserWarning, match=word):
            distil_mode(self.lengthen(teacher, eos), GOLD)

    def test_a_teacher_of_golds_length_is_not(self, teacher):
        own = GOLD.with_target(n[0].tokens for n in search(teacher, SOURCES, 5))
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert distil_mode(teacher, own).length_ratio == 1.0

    @pytest.mark.filterwarnings("default:the teacher wrote")
    def test_reading_a_file_of_a_wrong_length_warns_too(self, teacher, tmp_path):
        with pytest.warns(UserWarning, match="0.00"):
            write_distilled(tmp_path / "d.tsv", distil_mode(self.lengthen(teacher, -50.0), GOLD))
        with pytest.warns(UserWarning, match="0.00"):
            read_distilled(tmp_path / "d.tsv", GOLD)
