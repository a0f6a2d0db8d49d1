"""The PACED study: how sources are composed, what an arm is, and how its claims are judged."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from synthetic_paced import HISTOGRAM, paced_of, seeds

from seqkd_lab.corpus.batching import encode, make_batch
from seqkd_lab.distillation.paced import weights
from seqkd_lab.models.lstm import LSTMSeq2Seq, LSTMSpec
from seqkd_lab.runs.committed import results_path
from seqkd_lab.runs.data import load_toy
from seqkd_lab.runs.recipes import ToyData
from seqkd_lab.runs.store import Store
from seqkd_lab.runs.study import read_study
from seqkd_lab.runs.verdicts import CANNOT_BE_ASKED, HELD, NOT_HELD, judge_claim
from seqkd_lab.studies.paced import claims, design, measures, study
from seqkd_lab.studies.paced.design import ARMS, IDLE_SHARES, KINDS, SHUFFLED, UNIFORM, compose

RATES = [number % 9 / 8 for number in range(180)]


@pytest.fixture(scope="module")
def toy():
    return load_toy(ToyData(80))


@pytest.fixture(scope="module")
def model(toy) -> LSTMSeq2Seq:
    torch.manual_seed(1)
    spec = LSTMSpec(width=6)
    return LSTMSeq2Seq(spec, toy.source_vocabulary, toy.target_vocabulary).eval()


class TestDesign:
    @given(st.sampled_from(IDLE_SHARES), st.integers(0, 50))
    def test_a_composition_has_its_share_of_idle_sources_each_once(self, idle_share, seed):
        rows = compose(RATES, idle_share, 40, seed)
        assert len(set(rows)) == len(rows) == 40 and rows == sorted(rows)
        idle = sum(RATES[row] in (0.0, 1.0) for row in rows)
        assert idle == round(40 * idle_share)
        assert rows == compose(RATES, idle_share, 40, seed)

    def test_another_seed_chooses_other_sources(self):
        assert compose(RATES, 0.5, 40, 1) != compose(RATES, 0.5, 40, 2)

    @pytest.mark.parametrize("rates, kind", [([0.5] * 50, "idle"), ([0.0] * 50, "other")])
    def test_a_pool_that_is_too_small_is_refused(self, rates, kind):
        with pytest.raises(ValueError, match=kind):
            compose(rates, 0.5, 40, 1)

    def test_every_kind_has_mean_one_and_shuffled_the_same_values(self):
        of = {kind: design.arm_weights(RATES, kind, 3) for kind in KINDS}
        assert all(float(values.mean()) == pytest.approx(1.0) for values in of.values())
        assert set(of[UNIFORM].tolist()) == {1.0}
        assert torch.equal(of[design.PACED], weights(RATES))
        assert sorted(of[SHUFFLED].tolist()) == sorted(of[design.PACED].tolist())
        assert not torch.equal(of[SHUFFLED], of[design.PACED])

    def test_the_pool_has_no_source_with_the_left_out_skill(self, toy):
        pool = design.pool_of(toy.train)
        assert 0 < len(pool) < 80 and not any(map(design.has_skill, pool.source))

    def test_pilot_and_judged_seeds_have_no_source_in_common(self, monkeypatch):
        asked = []
        monkeypatch.setattr(design, "fresh_sources", lambda which: asked.append(which) or ())
        for seed in (11, 13, design.FIRST_SEED, 40):
            design.fresh_of(seed)
        assert asked == [design.PILOT, design.PILOT, design.JUDGE, design.JUDGE]


class TestMeasures:
    def test_bins_hold_every_place_once(self):
        rates = [0.0, 0.125, 1.0, 0.5, 1.0]
        assert measures.bins(rates)[8] == [2, 4]
        assert measures.counts(rates) == [1, 1, 0, 0, 1, 0, 0, 0, 2]

    def test_sentences_one_by_one_have_no_padding(self, toy, model):
        encoded = encode(toy.train, model.source_vocabulary, model.target_vocabulary)
        batch = make_batch(encoded, [3, 0, 4, 2])
        alone = list(measures.one_by_one(batch))
        assert sum(one.n_tokens for one in alone) == batch.n_tokens
        assert all(one.target_out.numel() == one.n_tokens for one in alone)
        assert [int(one.rows[0]) for one in alone] == batch.rows.tolist()

    def test_accuracy_splits_by_skill(self, toy, model, monkeypatch):
        sources = toy.valid.source[:30]
        with_skill = sum(map(design.has_skill, sources))
        assert 0 < with_skill < 30
        monkeypatch.setattr(measures, "fresh_of", lambda seed: sources)
        monkeypatch.setattr(
            measures, "verifier", lambda: lambda source, target: design.has_skill(source)
        )
        record = measures.accuracy_record(model, 1)
        assert record == {"draws": 0.0, "greedy": 0.0, "skill": 1.0}

    def test_noise_takes_as_many_sources_from_every_bin(self, toy, model):
        rates = [place % 9 / 8 for place in range(len(toy.train))]
        found = measures.noise_record(model, model, toy.train, rates, 3, 1)
        assert found["n"] == 3 and len(found["signal"]) == len(found["noise"]) == 9
        assert max(map(abs, found["noise"])) < 1e-3, "student and teacher are the same"

    def test_failures_are_measured_by_their_distance(self, toy, model):
        found = measures.failures_record(model, toy.valid.source[:2], 1)
        assert found["n"] == 16, "a random model passes nothing"
        assert found["many_edits"] > 0.5 and 0.5 < found["words_wrong"] <= 1.0


class TestPassRates:
    def test_they_are_measured_once(self, toy, model, monkeypatch, tmp_path):
        asked = []
        monkeypatch.setattr(Store, "model", lambda self, recipe: model)
        monkeypatch.setattr(
            study, "valid_rates", lambda *args: asked.append(args) or [0.5] * len(args[1])
        )
        first, again = (study.pool_rates(21, Store(tmp_path), toy.train) for _ in range(2))
        assert first == again == [0.5] * len(toy.train) and len(asked) == 1
        study.pool_rates(22, Store(tmp_path), toy.train)
        assert len(asked) == 2


class TestArms:
    @pytest.mark.slow
    def test_arms_of_a_share_train_on_the_same_sources_from_the_same_start(
        self, toy, model, monkeypatch
    ):
        seen = []
        monkeypatch.setattr(study, "N_SOURCES", 20)
        monkeypatch.setattr(study, "train", lambda *args, **more: seen.append((args, more)))
        rates = [place % 9 / 8 for place in range(len(toy.train))]
        common = study.Setting(1, model, model, toy.train, toy.valid[:4], rates)
        before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
        for kind in KINDS:
            study.trained(common, 0.5, kind)
        (first, _), *others = seen
        assert all(args[1] == first[1] and args[4:6] == first[4:6] for args, _ in others)
        assert all(args[0] is not model for args, _ in seen)
        assert all(torch.equal(before[name], now) for name, now in model.state_dict().items())


def outcomes(rows) -> dict[str, str]:
    return {claim.name: judge_claim(claim, rows).outcome for claim in study.STUDY.claims}


class TestClaims:
    def test_where_everything_is_as_the_paper_has_it_all_hold(self):
        assert set(outcomes(seeds(gain=3.0, spared=1.0, more=0.5)).values()) == {HELD}

    def test_where_nothing_is_none_holds(self):
        rows = seeds(gain=-3.0, spared=-1.0, more=-0.5, ends=2.0)
        assert set(outcomes(rows).values()) == {NOT_HELD}

    def test_weights_cannot_be_compared_where_nobody_learned(self):
        found = outcomes(seeds(learned=-1.0))
        assert {name for name, outcome in found.items() if outcome == CANNOT_BE_ASKED} == {
            *(f"{kind}-{100 * idle:.0f}" for idle in IDLE_SHARES for kind in ("gain", "control")),
            "dose",
        }

    def test_nothing_can_be_spared_where_nothing_is_forgotten(self):
        found = outcomes(seeds(forgotten=-1.0))
        asked = {name for name, outcome in found.items() if outcome != CANNOT_BE_ASKED}
        assert not any(name.startswith("forget") for name in asked) and "gain-80" in asked

    def test_an_end_of_two_thirds_is_below_but_no_collapse(self):
        found = outcomes(seeds(ends=0.66))
        assert found["bell"] == HELD and found["end-0"] == found["end-1"] == NOT_HELD

    def test_a_ratio_below_zero_stays_below(self):
        """Cut off at 0 in each seed, pure noise would have a mean above 0."""
        assert claims.ratios(paced_of(ends=-5.0)) == [-2.5, *[0.5] * 7, -2.5]

    def test_every_claim_has_a_name_of_its_own_and_the_original_beside_it(self):
        names = [claim.name for claim in study.STUDY.claims]
        assert len(set(names)) == len(names)
        assert all(
            claim.original.startswith(("PACED", "an aim of this lab"))
            for claim in study.STUDY.claims
        )

    def test_tables_have_every_arm_and_every_bin(self):
        arms, noise = study.tables(seeds(gain=3.0)).values()
        assert list(arms.index) == ["start", *ARMS]
        assert list(noise.columns) == [f"{place}/8" for place in range(9)]
        assert "±" in arms.loc["80% idle, PACED", "valid draws %"]
        assert arms.loc["start", "weights of 0 %"] == "–"
        assert arms.loc["80% idle, PACED", "weights of 0 %"] == "80"


def test_the_committed_results_are_the_studys_own():
    results = read_study(results_path(study.STUDY.file))
    assert results["settings"] == study.STUDY.heading()["settings"]
    assert min(map(int, results["by_seed"])) == design.FIRST_SEED
    for rows in results["by_seed"].values():
        assert set(ARMS) <= set(rows) and sum(rows["pool"]["histogram"]) == design.N_POOL
        assert len(HISTOGRAM) == len(rows["noise"]["signal"])
