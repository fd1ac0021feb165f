"""Pictures that a page holds in itself, and what it says of models and metrics in their own files' words."""

from __future__ import annotations

import base64
import dataclasses
import io
import json

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from disentangle_bench import catalog
from disentangle_bench.report.metrics_text import define, scale
from disentangle_bench.report.models_text import parameters, read, used, words
from disentangle_bench.report.page_parts import Album, embed, slug, spread


def test_a_page_stays_light_and_names_what_it_left_out(tmp_path) -> None:
    for name, size in (("a.gif", 600_000), ("b.gif", 600_000), ("c.gif", 1_000)):
        (tmp_path / name).write_bytes(b"x" * size)
    album = Album(tmp_path, room=1)
    held = [album.add(tmp_path / name, "a film") for name in ("a.gif", "b.gif", "c.gif")]
    assert [bool(picture.src) for picture in held] == [True, False, True] and album.left_out == ["b.gif"]
    assert held[1].file == "b.gif"


def test_names_that_make_one_stem_keep_files_of_their_own(tmp_path) -> None:
    album = Album(tmp_path, ["png"])
    held = [album.figure(Figure(), slug(f"vae (beta={beta})"), "").file for beta in (1, -1)]
    assert held == ["vae-beta-1.png", "vae-beta-1-2.png"] and all((tmp_path / name).is_file() for name in held)


def test_heavy_pixels_are_lighter_on_the_page(tmp_path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (300, 300, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / "a.png")
    held = Album(tmp_path).add(tmp_path / "a.png", "noise").src
    assert held.startswith("data:image/webp;base64,") and len(held) < (tmp_path / "a.png").stat().st_size
    with Image.open(io.BytesIO(base64.b64decode(held.partition(",")[2]))) as image:
        assert image.size == (300, 300)


def test_embedded_files_decode_to_themselves(tmp_path) -> None:
    (tmp_path / "a.png").write_bytes(b"\x89PNG\x00\xff")
    head, _, body = embed(tmp_path / "a.png").partition(",")
    assert head == "data:image/png;base64" and base64.b64decode(body) == b"\x89PNG\x00\xff"


def test_slugs_are_safe_file_names() -> None:
    assert slug("betavae (beta=0.5, lr=1e-4)") == "betavae-beta-0.5-lr-1e-4"
    assert slug("a/../b") == "a-..-b"


def test_few_of_many_are_spread_evenly() -> None:
    assert spread(list("abcdefg"), 3) == ["a", "d", "g"] and spread(["a"], 3) == ["a"] and spread([], 3) == []


# Words of models and metrics


@pytest.mark.parametrize("name", catalog.names("model"))
def test_every_model_says_what_it_is_and_its_defaults_are_those_of_its_class(name: str) -> None:
    text = words(name)
    assert text is not None and text.citation and (text.equation or name in catalog.CONTROLS)
    fields = dataclasses.fields(catalog.get("model", name))
    held = {parameter.name: parameter.default for parameter in parameters(name)}
    assert held == {field.name: repr(field.default) for field in fields}


def test_parameters_are_compared_with_their_defaults() -> None:
    settings = [{"beta": beta, "latents": 10, "lr": 1e-3, "more": [1]} for beta in (16.0, 2.0, 4.0, 4.0)]
    rows = {row[0]: row[1:] for row in used(map(json.dumps, settings), "betavae")}
    assert rows["beta"] == ("2, 4, 16", "4", "weight of the KL") and rows["lr"] == ("0.001", "0.0001", "of Adam")
    assert rows["more"] == ("[1]", "", "")  # of a version of the model that is not here
    assert used(['{"x": 1}'], "gone") == [("x", "1", "", "")] and words("gone") is None and words("../vae") is None


def test_a_docstring_falls_into_citation_equation_and_paragraphs() -> None:
    text = read("A, B 2020, eq. 1:   L = x\n\nOne\ntwo.\n\n    y = 1\n      + 2\n\n* a\n* b")
    assert (text.citation, text.equation) == ("A, B 2020, eq. 1", "L = x")
    assert text.body == ((False, "One\ntwo."), (True, "y = 1\n  + 2"), (False, "* a"), (False, "* b"))


@pytest.mark.parametrize("name", catalog.names("metric"))
def test_every_metric_says_what_it_is(name: str) -> None:
    definition, function = define(name), catalog.get("metric", name)
    said = dict(definition.said)
    assert definition.text.citation and definition.text.body and said["Estimator"] == function.estimator
    assert said["Version of the definition"] == str(function.version)
    assert {"Returns", "References"} <= set(definition.sections) and all(definition.sections.values())


def test_scales_in_words() -> None:
    assert scale("mig") == "from 0 to 1, higher is better"
    assert scale("elbo") == "any number, in nats / image, higher is better"
    assert scale("kl") == "from 0 on, in nats / image, neither end is better"


def test_blocks_and_numbers_of_training_have_words_too() -> None:
    assert dict(define("mig [z_c]").said)["Units"] == "block z_c alone"
    assert dict(define("mig {held-out}").said)["Images"] == "split held-out alone"
    assert define("reconstruction").said == (("Scale", "from 0 on, in nats / image, lower is better"),)
