"""Selection without labels: the ELBO of a run by hand, UDR as the metric itself has it, and anew when seeds come."""

import numpy as np
import pandas as pd
import pytest

from disentangle_bench.metrics import udr
from disentangle_bench.models.betavae import BetaVAE
from disentangle_bench.report.density import mixed, shared
from disentangle_bench.runner import run as runner
from disentangle_bench.runner.codes import read_codes
from disentangle_bench.runner.plan import Study
from disentangle_bench.runner.rescore import rescore_all
from disentangle_bench.runner.score import fact
from disentangle_bench.runner.selection import compare_seeds, with_elbo
from disentangle_bench.runner.store import Store, save_arrays


def go(folder, models=("vae",), seeds=2, **options):
    question = Study(list(models), ["toy"], range(seeds), steps=20, batch=8, rows=60)
    plan = runner.plan(question.runs(), Store(folder), study="test", metrics=["mig"], **options)
    return runner.execute(plan, Store(folder), on="here")


def rows(record):
    return {row["metric"]: row for row in record["scores"] if row["metric"].startswith("udr")}


def fitted(folder, records, **options):
    held = [read_codes(Store(folder).codes(record["run"])) for record in records]
    return udr([h.codes for h in held], sd=[h.sd for h in held], **options).each


def test_elbo_is_minus_the_sum_of_both_facts():
    facts = [fact("reconstruction", 70.25, 60, "a"), fact("kl", 20.5, 60, "b"), fact("used_units", 3.0, 60, "c")]
    found = with_elbo(facts)
    assert [row["metric"] for row in found] == ["reconstruction", "kl", "elbo", "used_units"]
    assert found[2]["value"] == -90.75 and found[2]["n"] == 60 and "mode of the posterior" in found[2]["convention"]
    assert with_elbo(found) == found  # not twice
    assert with_elbo([{**found[0], "value": 60.0}, *found[1:]])[2]["value"] == -80.5  # nor stale


def test_no_elbo_without_both_facts():
    nll, kl = fact("reconstruction", 70.0, 60, ""), fact("kl", 20.0, 60, "")
    for facts in [nll], [kl], [], [nll, {**kl, "value": None}], [nll, {**kl, "call": "kl"}]:
        assert with_elbo(facts) == facts


def test_runs_have_their_elbo_where_they_have_a_likelihood(tmp_path):
    go(tmp_path, ["vae", "oracle"], seeds=1)
    table = pd.read_csv(tmp_path / "results.csv").pivot(index="model", columns="metric", values="value")
    assert table.elbo["vae"] == pytest.approx(-table.reconstruction["vae"] - table.kl["vae"], rel=1e-12)
    assert np.isnan(table.elbo["oracle"])


def test_old_runs_get_their_elbo_when_they_are_scored(tmp_path):
    (record,) = go(tmp_path, seeds=1)
    store = Store(tmp_path)
    store.save({**record, "scores": [row for row in record["scores"] if row["metric"] != "elbo"]})
    assert rescore_all(store, ["mig"], {}, [], lambda message: None)[0] == 1
    assert store.record(record["run"]) == record


def test_udr_is_that_of_the_metric_among_seeds_of_one_configuration(tmp_path):
    records = go(tmp_path, [BetaVAE(beta=1), BetaVAE(beta=4)], seeds=3)
    for beta in 1, 4:
        own = [r for r in records if f'"beta": {float(beta)}' in r["params"]]
        assert len(own) == 3
        spearman, lasso = fitted(tmp_path, own), fitted(tmp_path, own, relevance="lasso")
        np.testing.assert_allclose([rows(r)["udr"]["value"] for r in own], spearman, rtol=1e-12)
        np.testing.assert_allclose([rows(r)["udr.lasso"]["value"] for r in own], lasso, rtol=1e-12)
        for record in own:
            others = sorted(r["run"] for r in own if r is not record)
            told = rows(record)["udr"]["convention"]
            assert told.endswith(f"codes=mean; beside 2 other seeds (runs {', '.join(others)})")
            assert "least_kl=0.01, or least_variance=0.01 of codes without noise" in told and "penalty" not in told
            assert "penalty=0.1" in rows(record)["udr.lasso"]["convention"]
    assert set(pd.read_csv(tmp_path / "results.csv").metric) >= {"udr", "udr.lasso"}


