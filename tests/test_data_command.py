"""`bench data`: fetching, describing, drawing and checking data sets, by the command line."""

import hashlib
import importlib
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from disentangle_bench import catalog, cli, data_pictures
from disentangle_bench.datasets import FactoredData, load, shapes3d
from disentangle_bench.datasets._download import File

CONTENT = b"an official file" * 1000


@pytest.fixture
def bench(monkeypatch, capsys, tmp_path):
    """Run `bench data ...` in an empty folder, without a network: exit code, standard output, standard error."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BENCH_OFFLINE", "1")
    monkeypatch.setenv("BENCH_DATA", str(tmp_path / "data"))

    def call(*words):
        monkeypatch.setattr(sys, "argv", ["bench", "data", *words])
        with pytest.raises(SystemExit) as stop:
            cli.main()
        out, err = capsys.readouterr()
        return stop.value.code or 0, out, err

    return call


@pytest.fixture
def served(monkeypatch):
    """shapes3d with a file of its own that a server on this machine has, whose size nobody wrote down."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self, body=True):
            self.send_response(200)
            self.send_header("Content-Length", str(len(CONTENT)))
            self.end_headers()
            if body:
                self.wfile.write(CONTENT)

        def do_HEAD(self):
            self.do_GET(body=False)

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    url = f"http://127.0.0.1:{server.server_port}/official.h5"
    file = File("official.h5", (url,), sha256=hashlib.sha256(CONTENT).hexdigest())
    monkeypatch.setattr(shapes3d, "FILES", (file,))
    yield file
    server.shutdown()
    thread.join()
    server.server_close()


def test_info_of_a_drawn_set_has_its_factors_and_its_docstring(bench):
    code, out, _ = bench("info", "toy")
    assert code == 0 and "toy: 576 images (16, 16, 1), source drawn, sha256 e8eff08c" in out
    factors = [line.split() for line in out.splitlines() if " values, " in line]
    assert [words[0] for words in factors] == ["shape", "scale", "posX", "posY"]
    assert factors[0] == ["shape", "3", "values,", "categorical", "1", "...", "3", "(the", "class)"]
    assert "For tests and for teaching" in out and "file " not in out


@pytest.mark.parametrize("name", ["dsprites", "shapes3d", "cars3d", "smallnorb", "mpi3d(variant=complex)"])
def test_info_of_a_published_set_needs_no_file(bench, name):
    code, out, err = bench("info", name)
    module = importlib.import_module(f"disentangle_bench.datasets.{name.partition('(')[0]}")
    assert (code, err) == (0, "") and not Path("data").exists()
    assert f"licence: {module.LICENCE}" in out and f"citation: {module.CITATION}" in out
    assert f"not here: bench data fetch '{name}'" in out


def test_info_shows_the_files_of_the_variant_alone(bench):
    _, out, _ = bench("info", "mpi3d(variant=real)")
    files = [line for line in out.splitlines() if line.startswith("file ")]
    assert len(files) == 1 and "mpi3d_real.npz" in files[0] and "md5 0f33f609918fb5c97996692f91129802" in files[0]
    sizes = [line for line in bench("info", "smallnorb")[1].splitlines() if line.startswith("file ")]
    assert len(sizes) == 6 and "131.9 MB" in sizes[0]


def test_info_tells_what_takes_the_place_of_a_file_that_is_not_here(bench):
    assert "drawn where the file is not: sha256 3a228f40" in bench("info", "dsprites")[1]
    assert "drawn where" not in bench("info", "shapes3d")[1]


def test_info_of_a_set_that_only_its_files_describe_downloads_nothing(bench, monkeypatch):
    monkeypatch.delenv("BENCH_OFFLINE")
    code, out, err = bench("info", "mnist")
    assert (code, err) == (0, "") and "mnist: images and factors are known with the files alone" in out
    assert out.count("not here: bench data fetch 'mnist'") == 4


def test_info_tells_what_training_sees(bench):
    assert "training sees the first 1,500, the others are scored" in bench("info", "digits")[1]
    _, out, _ = bench("info", "toy(holdout=shape:2)")
    assert "shift holdout=shape:2: training draws from 384 of them" in out


