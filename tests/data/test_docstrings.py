"""The embedded texts are real, long enough, and of several libraries."""

import pytest

from dim.data import docstrings as module
from dim.data.docstrings import LIBRARIES, docstrings


@pytest.fixture
def few(monkeypatch):
    monkeypatch.setattr(module, "_EACH", 30)
    monkeypatch.setattr(module, "LIBRARIES", LIBRARIES[3:])
    module._of.cache_clear()
    yield docstrings()
    module._of.cache_clear()


def test_every_library_has_its_share_and_names_say_where_a_text_stands(few):
    assert len(few.train) + len(few.test) > 60
    for part in few.train, few.test:
        for text, label, name in zip(part.texts, part.labels, part.names, strict=True):
            assert len(text.split()) >= 20
            assert name.startswith(few.class_names[label] + "/") and ".py:" in name and "tests" not in name
