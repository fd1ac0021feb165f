"""Does everything still hang together? Every model of the zoo on the toy set, for a moment."""

from disentangle_bench import catalog
from disentangle_bench.runner.plan import Study

study = Study(
    models=catalog.names("model"),
    datasets=["toy"],
    seeds=range(2),
    steps=20,
    batch=32,
    rows=576,
    options={"dci": {"rows": 200}},
    note="20 steps on a toy: a test of the suite, not of the models",
)
