"""Errors in where images come from, in which order, and in what is kept of a run."""

from edits import edits_of

EDITS = [
    *edits_of(
        "dim/data/batches.py",
        "tests/data/test_batches.py",
        ("the seed ignored", "default_rng([self.seed, epoch])", "default_rng([0, epoch])"),
        ("the same order in every epoch", "default_rng([self.seed, epoch])", "default_rng([self.seed, 0])"),
        ("a resumed run begins anew", "divmod(self.first + index,", "divmod(index,"),
        ("labels in their own order", "self.labels[rows])", "self.labels[np.sort(rows)])"),
        ("batches that overlap", "(step + 1) * self.batch_size]", "(step + 2) * self.batch_size]"),
        (
            "the last images in order left out",
            "math.ceil(len(self.images) / self.batch_size)",
            "len(self.images) // self.batch_size",
        ),
        ("labels held after use", "if isinstance(value, np.ndarray):", 'if name == "images":'),
    ),
    *edits_of(
        "dim/data/class_batches.py",
        "tests/data/test_class_batches.py",
        ("the seed ignored", "default_rng([self.seed, epoch])", "default_rng([0, epoch])"),
        ("a resumed run begins anew", "divmod(self.first + index,", "divmod(index,"),
        ("cards dealt twice", "self.left[count:]", "self.left[count - 1 :]"),
        ("never shuffled", "self.rng.permutation(self.cards)", "self.cards"),
        ("one class too few accepted", "if len(names) < classes:", "if len(names) + 1 < classes:"),
    ),
    *edits_of(
        "dim/data/cache.py",
        "tests/data/test_cache.py",
        (
            "one cache for all sizes",
            "json.dumps([_FORMAT, size, made_from])",
            "json.dumps([_FORMAT, made_from])",
            "the size is in the folder's name as well",
        ),
        (
            "one cache whatever it is made from",
            "json.dumps([_FORMAT, size, made_from])",
            "json.dumps([_FORMAT, size])",
        ),
        (
            "unreadable images count as training images",
            '"train": sum(i < recipe.train for i in kept)',
            '"train": recipe.train',
        ),
        (
            "labels beside other images",
            "int(recipe.labels[i]) for i in kept",
            "int(recipe.labels[i]) for i in range(len(kept))",
        ),
        ("names beside other images", "[recipe.names[i] for i in kept]", "list(recipe.names[: len(kept)])"),
        ("validation images begin one late", "split(slice(train, None))", "split(slice(train + 1, None))"),
        ("two in a hundred tolerated", "_TOLERATED = 0.01", "_TOLERATED = 0.02"),
    ),
    *edits_of(
        "dim/data/decode.py",
        "tests/data/test_decode.py",
        ("EXIF rotation ignored", "to_rgb(ImageOps.exif_transpose(image))", "to_rgb(image)"),
        ("transparency over black", '"white")', '"black")'),
        ("16 bits cut off", "np.asarray(image) >> 8", "np.asarray(image)"),
        (
            "squeezed in place of cropped",
            "ImageOps.fit(image, (size, size), Image",
            "image.resize((size, size), Image",
        ),
        (
            "a JPEG decoded too small",
            "image.draft(None, (size, size))",
            "image.draft(None, (size // 2, size // 2))",
        ),
    ),
    *edits_of(
        "dim/data/image_folder.py",
        "tests/data/test_image_folder.py",
        ("hidden images listed", 'not name.startswith(".") and Path(name)', "Path(name)"),
        ("names in the order of the disk", "return sorted(found)", "return sorted(found, reverse=True)"),
        ("capital endings unknown", "Path(name).suffix.lower()", "Path(name).suffix"),
        ("one folder is a class", "if len(class_names) < 2:", "if len(class_names) < 1:"),
        (
            "labels below train/ are train/",
            'name.split("/", 1)[1] for name in names',
            "name for name in names",
        ),
    ),
    *edits_of(
        "dim/data/tiny_imagenet.py",
        "tests/data/test_tiny_imagenet.py",
        ("all words of a class", '.split(",")[0].strip() for', ".strip() for"),
        (
            "validation labels of other images",
            "labels[annotated[p[2]]] for p in val",
            "labels[annotated[p[2]]] for p in reversed(val)",
        ),
        (
            "validation images first",
            '["/".join(p) for p in train + val],\n        decode',
            '["/".join(p) for p in val + train],\n        decode',
        ),
        ("validation images are training images", "train=len(train),", "train=len(train) + len(val),"),
    ),
    *edits_of(
        "dim/data/picture.py",
        "tests/data/test_picture.py",
        ("white for what is not there", "_GREY = 224", "_GREY = 255"),
        (
            "sources beside other names",
            "zip(recipe.names, recipe.sources",
            "zip(recipe.names, recipe.sources[::-1]",
        ),
    ),
    *edits_of(
        "dim/data/photo_patches.py",
        "tests/data/test_photo_patches.py",
        ("validation crops from the whole photograph", "_TRAIN_SHARE, 1.0)", "0.0, 1.0)"),
        (
            "labels of the photograph before",
            "class_names.index(crop.photograph)",
            "class_names.index(crop.photograph) - 1",
        ),
        ("another seed", "np.random.default_rng(0)", "np.random.default_rng()"),
    ),
    *edits_of(
        "dim/data/download.py",
        "tests/data/test_download.py",
        ("goes on over what it has", '"ab" if done else "wb"', '"wb"'),
        ("begins behind what a server starts anew", "            done = 0\n", "            pass\n"),
        ("any digest accepted", "if found != size or digest != md5:", "if found != size:"),
    ),
    *edits_of(
        "dim/files.py",
        "tests/test_files.py",
        ("written in place", "write(unfinished)", "write(file)"),
        ("half a file left behind", "unfinished.unlink(missing_ok=True)", "pass"),
    ),
    *edits_of(
        "dim/training/run.py",
        "tests/training/test_run.py",
        ("the oldest run", "newest = max(", "newest = min("),
        ("an epoch logged twice", "< _epoch_of(line) < epoch", "< _epoch_of(line) <= epoch"),
        (
            "a cosine schedule may grow",
            '_MAY_CHANGE if configuration.schedule == "constant" else set()',
            "_MAY_CHANGE",
        ),
        (
            "other data go on unnoticed",
            "if old == new:",
            "if True:",
        ),
    ),
    *edits_of(
        "dim/training/callbacks.py",
        "tests/training/test_callbacks.py",
        ("room for one copy asked", "needed = 2 * sum(", "needed = 0 * sum("),
        ("an infinite loss goes on", "if not math.isfinite(loss):", "if math.isnan(loss):"),
        (
            "weights not looked at",
            "if not all(np.isfinite(weight).all()",
            "if not all(np.isfinite(weight).any()",
        ),
        ("epochs logged from 0", "self.run.log_epoch(epoch + 1,", "self.run.log_epoch(epoch,"),
        (
            "an epoch too many is kept",
            "_kept(self.epoch)}; try",
            "_kept(self.epoch + 1)}; try",
        ),
    ),
    *edits_of(
        "dim/configuration.py",
        "tests/test_configuration.py",
        ("a crop of nothing", "if not 0 < self.crop <= 1:", "if not 0 <= self.crop <= 1:"),
        ("no whole crop", "if not 0 < self.crop <= 1:", "if not 0 < self.crop < 1:"),
        (
            "as many negatives as images",
            "if self.negatives >= self.batch_size:",
            "if self.negatives > self.batch_size:",
        ),
        ("an image that is hidden whole", "if self.occlusion >= 1:", "if self.occlusion > 1:"),
        (
            "no room for two classes of exactly that size",
            "self.batch_size < 2 * self.per_class",
            "self.batch_size <= 2 * self.per_class",
        ),
        (
            "more classes than there are",
            "min(self.batch_size // self.per_class, classes)",
            "self.batch_size // self.per_class",
        ),
        ("infinite settings", '< float("inf"):', '<= float("inf"):'),
    ),
]
