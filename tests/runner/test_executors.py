"""Map over tasks wherever they run: every task comes back once, and a process that dies takes no other task with it."""

import logging
import os
import subprocess
import sys
import time

import pytest

from disentangle_bench.runner import executors


def double(task, watch):
    watch(f"at {task}")
    if task == 3:
        os._exit(1)
    return 2 * task


@pytest.mark.parametrize("executor", [executors.here, executors.processes])
def test_every_task_comes_back_with_its_result(executor):
    heard = []
    assert dict(executor([0, 1, 2], double, heard.append, ["", ""])) == {0: 0, 1: 2, 2: 4}
    assert sorted(heard) == ["at 0", "at 1", "at 2"]


def test_a_process_that_dies_is_one_exception():
    results = dict(executors.processes([0, 1, 2, 3, 4], double, lambda message: None, ["", ""]))
    assert isinstance(results.pop(3), Exception)
    assert results == {0: 0, 1: 2, 2: 4, 4: 8}


def test_the_executor_follows_name_device_and_work():
    assert executors.choose("here", "cpu", 9) == (executors.here, [""], 0)
    assert executors.choose("auto", "cuda", 9) == (executors.here, [""], 0)
    assert executors.choose("auto", "cpu", 0) == (executors.here, [""], 0)
    assert executors.choose("processes", "cuda", 1) == (executors.processes, [""], 0)


@pytest.fixture
def three_devices(monkeypatch):
    monkeypatch.setattr("torch.cuda.device_count", lambda: 3)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


def test_several_devices_have_a_worker_each(three_devices, monkeypatch):
    assert executors.choose("auto", "cuda", 9) == (executors.processes, ["0", "1", "2"], 0)
    assert executors.choose("auto", "cuda", 2) == (executors.processes, ["0", "1"], 0)
    assert executors.choose("auto", "cuda", 1) == (executors.here, [""], 0)
    assert executors.choose("here", "cuda", 9) == (executors.here, [""], 0)
    assert executors.choose("auto", "cuda:1", 9) == (executors.here, [""], 0)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4, 6,GPU-5ebe")
    assert executors.cuda("cuda") == ["4", "6", "GPU-5ebe"]
    assert executors.cuda("cpu") == executors.cuda("cuda:0") == []


def meet(task, watch):
    """The device that this worker sees, told once there is another worker; the one called "dies" does, at first."""
    folder, name = task
    seen = os.environ["CUDA_VISIBLE_DEVICES"]
    (folder / seen).touch()
    while len(list(folder.iterdir())) < 2:
        time.sleep(0.02)
    if name == "dies" and not (folder / "dead").exists():
        (folder / "dead").touch()
        os._exit(1)
    assert "torch" not in sys.modules
    return seen


@pytest.mark.parametrize("names", [["a", "b"], ["a", "dies"]])
def test_each_worker_sees_a_device_of_its_own(tmp_path, names):
    tasks = [(tmp_path, name) for name in names]
    seen = dict(executors.processes(tasks, meet, lambda message: None, ["5", "7"]))
    assert {path.name for path in tmp_path.iterdir()} - {"dead"} == {"5", "7"}
    assert sorted(name for _, name in seen) == names
    if "dies" in names:  # then each is tried again by itself, and they may take turns
        assert set(seen.values()) <= {"5", "7"}
    else:
        assert set(seen.values()) == {"5", "7"}


def surroundings(name, watch):
    return os.environ.get(name), os.getcwd(), "torch" in sys.modules


@pytest.mark.skipif(sys.platform != "linux", reason="fresh interpreters start there")
def test_workers_are_at_work_at_once_with_the_environment_of_now(tmp_path, monkeypatch):
    """Also those that are forked from what an earlier call has left."""
    for value in ("first", "second"):
        (tmp_path / value).mkdir()
        monkeypatch.chdir(tmp_path / value)
        monkeypatch.setenv("BENCH_TEST", value)
        seen = executors.processes(["BENCH_TEST", "BENCH_OFFLINE"], surroundings, print, [""])
        here = str(tmp_path / value)
        assert dict(seen) == {"BENCH_TEST": (value, here, True), "BENCH_OFFLINE": ("1", here, True)}


def forever(task, watch):
    (task / str(os.getpid())).touch()
    time.sleep(600)


def test_workers_end_with_the_program_that_started_them(tmp_path):
    code = (
        "import sys, pathlib; sys.path.insert(0, 'tests/runner'); import test_executors as t\n"
        "if __name__ == '__main__':\n"
        f"    list(t.executors.processes([pathlib.Path({str(tmp_path)!r})], t.forever, print, ['']))"
    )
    program = tmp_path.with_suffix(".py")
    program.write_text(code)
    process = subprocess.Popen([sys.executable, str(program)], env={**os.environ, "PYTHONPATH": os.getcwd()})
    while not (found := list(tmp_path.iterdir())):
        assert process.poll() is None
        time.sleep(0.05)
    process.kill()
    process.wait()
    worker = int(found[0].name)
    for _ in range(200):
        try:
            os.kill(worker, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    raise AssertionError("the worker lives on")


def heard(name, watch):
    return logging.getLogger(f"disentangle_bench.{name}").isEnabledFor(logging.WARNING)


def test_workers_warn_of_what_they_alone_see():
    names = ["training.engine", "runner.rescore", "datasets"]
    assert dict(executors.processes(names, heard, print, [""])) == dict(zip(names, [True, True, False]))