def test_fetch_says_how_large_before_it_downloads_and_verify_checks(bench, served, monkeypatch):
    monkeypatch.delenv("BENCH_OFFLINE")
    path = Path("data/official.h5").resolve()
    assert bench("verify", "shapes3d")[0] == 1  # nothing there yet
    code, out, err = bench("fetch", "shapes3d")
    assert code == 0 and path.read_bytes() == CONTENT and "100%" in err
    assert out.splitlines() == [f"to download: {served.urls[0]} (0.0 MB) -> {path}", str(path)]
    assert bench("fetch", "shapes3d")[1].splitlines() == [str(path)]  # not again
    assert "official.h5, size unknown, sha256" in (shown := bench("info", "shapes3d")[1]) and ", here" in shown
    code, out, _ = bench("verify", "shapes3d")
    assert code == 0 and out == f"ok      {path}: sha256 {served.sha256}\n"
    path.write_bytes(CONTENT[:-1])
    code, _, err = bench("verify", "shapes3d")
    assert code == 1 and err.startswith(f"WRONG   {path}") and served.sha256 in err
    assert path.read_bytes() == CONTENT[:-1]


def test_offline_nothing_is_fetched_and_nothing_is_asked(bench, served):
    code, out, err = bench("fetch", "shapes3d")
    assert code == 2 and "(size unknown)" in out and "BENCH_OFFLINE forbids its download" in err
    code, _, err = bench("verify", "shapes3d")
    assert code == 1 and err.startswith("absent  ") and "bench data fetch 'shapes3d'" in err


def test_a_file_without_a_published_hash_is_not_called_right(bench, served, monkeypatch):
    monkeypatch.setattr(shapes3d, "FILES", (File("official.h5", served.urls),))
    Path("data").mkdir()
    Path("data/official.h5").write_bytes(b"anything")
    code, _, err = bench("verify", "shapes3d")
    assert code == 1 and err.startswith("unknown ")


def pinned():
    modules = [importlib.import_module(f"disentangle_bench.datasets.{name}") for name in catalog.names("dataset")]
    names = [name for module in modules for name in getattr(module, "PINNED", ())]
    return [name for name in names if not name.startswith("dsprites")]  # seconds each, and pinned in its own test


@pytest.mark.parametrize("name", pinned())
def test_drawn_sets_are_what_they_were_when_their_hash_was_recorded(bench, name):
    code, out, err = bench("verify", name)
    assert (code, err) == (0, "") and out.startswith(f"ok      {name}, ")


def test_every_drawn_set_has_a_recorded_hash():
    missing = []
    for name in catalog.names("dataset"):
        module = importlib.import_module(f"disentangle_bench.datasets.{name}")
        if not hasattr(module, "FILES") and name not in getattr(module, "PINNED", ()):
            missing.append(name)
    assert missing == []


def test_verify_tells_other_images_from_those_recorded(bench, monkeypatch):
    toy = importlib.import_module("disentangle_bench.datasets.toy")
    monkeypatch.setitem(toy.PINNED, "toy", "0" * 64)
    code, _, err = bench("verify", "toy")
    assert code == 1 and err.startswith("WRONG   toy, drawn: sha256 e8eff08c") and err.endswith(f"{'0' * 64}\n")
    code, _, err = bench("verify", "digits(copies=2)")
    assert code == 1 and err.startswith("unknown digits(copies=2)")


def test_your_own_data_are_described_and_drawn(bench):
    rng = np.random.default_rng(0)
    factors = np.stack([np.arange(40) % 4, rng.permutation(40) % 2], axis=1)
    np.savez("mine.npz", images=rng.integers(0, 256, (40, 12, 12, 3), np.uint8), factors=factors)
    code, out, _ = bench("info", "mine.npz")
    assert code == 0 and "mine: 40 images (12, 12, 3), source own" in out
    assert bench("preview", "mine.npz")[:2] == (0, "mine.png\n") and Path("mine.png").stat().st_size > 1000
    assert bench("verify", "mine.npz")[0] == 1  # nobody recorded its hash
    code, _, err = bench("fetch", "mine.npz")
    assert code == 2 and "no file to fetch" in err


