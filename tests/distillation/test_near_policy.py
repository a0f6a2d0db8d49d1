"""Near-policy distillation: its parts by independent ways, and two processes that agree, bound,
fail and end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from itertools import islice

import pytest
import torch
from small_corpus import TINY, write_text

from seqkd_lab.corpus.batching import encode, make_batch
from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.corpus.vocabulary import BOS, EOS, PAD, Vocabulary
from seqkd_lab.decoding.distribution import SamplingDistribution
from seqkd_lab.decoding.scoring import token_log_probs
from seqkd_lab.decoding.search import search
from seqkd_lab.distillation.delta_ifd import (
    SourceDropout,
    at_random,
    delta_ifd,
    ifd,
    mean_cross_entropy,
    middle,
    with_empty_sources,
)
from seqkd_lab.distillation.divergences import divergence
from seqkd_lab.distillation.generation import (
    DELTA_IFD,
    GENERATE,
    RANDOM,
    TRAIN,
    WAIT,
    Diary,
    Writing,
    draw_many,
    next_words,
    write,
)
from seqkd_lab.distillation.generator_process import GeneratorError, Separate, from_bytes, to_bytes
from seqkd_lab.distillation.near_policy import (
    InOneProcess,
    Learning,
    OneForAll,
    Schedule,
    Writer,
    endless_rows,
    learn,
    token_losses,
)
from seqkd_lab.distillation.top_k import TopK, rest, top_k, top_k_kl
from seqkd_lab.models.lstm import LSTMSeq2Seq, LSTMSpec
from seqkd_lab.models.transformer import TransformerSeq2Seq, TransformerSpec
from seqkd_lab.runs.recipes import BASELINE, table_recipes
from seqkd_lab.runs.store import Store, key

WORDS = tuple("abcdefgh")
VOCABULARY = Vocabulary.build([WORDS])
SOURCES = tuple(tuple(WORDS[(i + j) % 8] for j in range(1 + i % 5)) for i in range(40))
CORPUS = ParallelCorpus("small", "train", "", SOURCES, SOURCES)
ENCODED = encode(CORPUS, VOCABULARY, VOCABULARY)


def make_student(seed: int = 1) -> TransformerSeq2Seq:
    torch.manual_seed(seed)
    return TransformerSeq2Seq(
        TransformerSpec(8, 1, 2, 8, dropout=0.0), VOCABULARY, VOCABULARY
    ).eval()


def make_teacher(seed: int = 2) -> LSTMSeq2Seq:
    torch.manual_seed(seed)
    return LSTMSeq2Seq(LSTMSpec(width=8), VOCABULARY, VOCABULARY).eval()


def make_writer(how: Writing = Writing(top_k=3), per_update: int = 4, seed: int = 5) -> Writer:  # noqa: B008
    return Writer(make_student(), make_teacher(), ENCODED, how, per_update, seed)


def learning(n_tokens: int = 400, **changes) -> Learning:
    return Learning(n_tokens, rate=lambda done: 0.01, **changes)


def weights(model) -> torch.Tensor:
    return torch.cat([parameter.detach().flatten() for parameter in model.parameters()])


class TestTopK:
    log_p = torch.randn(50, 12, generator=torch.Generator().manual_seed(1)).mul(2).log_softmax(1)
    log_q = torch.randn(50, 12, generator=torch.Generator().manual_seed(2)).mul(2).log_softmax(1)

    def test_it_grows_with_k_up_to_the_full_divergence(self):
        full = divergence(self.log_p, self.log_q, beta=0.0)
        before = torch.zeros(50)
        for k in range(1, 12):
            now = top_k_kl(self.log_p, top_k(self.log_q, k))
            assert bool((now >= before - 1e-5).all()) and bool((now <= full + 1e-5).all())
            before = now
        assert torch.allclose(before, full, atol=1e-4)  # the bucket holds one word
        assert torch.allclose(top_k_kl(self.log_p, top_k(self.log_q, None)), full, atol=1e-5)

    def test_outcomes_counted_by_hand(self):
        teacher, student = (
            torch.tensor([[0.5, 0.3, 0.1, 0.1]]),
            torch.tensor([[0.2, 0.2, 0.3, 0.3]]),
        )
        found = top_k_kl(student.log(), top_k(teacher.log(), 2))
        p, q = torch.tensor([0.5, 0.3, 0.2]), torch.tensor([0.2, 0.2, 0.6])
        assert found.item() == pytest.approx(float((p * (p / q).log()).sum()), abs=1e-6)
        assert rest(teacher[:, :2].log()).exp().item() == pytest.approx(0.2)

    def test_a_sure_teacher_gives_finite_gradients(self):
        logits = torch.tensor([[80.0, 0.0, 0.0, 0.0]])
        student = torch.tensor([[60.0, 0.0, 1.0, 0.0]], requires_grad=True)
        top_k_kl(student.log_softmax(1), top_k(logits, 2)).sum().backward()
        assert student.grad.isfinite().all()

    @pytest.mark.parametrize("k", [0, 13])
    def test_a_k_outside_the_vocabulary_is_refused(self, k):
        with pytest.raises(ValueError, match="1..12"):
            top_k(self.log_q, k)


class TestDeltaIFD:
    batch = make_batch(ENCODED, range(6))

    def test_it_is_the_definition_sentence_by_sentence(self):
        student, teacher = make_student(), make_teacher()
        found = delta_ifd(student, teacher, self.batch)
        for i in range(6):
            one, values = make_batch(ENCODED, [i]), []
            lone = make_batch(
                encode(ParallelCorpus("", "", "", ((),), (SOURCES[i],)), VOCABULARY, VOCABULARY),
                [0],
            )
            assert lone.source.tolist() == [[EOS]]
            for model in (student, teacher):
                with torch.no_grad():
                    s = [-token_log_probs(model(b), b).sum() / b.n_tokens for b in (one, lone)]
                values.append(float(s[0] / s[1]))
            assert found[i].item() == pytest.approx(values[0] - values[1], abs=1e-5)

    def test_a_model_that_is_its_own_teacher_has_none(self):
        student = make_student()
        assert delta_ifd(student, student, self.batch).abs().max() == 0.0
        assert torch.allclose(
            ifd(student, self.batch)
            * mean_cross_entropy(
                student, with_empty_sources(self.batch, torch.ones(6, dtype=torch.bool))
            ),
            mean_cross_entropy(student, self.batch),
        )

    def test_source_dropout_empties_its_share_and_nothing_else(self):
        batch, drop = make_batch(ENCODED, [i % 40 for i in range(2000)]), SourceDropout(0.1)
        found = drop(make_student(), batch, seed=3)
        empty = found.source_lengths == 1
        assert 0.07 < float(empty.float().mean()) < 0.13 and bool(
            (found.source[empty, 0] == EOS).all()
        )
        assert torch.equal(found.target_out, batch.target_out)
        assert torch.equal(found.source[~empty], batch.source[~empty, : found.source.shape[1]])
        assert torch.equal(drop(make_student(), batch, seed=3).source, found.source)
        with pytest.raises(ValueError, match="share"):
            SourceDropout(0.0)

    def test_a_recipe_may_have_it_and_trains_by_it(self, tmp_path):
        recipe = table_recipes(write_text(tmp_path / "text"), TINY, 1)[BASELINE]
        dropped = replace(recipe, batch_transform=SourceDropout(0.5))
        assert (
            key(dropped) != key(recipe) != key(replace(recipe, batch_transform=SourceDropout(0.1)))
        )
        store = Store(tmp_path / "runs")
        assert not torch.equal(weights(store.model(dropped)), weights(store.model(recipe)))

    def test_the_middle_drops_as_many_at_either_end(self):
        values = torch.randn(200, generator=torch.Generator().manual_seed(1))
        keep = middle(values, 0.9)
        assert int(keep.sum()) == 180
        assert (
            int((values[~keep] < values[keep].min()).sum())
            == int((values[~keep] > values[keep].max()).sum())
            == 10
        )
        chance = at_random(200, 0.9, torch.Generator().manual_seed(2))
        assert int(chance.sum()) == 180 and not torch.equal(chance, keep)


class TestDrawing:
    def test_words_follow_the_law(self):
        logits = torch.tensor([0.3, 2.0, -1.0, 0.5, 1.5, 0.0])
        n, generator = 60_000, torch.Generator().manual_seed(1)
        for temperature in (1.0, 0.5):
            p = logits.clone()
            p[[PAD, BOS]] = float("-inf")
            p = (p / temperature).softmax(0)
            found = (
                torch.bincount(
                    next_words(SamplingDistribution(temperature)(logits.expand(n, -1)), generator),
                    minlength=6,
                )
                / n
            )
            assert (found - p).abs().max() < 5 * (0.25 / n) ** 0.5 and found[PAD] == found[BOS] == 0
        assert next_words(SamplingDistribution(0.0)(logits[None]), generator).item() == 4

    def test_sentences_end_once_and_greedy_is_search(self):
        student, batch = make_student(3), make_batch(ENCODED, range(12))
        drawn = draw_many(student, batch, 1.0, torch.Generator().manual_seed(4))
        for row in drawn.tolist():
            assert (
                row.count(EOS) == 1
                and set(row[row.index(EOS) + 1 :]) <= {PAD}
                and PAD not in row[: row.index(EOS)]
            )
        greedy = draw_many(student, batch, 0.0, torch.Generator().manual_seed(4))
        for i in range(12):
            alone = draw_many(student, make_batch(ENCODED, [i]), 0.0, torch.Generator())
            assert (
                alone[0, : (alone[0] != PAD).sum()].tolist() == greedy[i][greedy[i] != PAD].tolist()
            )

    @pytest.mark.parametrize("k", [3, None])
    def test_the_teachers_word_stands_at_its_token(self, k):
        teacher = make_teacher()
        found = write(
            make_student(), teacher, make_batch(ENCODED, range(30)), Writing(top_k=k), 1, Diary("x")
        )
        order = torch.tensor([7, 2, 19])
        some = found[order]
        with torch.no_grad():
            real = some.batch.target_out != PAD
            log_q = teacher(some.batch).log_softmax(2)[real]
        expected = log_q if k is None else log_q.topk(3).values
        assert torch.allclose(some.teacher.log_probs, expected, atol=1e-5)
        if k is not None:
            assert torch.allclose(log_q.gather(1, some.teacher.words), expected, atol=1e-5)

    @pytest.mark.parametrize(("filter", "n"), [("", 40), (RANDOM, 36), (DELTA_IFD, 36)])
    def test_filters_keep_what_they_say(self, filter, n):
        found = write(
            make_student(),
            make_teacher(),
            make_batch(ENCODED, range(40)),
            Writing(filter=filter, top_k=2),
            1,
            Diary("x"),
        )
        assert int(found.kept.sum()) == n
        parts = found.parts(4)
        assert [len(part) for part in parts] == [n // 4] * 4
        rows = torch.cat([part.batch.rows for part in parts])
        assert torch.equal(rows, found.batch.rows[found.kept])
        if filter == DELTA_IFD:
            assert torch.equal(found.kept, middle(found.delta, 0.9))

    def test_what_is_not_a_way_of_writing_is_refused(self):
        for wrong in ({"filter": "best"}, {"temperature": -1.0}, {"share": 0.0}):
            with pytest.raises(ValueError, match=next(iter(wrong))):
                Writing(**wrong)


class TestLoss:
    @pytest.mark.parametrize("alpha", [0.0, 0.4, 1.0])
    def test_packed_is_padded(self, alpha):
        student = make_student()
        written = write(
            student, make_teacher(), make_batch(ENCODED, range(20)), Writing(top_k=3), 1, Diary("x")
        )
        padded, packed = (token_losses(student, written, alpha, length) for length in (None, 16))
        assert len(padded) == int(written.lengths.sum())
        assert torch.allclose(padded.sort().values, packed.sort().values, atol=1e-5)

    def test_without_the_teacher_it_is_cross_entropy_and_with_all_words_the_full_kl(self):
        student, teacher = make_student(), make_teacher()
        written = write(
            student, teacher, make_batch(ENCODED, range(20)), Writing(top_k=None), 1, Diary("x")
        )
        batch = written.batch
        with torch.no_grad():
            own, real = student(batch), batch.target_out != PAD
            kl = divergence(own, teacher(batch), 0.0)[real]
            assert torch.allclose(token_losses(student, written, 1.0, None), kl, atol=1e-5)
            nll = -token_log_probs(own, batch)[real]
            assert torch.allclose(token_losses(student, written, 0.0, None), nll, atol=1e-5)

    def test_a_student_without_masks_cannot_be_packed(self):
        written = write(
            make_teacher(),
            make_teacher(),
            make_batch(ENCODED, range(4)),
            Writing(top_k=2),
            1,
            Diary("x"),
        )
        with pytest.raises(ValueError, match="Transformer"):
            token_losses(make_teacher(), written, 0.5, 16)
        assert token_losses(make_teacher(), written, 0.5, None).isfinite().all()


class TestSchedule:
    @pytest.mark.parametrize(
        "schedule",
        [
            Schedule(1, 0),
            Schedule(1, 1),
            Schedule(4),
            Schedule(6, together=4),
            Schedule(40),
            Schedule(None),
        ],
    )
    def test_jobs_follow_each_other_and_use_weights_that_were_sent(self, schedule):
        update = 0
        for number, job in enumerate(islice(schedule.jobs(), 30)):
            assert (job.number, job.update) == (
                number,
                update,
            ) and 1 <= job.n_updates <= schedule.together
            assert job.version <= job.update and schedule.is_due(job.version)
            for each in range(update, update + job.n_updates):
                assert (
                    schedule.version(each) == job.version
                )  # one job never crosses a synchronisation
            update += job.n_updates

    @pytest.mark.parametrize("interval", [1, 4, 16])
    def test_staleness_has_bounds(self, interval):
        for update in range(2 * interval, 200):
            assert interval <= update - Schedule(interval).version(update) < 2 * interval
            assert 0 <= update - Schedule(interval, ahead=0).version(update) < interval

    def test_on_policy_and_never(self):
        assert all(Schedule(1, 0).version(update) == update for update in range(50))
        assert all(Schedule(None).version(update) == 0 for update in range(50))
        assert [update for update in range(50) if Schedule(None).is_due(update)] == [0]

    def test_every_source_comes_once_an_epoch(self):
        rows = endless_rows(10, 0, 30, seed=1)
        assert all(sorted(rows[i : i + 10].tolist()) == list(range(10)) for i in (0, 10, 20))
        assert torch.equal(endless_rows(10, 7, 9, seed=1), rows[7:16])

    def test_wrong_ones_are_refused(self):
        for wrong in ({"interval": 0}, {"ahead": -1}, {"together": 0}):
            with pytest.raises(ValueError, match=next(iter(wrong))):
                Schedule(**wrong)


class TestLearning:
    def test_it_ends_when_the_tokens_are_reached_and_counts_what_it_took(self):
        seen, student = [], make_student()
        run = learn(
            student,
            InOneProcess(make_writer()),
            Schedule(4),
            learning(),
            observe=lambda job, written: seen.append((job, written)),
        )
        assert 400 <= run.n_tokens < 400 + 4 * 20 and run.n_updates == len(run.staleness)
        assert run.n_written == sum(len(written) for _, written in seen) == run.n_kept
        trained = [event for event in run.events if event.what == TRAIN]
        assert [event.update for event in trained] == list(range(run.n_updates))
        schedule = Schedule(4)
        assert run.staleness == [
            update - schedule.version(update) for update in range(run.n_updates)
        ]
        assert not torch.equal(weights(student), weights(make_student()))

    def test_synchronised_at_each_update_its_sentences_are_the_students_own(self):
        """The generator's student is at each job the trainer's as it is then."""
        student, writer, same = make_student(), make_writer(), []
        learn(
            student,
            InOneProcess(writer),
            Schedule(1, 0),
            learning(200),
            observe=lambda job, written: same.append(
                torch.equal(weights(student), weights(writer.student))
            ),
        )
        assert len(same) > 3 and all(same)
        stale = []
        learn(
            make_student(),
            InOneProcess(writer),
            Schedule(None),
            learning(200),
            observe=lambda job, written: stale.append(
                torch.equal(weights(make_student()), weights(writer.student))
            ),
        )
        assert all(stale)

    def test_the_teachers_own_data_do_not_change_as_the_student_learns(self):
        written = []
        writer = Writer(make_teacher(), make_teacher(), ENCODED, Writing(0.0, 3), 20, seed=1)
        learn(
            make_student(),
            OneForAll(writer),
            Schedule(1, 0),
            learning(3000, alpha=0.0),
            observe=lambda job, one: written.append(one),
        )
        by_row = {}
        for one in written:
            for row, target in zip(
                one.batch.rows.tolist(), one.batch.target_out.tolist(), strict=True
            ):
                sentence = tuple(word for word in target if word != PAD)
                assert by_row.setdefault(row, sentence) == sentence
        assert len(by_row) == len(ENCODED) and len(written) > 4  # every source, and more than once
        greedy = search(make_teacher(), SOURCES[:5], 1)
        for row in range(5):
            assert VOCABULARY.words(by_row[row]) == list(greedy[row][0].tokens)

    def test_the_student_comes_nearer_to_its_teacher(self):
        student, teacher = make_student(), make_teacher()
        for parameter in teacher.parameters():
            parameter.data.mul_(2.0)
        writer = Writer(make_student(), teacher, ENCODED, Writing(top_k=3), 16, 1)
        run = learn(student, InOneProcess(writer), Schedule(4), learning(8000, alpha=1.0))
        assert sum(run.loss[-5:]) < 0.5 * sum(run.loss[:5])


def separate(schedule: Schedule, **changes) -> Separate:
    return Separate(make_writer(**changes), schedule, capacity=2)


class TestSeparate:
    def test_what_travels_arrives(self):
        for how in (Writing(top_k=3, filter=DELTA_IFD), Writing(top_k=None)):
            diary = Diary("x")
            written = write(
                make_student(), make_teacher(), make_batch(ENCODED, range(9)), how, 1, diary
            )
            again, events = from_bytes(to_bytes(written, diary.events))
            assert events == diary.events and torch.equal(again.kept, written.kept)
            for name, value in vars(written.batch).items():
                assert torch.equal(getattr(again.batch, name), value)
            assert torch.equal(again.teacher.log_probs, written.teacher.log_probs)
            assert (again.delta is None) == (written.delta is None)

    @pytest.mark.parametrize("schedule", [Schedule(1, 0), Schedule(3, together=2)])
    def test_two_processes_give_bit_for_bit_what_one_gives(self, schedule):
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            one, two = make_student(), make_student()
            first = learn(one, InOneProcess(make_writer()), schedule, learning())
            with separate(schedule) as source:
                source.wait_until_ready()
                second = learn(two, source, schedule, learning())
        finally:
            torch.set_num_threads(threads)
        assert torch.equal(weights(one), weights(two)) and first.loss == second.loss
        assert first.staleness == second.staleness and not source.process.is_alive()
        assert {event.who for event in second.events} == {"generator", "trainer"}

    def test_the_queue_is_bounded(self):
        """No job is begun before there is room: by the events' own clock, and by what has arrived
        after a long wait."""
        with separate(Schedule(None, together=1)) as source:
            taken = []
            source.synchronise(0, make_student())
            time.sleep(3.0)
            for job in islice(Schedule(None, together=1).jobs(), 12):
                source.take(job)
                taken.append(time.monotonic())
                time.sleep(0.02)
            begun = [event.start for event in source.events() if event.what == GENERATE]
            assert len(begun) == 12
            for number in range(2, 12):  # a job waits for the one before the last to be taken
                assert begun[number] > taken[number - 2] - 0.05
            assert sum(event.what == WAIT for event in source.events()) == 12

    def test_an_error_in_the_generator_is_the_trainers(self):
        with separate(Schedule(4)) as source:
            broken = make_student()
            broken.register_buffer("unknown", torch.zeros(1))
            with pytest.raises(GeneratorError, match="ended with an error[^$]*unknown"):
                learn(broken, source, Schedule(4), learning())

    def test_a_killed_generator_is_told_and_not_waited_for(self):
        with separate(Schedule(2)) as source:
            source.wait_until_ready()

            def kill(job, written):
                if job.number == 2:
                    os.kill(source.process.pid, signal.SIGKILL)

            with pytest.raises(GeneratorError, match="SIGKILL"):
                learn(make_student(), source, Schedule(2), learning(10_000_000), observe=kill)
            with pytest.raises(GeneratorError, match="SIGKILL"):
                source.take(next(Schedule(2).jobs()))

    def test_a_wrong_capacity_and_other_vocabularies_are_refused(self):
        with pytest.raises(ValueError, match="capacity"):
            Separate(make_writer(), Schedule(), capacity=0)
        other = Vocabulary.build([("x", "y")])
        teacher = LSTMSeq2Seq(LSTMSpec(width=4), VOCABULARY, other)
        with pytest.raises(ValueError, match="vocabular"):
            Separate(Writer(make_student(), teacher, ENCODED, Writing(), 4, 1), Schedule())

    @pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGKILL])
    def test_no_process_is_left_behind_when_the_trainer_goes(self, sent, tmp_path):
        script = tmp_path / "trains.py"
        script.write_text(
            textwrap.dedent("""
            import sys
            sys.path.insert(0, TESTS)
            from test_near_policy import *

            if __name__ == "__main__":
                with separate(Schedule(2)) as source:
                    def say(job, written):
                        if job.number == 1:
                            print(source.process.pid, flush=True)
                    learn(make_student(), source, Schedule(2), learning(10**12), observe=say)
        """).replace("TESTS", repr(os.path.dirname(__file__))),
            encoding="utf-8",
        )
        trainer = subprocess.Popen(
            [sys.executable, str(script)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        try:
            generator = int(trainer.stdout.readline())
            trainer.send_signal(sent)
            assert trainer.wait(timeout=60) != 0
        finally:
            trainer.kill()
        for _ in range(600):
            if not is_running(generator):
                return
            time.sleep(0.05)
        os.kill(generator, signal.SIGKILL)
        pytest.fail("the generator still runs")


def is_running(pid: int) -> bool:
    """Whether a process runs; one that has ended and was not asked for yet does not."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_top_k_of_places_is_those_places():
    whole = TopK(torch.arange(12).view(4, 3), torch.randn(4, 3))
    some = whole[torch.tensor([3, 1])]
    assert some.words.tolist() == [[9, 10, 11], [3, 4, 5]] and torch.equal(
        some.log_probs, whole.log_probs[[3, 1]]
    )
