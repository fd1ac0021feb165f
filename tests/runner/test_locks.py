"""Two programs on one folder: a run has one holder, the dead hold nothing, and tables are those of one alone."""

import dataclasses
import io
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest
from programs import Program

from disentangle_bench.runner import locks
from disentangle_bench.runner import run as runner
from disentangle_bench.runner.plan import Study
from disentangle_bench.runner.store import Store


@pytest.fixture
def other():
    """A process of this host, as a lock has it."""
    process = subprocess.Popen(["sleep", "600"])
    yield process
    process.kill()
    process.wait()


def leave(folder, age=0.0, **changed):
    """The lock that another holder left there."""
    folder.mkdir(exist_ok=True)
    (folder / "lock").write_text(json.dumps(dataclasses.asdict(dataclasses.replace(locks._me(), **changed))))
    os.utime(folder / "lock", (time.time() - age,) * 2)


def test_a_lock_has_one_holder_until_it_is_given_back(tmp_path):
    assert locks.take(tmp_path / "run") and not locks.take(tmp_path / "run")
    assert locks.holder(tmp_path / "run").pid == os.getpid()
    locks.release(tmp_path / "run")
    assert locks.holder(tmp_path / "run") is None and locks.take(tmp_path / "run")
    locks.release(tmp_path / "run")
    assert not list((tmp_path / "run").iterdir())


def test_a_living_process_keeps_its_lock_however_old(tmp_path, other):
    leave(tmp_path, age=10**6, pid=other.pid, started=locks._process(other.pid))
    assert not locks.take(tmp_path) and locks.holder(tmp_path).pid == other.pid
    locks.clear(tmp_path)
    locks.release(tmp_path)  # of another: stays
    assert (tmp_path / "lock").exists()


@pytest.mark.parametrize("reaped", [False, True])
def test_a_dead_process_holds_nothing(tmp_path, other, reaped):
    leave(tmp_path, pid=other.pid, started=locks._process(other.pid))
    other.kill()
    if reaped:
        other.wait()
    else:
        os.waitid(os.P_PID, other.pid, os.WEXITED | os.WNOWAIT)  # a zombie from here on
    assert locks.holder(tmp_path) is None and locks.take(tmp_path)
    locks.release(tmp_path)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="the system does not tell when a process started")
def test_a_later_process_of_the_same_id_holds_nothing(tmp_path, other):
    leave(tmp_path, pid=other.pid, started="1")
    assert locks.holder(tmp_path) is None and locks.take(tmp_path)
    locks.release(tmp_path)


@pytest.mark.parametrize("where", [{"host": "elsewhere"}, {"space": "pid:[1]"}])
def test_elsewhere_the_heartbeat_counts(tmp_path, where):
    leave(tmp_path, age=locks.STALE - 60, **where)
    assert not locks.take(tmp_path) and locks.holder(tmp_path) is not None
    leave(tmp_path, age=locks.STALE + 60, **where)
    assert locks.holder(tmp_path) is None and locks.take(tmp_path)
    locks.release(tmp_path)


def test_a_command_takes_back_what_its_lost_worker_held_elsewhere(tmp_path):
    leave(tmp_path, host="elsewhere", session="a")
    assert not locks.take(tmp_path, "b") and locks.take(tmp_path, "a")
    locks.release(tmp_path)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"pid": 1}'])
def test_an_unreadable_lock_is_waited_for_and_then_replaced(tmp_path, text):
    (tmp_path / "lock").write_text(text)
    assert not locks.take(tmp_path)
    os.utime(tmp_path / "lock", (0, 0))
    assert locks.take(tmp_path) and locks.holder(tmp_path).pid == os.getpid()
    locks.release(tmp_path)


def test_locks_are_the_same_without_hard_links(tmp_path, monkeypatch):
    def link(*paths):
        raise PermissionError("no links here")

    monkeypatch.setattr(os, "link", link)
    assert locks.take(tmp_path) and not locks.take(tmp_path) and locks.holder(tmp_path).pid == os.getpid()
    locks.release(tmp_path)
    assert not list(tmp_path.iterdir())


def test_the_heart_beats(tmp_path, monkeypatch):
    monkeypatch.setattr(locks, "BEAT", 0.02)
    with locks.hold([tmp_path]):
        os.utime(tmp_path / "lock", (0, 0))
        threading.Thread(target=locks._beat, daemon=True).start()
        for _ in range(500):
            if (tmp_path / "lock").stat().st_mtime > 1:
                return
            time.sleep(0.02)
    raise AssertionError("no heartbeat")


def test_of_many_that_find_a_dead_lock_one_takes_it(tmp_path):
    for turn in range(200):
        folder, won, ready = tmp_path / str(turn), [], threading.Barrier(6)
        leave(folder, age=locks.STALE + 60, host="elsewhere")

        def contend(folder=folder, won=won, ready=ready):
            ready.wait()
            won.append(locks.take(folder))

        threads = [threading.Thread(target=contend) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sum(won) == 1
        locks.release(folder)


def test_hold_leaves_out_what_others_hold_and_gives_back_after_an_error(tmp_path, other):
    leave(tmp_path / "b", pid=other.pid, started=locks._process(other.pid))
    with pytest.raises(KeyError), locks.hold([tmp_path / "a", tmp_path / "b", tmp_path / "c"]) as held:
        assert held == [tmp_path / "a", tmp_path / "c"] and (tmp_path / "a" / "lock").exists()
        raise KeyError
    assert [path.parent.name for path in tmp_path.glob("*/lock")] == ["b"]


def test_alone_waits(tmp_path):
    order = []

    def second():
        with locks.alone(tmp_path):
            order.append("second")

    with locks.alone(tmp_path):
        thread = threading.Thread(target=second)
        thread.start()
        time.sleep(0.2)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]


