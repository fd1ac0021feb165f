"""What a report of 2,000 runs and 64,000 scores costs, against one of a twentieth of them; how its page answers.

python benchmarks/speed/report.py             # one core; Chromium, where there is one, tells how long a click takes

Scores are made up (tests/report/synthetic.py), and no run has left pictures: each model that has adds a second or two.
"""

from __future__ import annotations

import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
SCRIPT = """
import pathlib, sys, synthetic
synthetic.write(pathlib.Path(sys.argv[1]), seeds=int(sys.argv[2]), datasets=sys.argv[3:])
"""
SIZES = {"small": ["2", "dsprites"], "large": ["20", "dsprites", "shapes3d"]}  # seeds, data sets; 50 labels each
CLICK = """() => {
  const button = document.querySelectorAll("#board thead button")[4], times = [];
  for (let i = 0; i < 9; i++) {
    const start = performance.now();
    button.click();
    document.body.offsetHeight;  // the table has its new place
    times.push(performance.now() - start);
  }
  return times;
}"""


def main() -> None:
    alone = {**os.environ, "OMP_NUM_THREADS": "1", "MPLBACKEND": "Agg"}
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    spent = {}
    with tempfile.TemporaryDirectory() as made:
        for name, size in SIZES.items():
            folder = Path(made, name)
            script = [sys.executable, "-c", SCRIPT, str(folder), *size]
            subprocess.run(script, check=True, env={**alone, "PYTHONPATH": str(ROOT / "tests" / "report")})
            before, start = _processor(), time.perf_counter()
            command = [sys.executable, "-m", "disentangle_bench.cli", "report", str(folder)]
            subprocess.run(command, check=True, env=alone, cwd=ROOT, capture_output=True)
            wall, spent[name] = time.perf_counter() - start, _processor() - before
            peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
            page = folder / "report" / "report.html"
            size_mb = page.stat().st_size / 2**20
            print(f"{name}: {wall:.0f} s, {spent[name]:.0f} s of a core, peak {peak:.2f} GB, page {size_mb:.1f} MB")
        print(f"large / small: {spent['large'] / spent['small']:.1f} times the time for 20 times the runs")
        clicks = _clicks(page)
        print(f"sorting 100 rows: median {1000 * clicks:.0f} ms" if clicks else "sorting: no chromium here")


def _processor() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _clicks(page: Path) -> float:
    """Seconds from a click on a header to the sorted table in its place, median; 0 without a browser."""
    path = shutil.which("chromium")
    if path is None:
        return 0.0
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=path, args=["--headless", "--no-sandbox", "--disable-gpu"])
        shown = browser.new_page()
        shown.goto(page.as_uri())
        times = shown.evaluate(CLICK)
        browser.close()
    return statistics.median(times) / 1000


if __name__ == "__main__":
    main()
