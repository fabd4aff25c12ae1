"""A map of codes in two dimensions, with thumbnails of as many images as have room."""

import numpy as np
from PIL import Image, ImageDraw

from dim.data import Dataset
from dim.pictures.grid import FAINT, PAPER, scaled
from experiments.report import elements

MOST, LEAST = 1000, 5
_COMPONENTS, _PERPLEXITY = 50, 30
_SIDE, _TILE, _FRAME, _DOT = 1500, 54, 4, 6


def code_map(dataset: Dataset, val: np.ndarray) -> str:
    """The section on the map of validation codes [N, D], as HTML."""
    rows = np.sort(np.random.default_rng(0).permutation(len(val))[:MOST])
    if len(rows) < LEAST:
        return elements.note(f"Left out: a map needs at least {LEAST} validation images.")
    if np.ptp(val[rows], axis=0).max() == 0:
        return elements.note("Left out: all codes are the same.")
    places = layout(val[rows])
    thumbnails = without_overlap(places)
    labels = None if dataset.val.labels is None else dataset.val.labels[rows]
    pixels = drawn(places, np.asarray(dataset.val.images[rows]), thumbnails, labels)
    caption = (
        f"{len(rows):,} validation images: PCA of their codes to at most {_COMPONENTS} dimensions, then "
        f"t-SNE (scikit-learn, perplexity {_perplexity(len(rows))}, seed 0). Near places mean similar codes; "
        "distances between clusters, and their sizes, mean little. "
        f"{thumbnails.sum():,} stand as thumbnails, the others as dots.{_about_colours(dataset)}"
    )
    figure = elements.sheet(pixels, "Map of the codes of validation images", caption)
    return f'<div class="mapped">{figure}{_legend(dataset)}</div>'


def layout(codes: np.ndarray, seed: int = 0) -> np.ndarray:
    """Places in the unit square, [N, 2]: similar ones of codes [N, D], not all the same, come near."""
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE

    N, D = codes.shape
    components = PCA(min(_COMPONENTS, N, D), random_state=seed).fit_transform(codes.astype("float64"))
    start = "pca" if components.shape[1] > 1 else "random"
    tsne = TSNE(perplexity=_perplexity(N), init=start, random_state=seed)
    places = tsne.fit_transform(components)
    low, high = places.min(axis=0), places.max(axis=0)
    return (places - low) / np.where(high > low, high - low, 1)


def _perplexity(N: int) -> float:
    return min(_PERPLEXITY, (N - 1) // 3)


def without_overlap(places: np.ndarray) -> np.ndarray:
    """Which images at places [N, 2] have room for a thumbnail, asked in random order: [N] bool."""
    room = (_TILE + 2 * _FRAME + 2) / (_SIDE - _TILE)
    chosen = np.zeros(len(places), bool)
    for i in np.random.default_rng(0).permutation(len(places)):
        apart = np.abs(places[chosen] - places[i]).max(axis=1)
        chosen[i] = not (apart < room).any()
    return chosen


def drawn(
    places: np.ndarray, images: np.ndarray, thumbnails: np.ndarray, labels: np.ndarray | None
) -> np.ndarray:
    """The picture [height, width, 3] uint8: dots, and above them thumbnails framed in their class's colour.

    Places [N, 2] are in 0..1, images [N, S, S, 3] uint8, thumbnails [N] bool, and labels [N] int, or None
    where nothing is known of the classes.
    """
    margin = _FRAME + _TILE // 8
    picture = Image.new("RGB", (_SIDE + 2 * margin, _SIDE + 2 * margin), PAPER)
    draw = ImageDraw.Draw(picture)
    centres = (margin + _TILE / 2 + places * (_SIDE - _TILE)).round().astype(int)
    inks = [FAINT] * len(places) if labels is None else [colour(label) for label in labels]
    for (x, y), ink in zip(centres, inks, strict=True):
        draw.circle((x, y), _DOT, ink)
    for i in np.flatnonzero(thumbnails):
        left, top = (int(centre) - _TILE // 2 for centre in centres[i])
        right, bottom = left + _TILE + _FRAME - 1, top + _TILE + _FRAME - 1
        draw.rectangle((left - _FRAME, top - _FRAME, right, bottom), inks[i])
        picture.paste(scaled(images[i], _TILE), (left, top))
    return np.asarray(picture)


def colour(label: int) -> tuple[int, int, int]:
    """Of a class; after 20 of them colours come again."""
    from matplotlib import colormaps

    colours = colormaps["tab20"]
    return tuple(round(255 * part) for part in colours(int(label) % colours.N)[:3])


def _about_colours(dataset: Dataset) -> str:
    if not dataset.labelled:
        return " There are no labels, so there are no colours."
    classes = len(dataset.class_names)
    return f" Colours come again after 20 of the {classes} classes." if classes > 20 else ""


def _legend(dataset: Dataset) -> str:
    """Colours and names of the classes, as far as there is a colour for each."""
    if not 0 < len(dataset.class_names) <= 20:
        return ""
    return elements.legend((name, colour(i)) for i, name in enumerate(dataset.class_names))
