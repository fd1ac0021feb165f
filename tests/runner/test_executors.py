"""Map over tasks wherever they run: every task comes back once, and a process that dies takes no other task with it."""

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
    assert dict(executor([0, 1, 2], double, heard.append, 2)) == {0: 0, 1: 2, 2: 4}
    assert sorted(heard) == ["at 0", "at 1", "at 2"]


def test_a_process_that_dies_is_one_exception():
    results = dict(executors.processes([0, 1, 2, 3, 4], double, lambda message: None, 2))
    assert isinstance(results.pop(3), Exception)
    assert results == {0: 0, 1: 2, 2: 4, 4: 8}


def test_the_executor_follows_name_device_and_work():
    assert executors.choose("here", "cpu", 9) == (executors.here, 1)
    assert executors.choose("auto", "cuda", 9) == (executors.here, 1)
    assert executors.choose("auto", "cpu", 0) == (executors.here, 1)
    assert executors.choose("processes", "cuda", 1) == (executors.processes, 1)


def forever(task, watch):
    (task / str(os.getpid())).touch()
    time.sleep(600)


def test_workers_end_with_the_program_that_started_them(tmp_path):
    code = (
        "import sys, pathlib; sys.path.insert(0, 'tests/runner'); import test_executors as t\n"
        "if __name__ == '__main__':\n"
        f"    list(t.executors.processes([pathlib.Path({str(tmp_path)!r})], t.forever, print, 1))"
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
