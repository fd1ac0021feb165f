"""What people type about training: precision, stacks, rows, checkpoints, milestones."""

import re
from pathlib import Path

import pytest

from disentangle_bench.runner.store import Store

QUICK = ["--dataset", "toy", "--seeds", "1", "--steps", "4", "--device", "cpu", "--on", "here"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["run", "--study", "study.py", "--rows", "all"], "--study holds the whole question"),
        (["run", "--study", "study.py", "--precision", "bf16"], "--study holds the whole question"),
        (["run", "--models", "vae", *QUICK, "--precision", "fp16"], "unknown --precision 'fp16'; did you mean 'bf16'?"),
        (["run", "--models", "vae", *QUICK, "--precision", "tf32"], "--precision: cpu has no tf32"),
        (["run", "--models", "vae", *QUICK, "--rows", "some"], "--rows: got 'some', expected all or a number"),
        (["run", "--models", "vae", *QUICK, "--stack", "0"], "--stack: got '0', expected auto or a number above zero"),
        (["run", "--models", "vae", *QUICK, "--stack", "99999999"], "runs of vae fit in the free memory of cpu"),
        (["run", "--models", "vae", *QUICK, "--evaluate-at", "2,2"], "got '2,2', which names step 2 twice"),
        (["run", "--models", "vae", *QUICK, "--checkpoint-every", "0"], "--checkpoint-every"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(bench, words, message):
    code, _, err = bench(*words)
    assert code == 2 and message in err and "Traceback" not in err
    assert not list(Path().glob("**/run.json"))


def test_options_of_the_engine_reach_the_records(bench):
    words = ["run", "--models", "vae,noise", *QUICK, "--seeds", "2", "--rows", "all", "--metrics", "mig", "--out", "r"]
    code, out, _ = bench(*words, "--stack", "2", "--evaluate-at", "2,3,9", "--checkpoint-every", "1")
    assert code == 0 and "4 runs in 3 stacks of up to 2; codes of 576 images" in out
    assert "batch 64, fp32" in out and "--evaluate-at 9: left out, runs end after 4 steps" in out
    record = next(r for r in Store("r").records() if r["model"] == "vae")
    assert (record["stack"], record["rows"], record["precision"], record["way"]) == (2, 576, "fp32", "sequential")
    assert sorted({row["step"] for row in record["milestones"]}) == [2, 3]
    code, out, _ = bench("show", record["run"], "--results", "r")
    assert code == 0 and re.search(r"metric +step 2 +step 3", out) and "codes-2.npz" in out
    values = {row["step"]: row["value"] for row in record["milestones"] if row["metric"] == "mig"}
    assert re.search(rf"mig +{values[2]:.4f} +{values[3]:.4f}", out)
    code, out, err = bench(*words, "--evaluate-at", "1,2")
    assert code == 0 and "0 new, 4 done" in out
    assert "--evaluate-at 1: 2 runs had trained past that before; --rerun all trains them anew" in err
