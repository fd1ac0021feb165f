PYTHON ?= python3
BIN := .venv/bin
PYTEST := $(BIN)/pytest --numprocesses auto --maxprocesses 4 --dist loadfile
export OMP_NUM_THREADS := 1
export MPLBACKEND := Agg

.PHONY: bench test thorough lint types tests smoke clean
bench: .venv/ready
	$(BIN)/bench run --models mcevae,betavae,controls --dataset dsprites --budget quick --seeds 2 \
	    --set mcevae.supervised=false,true --out out/bench
	$(BIN)/bench report out/bench
	@echo "tables: out/bench/results.csv   page: out/bench/report/report.html   one run: $(BIN)/bench show RUN --results out"

test: lint types tests smoke

thorough: .venv/ready
	$(PYTEST) -m 'not network'

lint: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: .venv/ready
	$(BIN)/pyrefly check

tests: .venv/ready
	$(PYTEST)

smoke: .venv/ready
	$(BIN)/bench run --study benchmarks/smoke.py --out out/smoke
	$(BIN)/bench report out/smoke --format svg

.venv/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $@

clean:
	rm -rf .venv out
