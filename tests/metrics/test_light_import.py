"""Importing the metrics costs numpy and nothing else, finds every file, and hands out functions."""

import subprocess
import sys
from pathlib import Path
from types import FunctionType

from disentangle_bench import catalog, metrics


def test_no_heavy_library_is_imported():
    heavy = "torch", "pandas", "sklearn", "scipy", "joblib", "matplotlib"
    code = f"import sys, disentangle_bench.metrics as m; print(len(m.__all__), *set({heavy}).intersection(sys.modules))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60).stdout
    assert found.split() == [str(len(metrics.__all__))]


def test_a_file_is_a_metric():
    files = {path.stem for path in Path(metrics.__file__).parent.glob("[!_]*.py")}
    assert set(metrics.__all__) == files == set(catalog.names("metric"))
    assert {"mig", "dci", "sap", "nmi"} <= files


def test_names_are_functions_even_after_a_submodule_import():
    import disentangle_bench.metrics.mig  # noqa: F401

    for name in metrics.__all__:
        assert type(getattr(metrics, name)) is FunctionType
        assert catalog.get("metric", name) is getattr(metrics, name)