@pytest.mark.parametrize(
    "words, message",
    [
        (("fecth", "toy"), "unknown action 'fecth'; did you mean 'fetch'?"),
        (("info", "dsprits"), "did you mean 'dsprites'?"),
        (("fetch", "toy"), "data set 'toy' has no file to fetch: it is drawn"),
        (("preview", "toy", "--out", "none/toy.png"), "--out none/toy.png: no folder none"),
        (("preview", "toy", "--out", "toy.mp3"), "--out toy.mp3: got suffix '.mp3', expected one of"),
        (("info", "toy", "--out", "toy.png"), "--out is for `bench data preview`, not for `info`"),
        (("preview", "numeric(mix=lineal)"), "did you mean 'linear'?"),
    ],
)
def test_bad_input_is_refused_by_name(bench, words, message):
    code, _, err = bench(*words)
    assert code == 2 and message in err and not list(Path().glob("*.p*"))


def test_preview_is_named_by_the_set_and_its_options(bench):
    assert bench("preview", "xysquares(squares=1)")[1] == "xysquares-1.png\n"
    assert bench("preview", "toy(correlate=scale:posX:0.2)", "--out", "some.svg")[1] == "some.svg\n"
    assert "<svg" in Path("some.svg").read_text() and not list(Path().glob(".*.part"))
    with Image.open("xysquares-1.png") as picture:
        assert picture.width > 600


@pytest.mark.parametrize("name", ["toy", "shapes3d_rendered", "numeric(factors=2)"])
def test_a_row_moves_its_factor_alone_through_all_values(name):
    data = load(name)
    rows, exact = data_pictures.traversals(data, 17)
    assert exact and rows.shape == (len(data.names), 12)
    for j, row in enumerate(rows):
        shown = data.factors[row[row >= 0]]
        assert len(shown) == min(data.sizes[j], 12) and (np.diff(shown[:, j]) > 0).all()
        assert (shown[0, j], shown[-1, j]) == (0, data.sizes[j] - 1)
        np.testing.assert_array_equal(np.delete(shown, j, 1), np.delete(data.factors[[17] * len(shown)], j, 1))


def table(factors, kinds, sizes):
    """A set of black images with these factors."""
    factors = np.array(factors)
    levels = tuple(2 * np.pi * np.arange(n) / n if kind == "cyclic" else np.arange(n) for n, kind in zip(sizes, kinds))
    names = tuple("abc"[: len(sizes)])
    return FactoredData("t", np.zeros((len(factors), 4, 4, 1), np.uint8), factors, levels, names, kinds, "made", "0")


def test_without_a_grid_the_nearest_images_are_shown():
    data = table([[0, 0], [1, 3], [1, 1], [2, 2]], ("categorical", "ordered"), (4, 4))
    rows, exact = data_pictures.traversals(data, 0, columns=4)
    assert not exact
    assert rows.tolist() == [[0, 2, 3, -1], [0, 2, 3, 1]]  # a = 1 with b = 1, nearer to 0 than 3; no image has a = 3


def test_cyclic_factors_are_near_across_their_end():
    data = table([[0, 0], [1, 9], [1, 2]], ("ordered", "cyclic"), (2, 10))
    assert data_pictures.traversals(data, 0)[0][0, :2].tolist() == [0, 1]
    np.testing.assert_allclose(data_pictures.apart(data, np.array([0, 0]))[1], [0, 0.2, 0.4])


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_images_of_any_number_of_channels_are_drawn(channels, tmp_path):
    data = table([[0], [1]], ("ordered",), (2,))
    pixels = np.full((2, 4, 4, channels), 90, np.uint8)
    data = FactoredData("t", pixels, data.factors, data.levels, data.names, data.kinds, "made", "0")
    data_pictures.save(data, "t", tmp_path / "t.png")
    with Image.open(tmp_path / "t.png") as picture:
        colours = {colour[:3] for _, colour in picture.convert("RGB").getcolors(1 << 20)}
    assert ((90, 90, 0) if channels == 2 else (90, 90, 90)) in colours


def test_a_factor_with_one_value_is_drawn():
    rows, exact = data_pictures.traversals(table([[0, 0], [0, 1]], ("ordered", "ordered"), (1, 2)), 1, columns=2)
    assert exact and rows.tolist() == [[1, -1], [0, 1]]
