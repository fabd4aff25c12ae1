"""The table of engines, and what search knows of the rest."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from dim.search.engine import ENGINES, Engine, engine_of


@pytest.mark.parametrize("kind", ENGINES)
def test_every_engine_of_the_table_can_be_asked(kind):
    engine = engine_of(kind)
    assert issubclass(engine, Engine) and not engine.__abstractmethods__


def test_search_knows_vectors_and_neither_keras_nor_encoders_nor_runs():
    modules = ("duplicates", "engine", "faiss_index", "index", "indexer", "nearest")
    code = f"import sys, {', '.join(f'dim.search.{name}' for name in modules)}; print(*sys.modules)"
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    loaded = subprocess.check_output([sys.executable, "-c", code], env=environment, text=True)
    strange = ("keras", "tensorflow", "dim.encoders", "dim.methods", "dim.training")
    assert not [name for name in loaded.split() if name.startswith(strange)]