def test_codes_without_noise_are_compared_by_their_variance(tmp_path):
    first, second = go(tmp_path, ["noise"])
    codes = [read_codes(Store(tmp_path).codes(r["run"])).codes for r in (first, second)]
    assert rows(first)["udr"]["value"] == pytest.approx(udr(codes).each[0], rel=1e-12)


def test_udr_is_computed_anew_when_seeds_are_added_and_only_then(tmp_path):
    (alone,) = go(tmp_path, seeds=1)
    assert not rows(alone)
    two = go(tmp_path, seeds=2)
    before = (tmp_path / "results.csv").read_text()
    assert "beside 1 other seeds" in rows(two[0])["udr"]["convention"]
    stamps = [Store(tmp_path).stamp(r["run"]) for r in two]
    assert go(tmp_path, seeds=2) == two and compare_seeds(Store(tmp_path), {}) == 0
    assert [Store(tmp_path).stamp(r["run"]) for r in two] == stamps
    three = go(tmp_path, seeds=3)
    assert all("beside 2 other seeds" in rows(r)["udr"]["convention"] for r in three)
    np.testing.assert_allclose([rows(r)["udr"]["value"] for r in three], fitted(tmp_path, three), rtol=1e-12)
    for path in (tmp_path / "runs" / three[2]["run"]).iterdir():
        path.unlink()
    go(tmp_path, seeds=2, rerun="none")
    assert (tmp_path / "results.csv").read_text() == before


def test_a_run_left_alone_has_no_udr(tmp_path):
    first, second = go(tmp_path)
    Store(tmp_path).forget(second["run"], checkpoint=True)
    assert compare_seeds(Store(tmp_path), {}) == 1
    kept = Store(tmp_path).record(first["run"])
    assert kept is not None and not rows(kept)
    assert kept["scores"] == [row for row in first["scores"] if not row["metric"].startswith("udr")]


def test_options_of_udr_count_and_are_told(tmp_path):
    records = go(tmp_path)
    assert compare_seeds(Store(tmp_path), {"udr": {"penalty": 0.3}}) == 1
    now = [Store(tmp_path).record(r["run"]) for r in records]
    assert "penalty=0.3" in rows(now[0])["udr.lasso"]["convention"]
    assert rows(now[0])["udr"]["convention"] == rows(records[0])["udr"]["convention"]  # it has no penalty
    expected = fitted(tmp_path, records, relevance="lasso", penalty=0.3)
    np.testing.assert_allclose([rows(r)["udr.lasso"]["value"] for r in now], expected, rtol=1e-12)


def test_codes_of_other_rows_are_not_compared(tmp_path, caplog):
    first, second = go(tmp_path)
    path = Store(tmp_path).codes(second["run"])
    with np.load(path) as held:
        arrays = {name: held[name] for name in held.files}
    save_arrays(path, {**arrays, "factors": arrays["factors"][::-1]})
    for record in first, second:
        Store(tmp_path).save({**record, "scores": []})
    assert compare_seeds(Store(tmp_path), {}) == 1
    row = rows(Store(tmp_path).record(first["run"]))["udr"]
    assert row["value"] is None and "are of other rows than those of run" in row["error"]
    assert "no UDR of runs" in caplog.text


def test_the_report_does_not_take_other_runs_for_another_convention():
    told = "codes=mean; beside 2 other seeds (runs {})"
    frame = pd.DataFrame({"metric": "udr", "convention": [told.format("a, b"), told.format("b, c")], "n": 60})
    assert mixed("udr", frame, "toy") == []
    frame.loc[0, "convention"] = "codes=mean; beside 1 other seeds (runs a)"
    assert len(mixed("udr", frame, "toy")) == 1
    assert shared("codes=mean, block z (columns 1-3 of 9)") == "codes=mean, block z"
