# Variables: DATA (folder or zip), PRESET, EPOCHS, RUN (name in runs/), IMAGE (files), ARGS (any further options).
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
OPTIONS = $(if $(RUN),--run "$(RUN)") $(if $(DATA),--data "$(DATA)")
PARALLEL := --numprocesses 2 --dist worksteal
TRAIN_OPTIONS = $(OPTIONS) $(if $(PRESET),--preset "$(PRESET)") $(if $(EPOCHS),--epochs "$(EPOCHS)")

.DEFAULT_GOAL := help
.PHONY: help train knn evaluate report verify index search near-duplicates export
.PHONY: compare measures metric-learning tensorboard data bench test test-backends mutations lint clean

help: ## list what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo '  variables: DATA= PRESET= EPOCHS= RUN= IMAGE= ARGS="--any-option …"'

$(READY): requirements.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements.txt
	@touch $@

train: $(READY) ## train Deep InfoMax, or go on with a run
	@$(BIN)/python -m experiments.train $(TRAIN_OPTIONS) $(ARGS)

knn: $(READY) ## draw the nearest neighbours of ten images by L2 and cosine
	@$(BIN)/python -m experiments.knn $(OPTIONS) $(ARGS)

evaluate: $(READY) ## measure a run's features by kNN, probes, retrieval and gauges, beside baselines
	@$(BIN)/python -m experiments.evaluate $(OPTIONS) $(ARGS)

report: $(READY) ## write one HTML page about a run: curves, tables, neighbours, a map of its codes
	@$(BIN)/python -m experiments.report $(OPTIONS) $(ARGS)

verify: $(READY) ## same class or not, by the distance of codes: accuracy, ROC, histogram of distances
	@$(BIN)/python -m experiments.verify $(OPTIONS) $(ARGS)

index: $(READY) ## embed a data set, so that similar images can be searched
	@$(BIN)/python -m experiments.index $(OPTIONS) $(ARGS)

search: $(READY) ## find the images of an index that look like IMAGE
	@$(BIN)/python -m experiments.search $(if $(IMAGE),--image "$(IMAGE)") $(OPTIONS) $(ARGS)

near-duplicates: $(READY) ## list the pairs of an index that are nearly the same
	@$(BIN)/python -m experiments.near_duplicates $(OPTIONS) $(ARGS)

export: $(READY) ## write the encoder as ONNX, and the codes of an index for other programs
	@$(BIN)/python -m experiments.export $(OPTIONS) $(ARGS)

compare: $(READY) ## train all presets at an equal budget; one table and one plot
	@$(BIN)/python -m experiments.compare $(if $(DATA),--data "$(DATA)") $(if $(EPOCHS),--epochs "$(EPOCHS)") $(ARGS)

metric-learning: $(READY) ## train with labels and without; retrieval and verification in a table and a ROC
	@$(BIN)/python -m experiments.metric_learning $(if $(DATA),--data "$(DATA)") $(if $(EPOCHS),--epochs "$(EPOCHS)") $(ARGS)

measures: $(READY) ## entropy, divergences, distances and bounds against their sources: figures and a table
	@$(BIN)/python -m experiments.measures $(ARGS)

tensorboard: $(READY) ## look at all runs in the browser
	$(BIN)/tensorboard --logdir runs $(ARGS)

data: $(READY) ## download Tiny-ImageNet (248 MB) into data/
	@$(BIN)/python -m experiments.download $(ARGS)

bench: $(READY) $(VENV)-backends/.ready ## measure speed beside PyTorch, tf.io, FAISS and the machine's limits
	@$(BIN)/python -m experiments.benchmark $(if $(DATA),--data "$(DATA)") $(ARGS)

test: $(READY) ## run the tests
	$(BIN)/python -m pytest $(PARALLEL) $(ARGS)

$(VENV)-backends/.ready: requirements.txt requirements-backends.txt
	test -x $(VENV)-backends/bin/python || $(PYTHON) -m venv $(VENV)-backends
	grep -v '^tensorflow==' requirements.txt | cat - requirements-backends.txt > $(VENV)-backends/requirements.txt
	$(VENV)-backends/bin/python -m pip install --quiet --disable-pip-version-check --requirement $(VENV)-backends/requirements.txt
	@touch $@

test-backends: $(VENV)-backends/.ready ## run the tests on JAX and on torch, where TensorFlow is not installed
	KERAS_BACKEND=jax $(VENV)-backends/bin/python -m pytest $(PARALLEL) $(ARGS)
	KERAS_BACKEND=torch $(VENV)-backends/bin/python -m pytest $(PARALLEL) $(ARGS)

mutations: $(READY) ## put small errors into a copy of the code and say which the tests do not notice (an hour)
	@$(BIN)/python tests/mutations $(ARGS)

lint: $(READY) ## check style and formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

clean: ## remove environments and decoded images; runs/ and downloads stay
	rm -rf $(VENV) $(VENV)-backends data/cache