COMMAND = ["run", "--models", "vae,betavae,noise", "--dataset", "toy", "--seeds", "2", "--steps", "30"]
COMMAND += ["--metrics", "mig,modularity", "--device", "cpu"]


def start(folder, *words, **more):
    return Program(*COMMAND, "--out", folder, *words, **more)


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """Tables of one program that nothing disturbs."""
    folder = tmp_path_factory.mktemp("alone")
    out, err = start(folder, "--on", "here").communicate()
    assert (folder / "results.csv").exists(), out + err
    return (folder / "results.csv").read_text()


def ended(text):
    """How often each stack was told to be done, and the runs that were left to another."""
    return Counter(re.findall(r"^(.+): done$", text, re.M)), set(re.findall(r"^(.+): left to another", text, re.M))


def test_two_programs_share_the_runs_of_one_folder(tmp_path, alone):
    both = [start(tmp_path, "--on", "here") for _ in range(2)]
    told = [process.communicate() for process in both]
    assert [process.poll() for process in both] == [0, 0], told
    (one, left), (two, left_too) = (ended(err) for _, err in told)
    assert set((one + two).values()) == {1} and len(one + two) == 6  # each run by one of them, once
    assert left <= set(two) and left_too <= set(one)
    assert (tmp_path / "results.csv").read_text() == alone
    assert not [path for path in tmp_path.rglob("*") if path.name.endswith("lock")]
    assert len(json.loads((tmp_path / "study.json").read_text())["runs"]) == 6


def test_a_run_that_another_holds_is_left_out_of_its_stack(tmp_path, alone, other):
    planned = pd.read_csv(io.StringIO(alone))
    run = planned.query("model == 'vae' and seed == 1").run.iloc[0]
    (tmp_path / "runs").mkdir()
    leave(tmp_path / "runs" / run, pid=other.pid, started=locks._process(other.pid))
    out, err = start(tmp_path, "--on", "here", "--stack", "2").communicate()
    assert f"1 runs are being worked on elsewhere, by process {other.pid} on" in err, out + err
    assert "5 runs done" in out
    table = pd.read_csv(tmp_path / "results.csv")
    assert set(planned.run) - set(table.run) == {run}
    assert sorted(path.name for path in (tmp_path / "runs" / run).iterdir()) == ["lock"]
    other.kill()
    other.wait()
    out, err = start(tmp_path, "--on", "here").communicate()
    assert (tmp_path / "results.csv").read_text() == alone and "elsewhere" not in err


def test_a_run_whose_holder_dies_meanwhile_is_done_after_all(tmp_path, other):
    store, runs = Store(tmp_path), Study(["noise"], ["toy"], range(3), rows=20).runs()
    leave(store.path(runs[0].id), pid=other.pid, started=locks._process(other.pid))
    heard = []

    def watch(message):
        heard.append((message.stack, message.text))
        if "left to another" in message.text:
            other.kill()
            other.wait()

    made = runner.plan(runs, store, study="test", metrics=["mig"])
    records = runner.execute(made, store, on="here", watch=watch)
    assert [record["status"] for record in records] == ["done"] * 3
    ends = [stack for stack, text in heard if text == "done"]
    assert len(ends) == len(set(ends)) == 3 and runs[0].id[:6] in ends[-1]


def test_a_run_that_another_has_ended_since_the_plan_is_left_as_it_is(tmp_path):
    store, runs = Store(tmp_path), Study(["noise"], ["toy"], range(2), rows=20).runs()
    for rerun in "missing", "all":
        late = runner.plan(runs, store, study="test", metrics=["mig", "modularity"], rerun=rerun)
        first = runner.execute(runner.plan(runs, store, study="test", metrics=["mig"], rerun=rerun), store, on="here")
        second = runner.execute(late, store, on="here", fresh=rerun == "all")
        assert [r["finished"] for r in second] == [r["finished"] for r in first]
        metrics = [[row["metric"] for row in record["scores"]] for record in second]
        assert all("modularity" in own for own in metrics)  # what it lacks of this command's metrics is filled in


@pytest.mark.parametrize("on", ["here", "processes"])
def test_an_interrupt_ends_in_order_and_the_next_start_goes_on(tmp_path, on, alone):
    process = start(tmp_path, "--on", on, BENCH_CHECKPOINT_SECONDS="0")
    while not list(tmp_path.glob("runs/*/checkpoint.safetensors")):
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    process.interrupt()
    out, err = process.communicate(timeout=120)
    assert process.poll() == 130 and "the same command goes on from here" in err, out + err
    assert re.search(r"6 runs; [0-5] done, 0 running, 0 failed, 0 diverged, [1-6] missing", out), out
    assert (tmp_path / "results.csv").exists() and "Traceback" not in err
    assert not [path for path in tmp_path.rglob("*") if path.name.endswith("lock")]
    start(tmp_path, "--on", on).communicate()
    assert (tmp_path / "results.csv").read_text() == alone


def test_a_second_interrupt_ends_at_once():
    code = (
        "import signal, time\nfrom disentangle_bench.runner import interrupt\n"
        "with interrupt.twice():\n    try:\n        print('ready', flush=True); time.sleep(60)\n"
        "    except KeyboardInterrupt:\n        print('first', flush=True); time.sleep(60)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    with process:
        for word in "ready", "first":
            assert process.stdout.readline().strip() == word
            process.send_signal(signal.SIGINT)
        assert process.wait(10) == 130
