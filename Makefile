# Variables: DATA (folder or zip), PRESET, EPOCHS, RUN (name in runs/), INIT (run to start from, or pretrained),
# IMAGE (files), ARGS (any further options).
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PARALLEL := --numprocesses 2 --dist worksteal

# What somebody typed reaches the shell as its variables, so that neither make nor the shell reads commands in it.
# Every program is given all of it, and refuses what it does not know.
OURS := DATA PRESET EPOCHS RUN INIT IMAGE ARGS
define as_typed
override $(1) := $$(value $(1))
export $(1)
endef
$(foreach name,$(OURS),$(eval $(call as_typed,$(name))))
GIVEN := $${DATA:+"--data=$$DATA"} $${PRESET:+"--preset=$$PRESET"} $${EPOCHS:+"--epochs=$$EPOCHS"}
GIVEN += $${RUN:+"--run=$$RUN"} $${INIT:+"--init=$$INIT"} $${IMAGE:+"--image=$$IMAGE"}

# ARGS alone are words for the shell, with its quotes and without its commands.
define LINE_END


endef
HASH := \#
FORBIDDEN := $(foreach sign,` $$ ; & | < >,$(findstring $(sign),$(value ARGS))) \
	$(if $(filter $(HASH)%,$(value ARGS)),words that begin with $(HASH)) \
	$(if $(findstring $(LINE_END),$(value ARGS)),line ends)
$(if $(strip $(FORBIDDEN)),$(error ARGS cannot hold $(strip $(FORBIDDEN)); call $(BIN)/python -m experiments.NAME))

# A variable that nobody reads is a slip of the keyboard.
STRANGE := $(filter-out PYTHON VENV BIN SHELL,$(foreach name,$(.VARIABLES),\
	$(if $(filter command,$(origin $(name))),$(name))))
NEAREST := from difflib import get_close_matches as near; import sys; _, word, *known = sys.argv; \
	print(*(f"did you mean {name}?" for name in near(word.upper(), known, 1, 0.5)), "there are:", *known)
QUOTED = '$(subst ','\'',$(1))'
$(if $(STRANGE),$(error no variable $(firstword $(STRANGE)); $(shell $(PYTHON) -c $(call QUOTED,$(NEAREST)) \
	$(call QUOTED,$(firstword $(STRANGE))) $(OURS)), and ARGS="--option …" for all else))

.DEFAULT_GOAL := help
.PHONY: help train knn evaluate report verify index search near-duplicates export demo compare measures
.PHONY: metric-learning recommend text-similarity text-classification tensorboard data bench
.PHONY: test test-backends test-browser mutations lint clean

help: ## list what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo '  variables: DATA= PRESET= EPOCHS= RUN= INIT= IMAGE= ARGS="--any-option …"'

$(READY): requirements.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements.txt
	@touch $@

train: $(READY) ## train Deep InfoMax, or go on with a run
	@$(BIN)/python -m experiments.train $(GIVEN) $(ARGS)

knn: $(READY) ## draw the nearest neighbours of ten images by L2 and cosine
	@$(BIN)/python -m experiments.knn $(GIVEN) $(ARGS)

evaluate: $(READY) ## measure a run's features by kNN, probes, retrieval and gauges, beside baselines
	@$(BIN)/python -m experiments.evaluate $(GIVEN) $(ARGS)

report: $(READY) ## write one HTML page about a run: curves, tables, neighbours, a map of its codes
	@$(BIN)/python -m experiments.report $(GIVEN) $(ARGS)

verify: $(READY) ## same class or not, by the distance of codes: accuracy, ROC, histogram of distances
	@$(BIN)/python -m experiments.verify $(GIVEN) $(ARGS)

index: $(READY) ## embed a data set, so that similar images can be searched
	@$(BIN)/python -m experiments.index $(GIVEN) $(ARGS)

search: $(READY) ## find the images of an index that look like IMAGE
	@$(BIN)/python -m experiments.search $(GIVEN) $(ARGS)

near-duplicates: $(READY) ## list the pairs of an index that are nearly the same
	@$(BIN)/python -m experiments.near_duplicates $(GIVEN) $(ARGS)

export: $(READY) ## write the encoder as ONNX, and the codes of an index for other programs
	@$(BIN)/python -m experiments.export $(GIVEN) $(ARGS)

compare: $(READY) ## train all presets at an equal budget; one table and one plot
	@$(BIN)/python -m experiments.compare $(GIVEN) $(ARGS)

metric-learning: $(READY) ## train with labels and without; retrieval and verification in a table and a ROC
	@$(BIN)/python -m experiments.metric_learning $(GIVEN) $(ARGS)

recommend: $(READY) ## learn which film a user likes next, from MovieLens; beside popularity and item-kNN
	@$(BIN)/python -m experiments.recommend $(GIVEN) $(ARGS)

measures: $(READY) ## entropy, divergences, distances and bounds against their sources: figures and a table
	@$(BIN)/python -m experiments.measures $(GIVEN) $(ARGS)

text-similarity: $(READY) ## learn from graded pairs of sentences how alike sentences are
	@$(BIN)/python -m experiments.text_similarity $(GIVEN) $(ARGS)

text-classification: $(READY) ## learn codes of texts, without labels and with them, beside TF-IDF
	@$(BIN)/python -m experiments.text_classification $(GIVEN) $(ARGS)

tensorboard: $(READY) ## look at all runs in the browser
	$(BIN)/tensorboard --logdir runs $(ARGS)

data: $(READY) ## download Tiny-ImageNet (248 MB) into data/, DATA=movielens, 20-newsgroups or stsbenchmark
	@$(BIN)/python -m experiments.download $(GIVEN) $(ARGS)

bench: $(READY) $(VENV)-backends/.ready ## measure speed beside PyTorch, tf.io, FAISS and the machine's limits
	@$(BIN)/python -m experiments.benchmark $(GIVEN) $(ARGS)

test: $(READY) ## run the tests; those of make demo too, where it is installed
	$(BIN)/python -m pytest $(PARALLEL) $(ARGS)
	@if test -n "$$ARGS"; then :; elif test -e $(VENV)-demo/.ready; then $(MAKE) --no-print-directory test-browser; \
		else echo 'SKIPPED the tests of make demo, which is not installed; make test-browser installs it'; fi

$(VENV)-backends/.ready: requirements.txt requirements-backends.txt
	test -x $(VENV)-backends/bin/python || $(PYTHON) -m venv $(VENV)-backends
	grep -v '^tensorflow==' requirements.txt | cat - requirements-backends.txt > $(VENV)-backends/requirements.txt
	$(VENV)-backends/bin/python -m pip install --quiet --disable-pip-version-check --requirement $(VENV)-backends/requirements.txt
	@touch $@

test-backends: $(VENV)-backends/.ready ## run the tests on JAX and on torch, where TensorFlow is not installed
	KERAS_BACKEND=jax $(VENV)-backends/bin/python -m pytest $(PARALLEL) $(ARGS)
	KERAS_BACKEND=torch $(VENV)-backends/bin/python -m pytest $(PARALLEL) $(ARGS)

$(VENV)-demo/.ready: requirements.txt requirements-demo.txt
	test -x $(VENV)-demo/bin/python || $(PYTHON) -m venv $(VENV)-demo
	grep -v '^pillow==' requirements.txt | cat - requirements-demo.txt > $(VENV)-demo/requirements.txt
	$(VENV)-demo/bin/python -m pip install --quiet --disable-pip-version-check --requirement $(VENV)-demo/requirements.txt
	@touch $@

demo: $(VENV)-demo/.ready ## search an index, look at its near-duplicates and its map in the browser
	@$(VENV)-demo/bin/python -m experiments.demo $(GIVEN) $(ARGS)

test-browser: $(VENV)-demo/.ready ## run the tests of make demo, by Chromium where it is installed
	$(VENV)-demo/bin/python -m pytest tests/experiments/demo $(ARGS)

mutations: $(READY) ## put small errors into a copy of the code and say which the tests do not notice (an hour)
	@$(BIN)/python tests/mutations $(ARGS)

lint: $(READY) ## check style and formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

clean: ## remove environments and decoded images; runs/ and downloads stay
	rm -rf $(VENV) $(VENV)-backends $(VENV)-demo data/cache
