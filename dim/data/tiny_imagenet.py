"""Tiny-ImageNet in its official layout, from the unpacked folder or straight from the zip.

    train/WNID/images/*.JPEG    val/images/*.JPEG    val/val_annotations.txt    words.txt

The validation folder is flat, its labels are in `val_annotations.txt`. Any number of classes will do.
"""

import zipfile
import zlib
from functools import partial
from os import PathLike
from pathlib import Path

from dim.data.dataset import Recipe, Source, called
from dim.data.decode import decode_image, decode_member, file_bytes, member_bytes, read_member
from dim.data.image_folder import is_image, list_images
from dim.errors import DimError
from dim.names import printable

ANNOTATIONS = "val/val_annotations.txt"
WORDS = "words.txt"
_MOST_TEXT = 2**25  # bytes of each of the two; the original ones have 3 MB together


def source(where: str | PathLike, image_size: int = 64) -> Source:
    """Tiny-ImageNet, or any part of it: a folder that holds `train/` and `val/`, or a zip of such a folder.

    The images become squares of `image_size` pixels; the originals have 64. Its recipe raises DimError if
    the layout is not the official one, or the zip is damaged.
    """
    where = Path(where).resolve()
    if where.is_dir():
        files = list_images(where)
        texts = [_size_and_time(where / name) for name in (ANNOTATIONS, WORDS) if (where / name).is_file()]
        recipe = partial(_from_folder, where, files, image_size)
        return Source(called(where.name), [str(where), files, texts], recipe)
    made_from = [str(where), *_size_and_time(where)]
    return Source(called(where.stem), made_from, partial(_from_zip, where, image_size))


def _size_and_time(file: Path) -> tuple[int, int]:
    status = file.stat()
    return status.st_size, status.st_mtime_ns


def _from_folder(folder: Path, files: list, size: int) -> Recipe:
    def read(name: str) -> str:
        file = folder / name
        if not file.is_file():
            return ""
        if file.stat().st_size > _MOST_TEXT:
            raise DimError(f"{file} is larger than {_MOST_TEXT:,} bytes; restore the original file")
        return file.read_text("utf-8-sig", "replace")

    stamps = {name: f"{size} {changed}" for name, size, changed in files}
    return _recipe(folder, f"{folder}/", stamps, read, partial(decode_image, size=size), file_bytes)


def _from_zip(path: Path, size: int) -> Recipe:
    if is_image(path.name):
        raise DimError(f"{path} is a single image; pass the folder that holds it and others")
    try:
        with zipfile.ZipFile(path) as archive:
            members = {about.filename: f"{about.file_size} {about.CRC}" for about in archive.infolist()}
            roots = [m.removesuffix(ANNOTATIONS) for m in members if m.endswith(ANNOTATIONS)]
            if not roots:
                remedy = "to use any images, unpack them and pass the folder"
                raise DimError(f"{path} is not Tiny-ImageNet: no {ANNOTATIONS} inside; {remedy}")
            root = min(roots)
            inside = [member for member in members if member.startswith(root)]
            stamps = {member.removeprefix(root): members[member] for member in inside}
            opened = {"archive": str(path), "changed": path.stat().st_mtime_ns}
            decode, to_bytes = partial(decode_member, **opened, size=size), partial(member_bytes, **opened)

            def read(name: str) -> str:
                if root + name not in members:
                    return ""
                try:
                    return read_member(archive, root + name, _MOST_TEXT).decode("utf-8-sig", "replace")
                except OSError as error:
                    raise DimError(f"{path}: {name} cannot be read, {error}; fetch it again") from error

            return _recipe(path, root, stamps, read, decode, to_bytes)
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise DimError(f"{path} is not a zip or is damaged ({_line(error)}); fetch it again") from error
    except (RuntimeError, OSError, ValueError) as error:
        raise DimError(f"{path} cannot be read ({_line(error)}); unpack it and pass the folder") from error


def _line(error: Exception) -> str:
    return printable(" ".join(str(error).split()))


def _recipe(where: Path, root: str, stamps: dict[str, str], read, decode, to_bytes) -> Recipe:
    """Of names and their stamps; `read` gives one of the two text files, the others are of the recipe."""
    parts = [name.split("/") for name in sorted(stamps)]
    train = [p for p in parts if p[0] == "train" and p[2:3] == ["images"] and len(p) == 4 and is_image(p[3])]
    val = [p for p in parts if p[:2] == ["val", "images"] and len(p) == 3 and is_image(p[2])]
    if not train or not val:
        found = f"{len(train)} images in train/WNID/images/ and {len(val)} in val/images/"
        raise DimError(f"{where} is not Tiny-ImageNet: {found}; restore the official layout")
    wnids = sorted({wnid for _, wnid, _, _ in train})
    labels = {wnid: label for label, wnid in enumerate(wnids)}
    annotated = dict(line.split("\t")[:2] for line in read(ANNOTATIONS).splitlines() if "\t" in line)
    for _, _, name in val:
        if name not in annotated:
            raise DimError(f"{where}: {ANNOTATIONS} lacks val/images/{name}; restore the original file")
        if annotated[name] not in labels:
            wrong = f"is of class {annotated[name]} by {ANNOTATIONS}, which has no images in train/"
            raise DimError(f"{where}: val/images/{name} {wrong}; restore the original file")
    words = dict(line.split("\t", 1) for line in read(WORDS).splitlines() if "\t" in line)
    files = ["/".join(p) for p in train + val]
    known = [labels[wnid] for _, wnid, _, _ in train] + [labels[annotated[p[2]]] for p in val]
    class_names = [words.get(wnid, wnid).split(",")[0].strip() for wnid in wnids]
    sources, of_each = [root + file for file in files], [stamps[file] for file in files]
    return Recipe(sources, decode, files, known, class_names, len(train), False, of_each, to_bytes)
