"""The rival does the same work."""

import math

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from experiments.benchmark import torch_step  # noqa: E402


@pytest.mark.parametrize(
    ("preset", "variant", "precision"),
    [
        ("seed", "eager", "float32"),
        ("seed", "channels-last", "mixed_bfloat16"),
        ("dim", "eager", "mixed_bfloat16"),
        ("dim", "channels-last", "float32"),
    ],
)
def test_a_step_changes_every_weight(preset, variant, precision):
    model = torch_step.DeepInfoMax(preset, image_size=16, variant=variant)
    images = torch.randint(0, 256, (6, 16, 16, 3), dtype=torch.uint8, device=next(model.parameters()).device)
    before = [p.detach().clone() for p in model.parameters()]
    torch_step.training(model, precision, images, variant)()
    for (name, p), old in zip(model.named_parameters(), before, strict=True):
        batch_normalised = name.endswith(".bias") and p.grad.abs().max() < 1e-6  # such a bias has no effect
        assert batch_normalised or not torch.equal(p, old), name


@pytest.mark.parametrize("preset", ["seed", "dim"])
def test_it_has_our_number_of_weights(preset):
    from dim.methods.build import build_model
    from dim.presets import PRESETS

    ours = build_model(PRESETS[preset]())
    theirs = torch_step.DeepInfoMax(preset)
    assert sum(p.numel() for p in theirs.parameters()) == sum(
        math.prod(v.shape) for v in ours.trainable_variables
    )


def test_encode_and_dot_scores_each_code_with_each_location():
    B, D, C, L = 5, 3, 4, 2
    critic = torch_step.EncodeAndDot(D, C, units=6).eval()
    code, features = torch.randn(B, D), torch.randn(B, L, C)
    with torch.no_grad():
        positive, negative = critic(code, features)
        p, q = critic.code(code), critic.feature(features.reshape(B * L, C)).reshape(B, L, 6)
    for i in range(B):
        for j in range(B):
            for k in range(L):
                score = float(p[i] @ q[j, k]) / math.sqrt(6)
                if i == j:
                    assert positive[i, k] == pytest.approx(score, abs=1e-5) and negative[i, j, k] == -math.inf
                else:
                    assert negative[i, j, k] == pytest.approx(score, abs=1e-5)


def test_codes_of_a_data_set_come_as_one_array():
    runs, _ = torch_step.encode("float32", count=7, batch_size=3, image_size=16, variant="channels-last")
    codes = runs["encode"]()
    assert codes.shape == (7, 256) and codes.dtype == np.float32


def test_views_stay_images():
    views = torch_step.views(batch_size=4, image_size=16, variant="channels-last")[0]["views"]()
    assert views.shape == (4, 3, 16, 16) and views.abs().max() <= 1
