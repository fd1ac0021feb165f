"""Every model of the zoo keeps the contract, and a file that breaks it is told so."""

import pytest

from disentangle_bench import catalog, contract

MODELS = catalog.names("model")
pytestmark = pytest.mark.usefixtures("narrow_critics")


def all_checks():
    for name in MODELS:
        model = catalog.get("model", name)
        module = contract.load(catalog.__file__.replace("catalog.py", f"models/{name}.py"))
        for check in contract.checks(model, module):
            yield pytest.param(model, check, id=f"{name}-{check.__name__}")


@pytest.mark.parametrize(("model", "check"), list(all_checks()))
def test_contract(model, check):
    check(model)


def test_controls_are_models():
    assert set(catalog.CONTROLS) <= set(MODELS)


def test_a_model_that_breaks_the_contract_is_told_how(tmp_path):
    (tmp_path / "crooked.py").write_text(
        '"""Nothing to cite."""\nimport torch\nfrom dataclasses import dataclass\n'
        "from disentangle_bench.models.vae import VAE\n\n@dataclass(frozen=True)\nclass Crooked(VAE):\n"
        "    def loss(self, net, x, eps):\n"
        "        terms = super().loss(net, x, eps)\n"
        "        return {**terms, 'kl': -1e4 * terms['reconstruction'] + torch.rand(()) / 0}\n"
    )
    problems = dict(contract.check(tmp_path / "crooked.py"))
    assert "no year" in problems["docstring has a year and an equation"]
    assert "'kl'" in problems["terms are finite scalars"]
    assert problems["is a frozen dataclass"] is None
