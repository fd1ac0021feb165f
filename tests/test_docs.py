"""What the documents promise: commands that parse, examples that keep the contract, folders that exist."""

import dataclasses
import re
import shlex
import sys
from functools import cache
from pathlib import Path

import pytest
from typer.testing import CliRunner

from disentangle_bench import catalog, cli, contract

README = Path("README.md").read_text(encoding="utf8")
EXAMPLES = re.findall(r"```python\n# (disentangle_bench/\S+)\n(.*?)```", README, re.DOTALL)
PAGES = "\n".join(re.sub(r"\\\n\s*", "", page.read_text(encoding="utf8")) for page in Path("docs/models").glob("*.md"))
COMMANDS = re.findall(r"bench (?:run|score|report|stress|list|show|data|check)\b[^#\n`]*", README + PAGES)


@pytest.mark.parametrize(("path", "code"), EXAMPLES, ids=[Path(path).stem for path, _ in EXAMPLES])
def test_examples_keep_the_contract(tmp_path, path, code):
    file = tmp_path / Path(path).name
    package = "disentangle_bench." + Path(path).parent.name
    file.write_text(re.sub(r"^from \.", f"from {package}.", code, flags=re.MULTILINE))
    problems = {name: problem for name, problem in contract.check(file) if problem}
    del sys.modules[file.stem]  # another document has an example of this name
    assert not problems


def test_there_is_an_example_of_each_kind():
    assert {Path(path).parent.name for path, _ in EXAMPLES} == {"models", "metrics", "datasets"}


@cache
def told(verb):
    return CliRunner().invoke(cli.app, [verb, "--help"], env={"COLUMNS": "200"}).output


@pytest.mark.parametrize(
    "command", sorted({part.strip() for line in COMMANDS for part in line.split("  ") if part.strip()})
)
def test_commands_have_only_options_that_exist(command):
    words = shlex.split(command.replace("...", ""))[1:]
    text = told(words[0])
    for word in words:
        if word.startswith("--"):
            assert word in text, f"{word} is not an option of bench {words[0]}"


def test_every_model_metric_and_data_set_is_named():
    for kind in catalog.KINDS:
        for name in catalog.names(kind):
            assert f"`{name}`" in README, f"{kind} {name} is not in the README"


def test_pictures_and_pages_that_are_linked_exist():
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", README):
        assert Path(target).exists(), target


def test_the_code_map_names_what_there_is():
    for name in re.findall(r"\b\w+\.py\b", Path("ARCHITECTURE.md").read_text(encoding="utf8")):
        assert [*Path("disentangle_bench").rglob(name), *Path("tests").rglob(name)], (
            f"{name} is in ARCHITECTURE.md alone"
        )


@pytest.mark.parametrize("name", catalog.names("model"))
def test_every_model_has_a_page_that_names_its_parameters_and_their_defaults(name):
    model = catalog.get("model", name)
    if name in catalog.CONTROLS:
        assert f"`{name}`" in Path("docs/models/controls.md").read_text(encoding="utf8")
        return
    page = Path(f"docs/models/{name}.md").read_text(encoding="utf8")
    told = {}
    for names, defaults in re.findall(r"^\| (`[^|]*`) \| ([^|]*) \|", page, re.MULTILINE):
        told |= dict(zip(re.findall(r"`(\w+)`", names), defaults.split(", ")))
    for field in dataclasses.fields(model):
        kind = type(field.default)
        assert field.name in told, f"docs/models/{name}.md does not name {field.name}"
        words = {"true": True, "false": False}
        got = words[told[field.name]] if kind is bool else kind(told[field.name].replace(",", ""))
        assert got == field.default, f"docs/models/{name}.md: {field.name}"
