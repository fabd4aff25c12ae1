"""An index grows by what came, went or changed, and stays whole whenever its making ends."""

from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest

from dim.search.index import find
from tests.search.conftest import BLIND, EMBEDDER, RUN, N, embed


def counting(seen):
    """An embedder that notes how many images it is given that are not blank."""

    def counted(images):
        seen.append(int(images.any(axis=(1, 2, 3)).sum()))
        return embed(images)

    return EMBEDDER._replace(embed=counted)


@pytest.mark.parametrize("kind", ["exact", "hnsw", "ivf", "ivfpq"])
def test_what_came_went_or_changed_is_all_that_is_embedded(kind, make, pets, paint, capsys):
    ids = dict(zip((before := make(kind)).names.to_pylist(), before.ids.to_pylist(), strict=True))
    capsys.readouterr()
    paint(pets / "dog/new.png", (1, 2, 3))
    paint(pets / "cat/02 ü.png", (90, 80, 70), (40, 40))
    (pets / "dog/05 ü.png").unlink()
    (pets / "cat/00 ü.png").rename(pets / "dog/moved.png")
    seen = []
    index = make(kind, embedder=counting(seen))
    assert sum(seen) == 3 and "+3 −3 =9" in capsys.readouterr().out
    images = np.stack([index.picture(i, 8) for i in range(len(index))])
    np.testing.assert_allclose(index.codes, embed(images), atol=1e-5)
    names = index.names.to_pylist()
    assert sorted(names) == sorted(p.relative_to(pets).as_posix() for p in pets.glob("*/*.png"))
    assert [index.caption(i) for i in range(len(index))] == [name[:3] for name in names]
    now = dict(zip(names, index.ids.to_pylist(), strict=True))
    assert all(now[name] == ids[name] for name in names if name in ids)
    assert {now["dog/new.png"], now["dog/moved.png"]} == {N, N + 1}
    own = index.search(index.codes, 1, "cosine")
    np.testing.assert_array_equal(own.indices[:, 0], np.arange(len(index)))
    assert len(list(make(kind, embedder=BLIND).folder.iterdir())) == 5  # nothing is left of the work


def test_no_id_is_given_twice_also_when_its_image_is_gone(make, pets, paint):
    make()
    paint(pets / "dog/one.png", (1, 2, 3))
    make()
    (pets / "dog/one.png").unlink()
    make()
    paint(pets / "dog/other.png", (4, 5, 6))
    index = make()
    assert index.ids.to_pylist() == [*range(N), N + 1]


@pytest.mark.parametrize("kind", ["hnsw", "ivf", "ivfpq"])
def test_cells_and_graphs_are_added_to(kind, make, pets, paint, monkeypatch):
    engine = type(make(kind).engine)
    monkeypatch.setattr(engine, "_write", lambda *_: pytest.fail("written anew"))
    paint(pets / "dog/more.png", (7, 2, 3))
    index = make(kind)
    assert index.engine.index.ntotal == len(index) == N + 1


def test_what_was_removed_leaves_nothing_to_embed(make, pets):
    make()
    (pets / "dog/05 ü.png").unlink()
    (pets / "cat/zzz.jpg").unlink()
    assert len(make(embedder=BLIND)) == N - 1


@pytest.mark.parametrize("renames", [0, 1, 2])
def test_killed_while_a_folder_is_replaced_the_old_or_the_new_one_is_whole(
    renames, make, pets, paint, monkeypatch
):
    make()
    paint(pets / "dog/new.png", (1, 2, 3))
    folders, rename = [], Path.rename

    def killed(path, to):
        if len(folders) == renames:
            raise KeyboardInterrupt
        folders.append(path)
        return rename(path, to)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", killed)
        patch.setattr("dim.files.shutil.rmtree", lambda *_, **__: None)
        with pytest.raises(KeyboardInterrupt) if renames < 2 else nullcontext():
            make()
    assert len(make(embedder=BLIND)) == len(find(RUN)) == N + 1
    assert {folder.name for folder in (RUN / "index").iterdir()} <= {"pets", "unfinished-former-pets"}
