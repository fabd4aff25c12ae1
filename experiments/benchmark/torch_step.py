"""The rival: the same networks in PyTorch, as one would write them there, and the tasks that run them.

Encoder, critics, objectives, prior, views and optimiser are those of the presets `seed` and `dim`. Nothing
here imports the rest of the project, so that it runs where only PyTorch is installed.
"""

import math
from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional as F

VARIANTS = "eager", "channels-last", "compiled"
_DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def encoder_blocks(image_size):
    blocks = int(math.log2(image_size / 4))
    widths = [3, *(256 // 2**block for block in reversed(range(blocks)))]
    below = [layer for pair in pairwise(widths) for layer in (*_convolved(*pair), nn.MaxPool2d(2))]
    return nn.Sequential(*below), nn.Sequential(*_convolved(256, 256), *_convolved(256, 256))


def _convolved(width, out):
    return nn.Conv2d(width, out, 3, padding=1), nn.BatchNorm2d(out), nn.LeakyReLU(0.2)


class ResidualProjection(nn.Module):
    def __init__(self, width, units):
        super().__init__()
        self.hidden = nn.Linear(width, units, bias=False)
        self.normalise = nn.BatchNorm1d(units)
        self.output = nn.Linear(units, units)
        self.shortcut = nn.Linear(width, units, bias=False)
        self.normalise_output = nn.LayerNorm(units)

    def forward(self, x):  # [rows, width]
        hidden = F.relu(self.normalise(self.hidden(x)))
        return self.normalise_output(self.output(hidden) + self.shortcut(x))


class EncodeAndDot(nn.Module):
    def __init__(self, D, C, units=512):
        super().__init__()
        self.units = units
        self.code, self.feature = ResidualProjection(D, units), ResidualProjection(C, units)

    def forward(self, code, features):
        B, L, C = features.shape
        p, q = self.code(code), self.feature(features.reshape(B * L, C))
        scores = (p @ q.T).float().reshape(B, B, L) / self.units**0.5
        true = torch.eye(B, dtype=torch.bool, device=scores.device)
        return scores.diagonal().T, scores.masked_fill(true[:, :, None], -torch.inf)


class Concatenate(nn.Module):
    def __init__(self, D, C):
        super().__init__()
        pairs = pairwise([D + C, 256, 256, 256])
        layers = [layer for pair in pairs for layer in (nn.Linear(*pair), nn.ReLU())]
        self.score = nn.Sequential(*layers, nn.Linear(256, 1))

    def forward(self, code, features):
        code = code[:, None].expand(-1, features.shape[1], -1)
        positive = self.score(torch.cat([code, features], -1))
        negative = self.score(torch.cat([code, features.roll(-1, 0)], -1))
        return positive.float(), negative.float()


def info_nce(positive, negative):
    others = torch.logsumexp(negative, dim=(1, 2))[:, None]
    return F.softplus(others - positive).mean()


def jensen_shannon(positive, negative):
    return F.softplus(-positive).mean() + F.softplus(negative).mean()


def random_view(images):
    """[B, 3, H, W] float in [-1, 1] to the same: crop, mirror, brightness, contrast, channels, grey."""
    B, device = len(images), images.device

    def uniform(low, high, *shape):
        return torch.empty(B, *shape, device=device).uniform_(low, high)

    side, stretch = uniform(0.3, 1).sqrt(), uniform(-math.log(4 / 3) / 2, math.log(4 / 3) / 2).exp()
    height, width = (side * stretch).clamp(max=1), (side / stretch).clamp(max=1)
    mirror = torch.where(uniform(0, 1) < 0.5, -1.0, 1.0)
    zero = torch.zeros_like(width)
    across = torch.stack([width * mirror, zero, uniform(-1, 1) * (1 - width)], 1)
    down = torch.stack([zero, height, uniform(-1, 1) * (1 - height)], 1)
    grid = F.affine_grid(torch.stack([across, down], 1), images.shape, align_corners=False)
    x = F.grid_sample(images, grid, padding_mode="border", align_corners=False) / 2 + 0.5
    x = x * (uniform(0.6, 1.4, 1, 1, 1) * uniform(0.8, 1.2, 3, 1, 1))
    grey = (0.299 * x[:, :1] + 0.587 * x[:, 1:2] + 0.114 * x[:, 2:]).expand_as(x)
    x = torch.where(uniform(0, 1, 1, 1, 1) < 0.2, grey, x)
    mean = x.mean((2, 3), keepdim=True)
    return (mean + uniform(0.6, 1.4, 1, 1, 1) * (x - mean)).clamp(0, 1) * 2 - 1


def scaled(images):  # [B, H, W, 3] uint8
    return images.permute(0, 3, 1, 2).float() / 127.5 - 1


class DeepInfoMax(nn.Module):
    """Preset `seed` or `dim` on its device, laid out as the variant says; the forward pass is the loss."""

    def __init__(self, preset, image_size=64, variant="eager"):
        super().__init__()
        self.preset = preset
        self.memory_format = torch.contiguous_format if variant == "eager" else torch.channels_last
        self.below, self.above = encoder_blocks(image_size)
        self.mean, self.log_variance = nn.Linear(256, 256), nn.Linear(256, 256)
        side = image_size >> int(math.log2(image_size / 4))
        if preset == "seed":
            self.local_critic, self.global_critic = Concatenate(256, 256), Concatenate(256, 256)
            self.objective, self.weights = jensen_shannon, (0.5, 1.5, 0.01)
        else:
            self.local_critic = EncodeAndDot(256, 256)
            self.global_critic = EncodeAndDot(256, 256 * side * side)
            self.objective, self.weights = info_nce, (0.5, 1.0, 0.01)
        self.to(_DEVICE).to(memory_format=self.memory_format)

    def encode(self, images):
        feature_map = self.below(images.contiguous(memory_format=self.memory_format))
        x = self.above(feature_map).amax((2, 3)).float()
        return feature_map, self.mean(x), self.log_variance(x)

    def forward(self, images):  # [B, H, W, 3] uint8
        x = scaled(images)
        views = 1 if self.preset == "seed" else 2
        if views == 2:
            x = torch.cat([random_view(x), random_view(x)])
        feature_map, mean, log_variance = self.encode(x)
        code = mean + torch.exp(log_variance / 2) * torch.randn_like(mean)
        locations = feature_map.flatten(2).transpose(1, 2)
        summary = code[:, None] if self.preset == "seed" else feature_map.flatten(1)[:, None]
        prior = 0.5 * (mean**2 + log_variance.expm1() - log_variance).mean()

        def term(critic, features):
            pairs = zip(code.chunk(views), reversed(features.chunk(views)), strict=True)
            return sum(self.objective(*critic(one, other)) for one, other in pairs) / views

        alpha, beta, gamma = self.weights
        terms = alpha * term(self.global_critic, summary) + beta * term(self.local_critic, locations)
        return gamma * prior + terms


def step(preset, precision, batch_size, image_size, variant):
    torch.manual_seed(0)
    model, images = DeepInfoMax(preset, image_size, variant), _random_images(batch_size, image_size)
    return {"step": training(model, precision, images, variant)}, {}


def training(model, precision, images, variant):
    """A full training step on one batch. Called, it trains; on a GPU the work may go on afterwards."""
    loss_of, decay = _compiled(model, variant), 0.0 if model.preset == "seed" else 0.01
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3, weight_decay=decay, fused=True)

    def train():
        with _computing_in(precision):
            loss = loss_of(images)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return train


def views(batch_size, image_size, variant):
    """One random view of each image of a batch."""
    images = _random_images(batch_size, image_size)
    draw = _compiled(lambda images: random_view(scaled(images)), variant)
    return {"views": torch.inference_mode()(lambda: draw(images))}, {}


def encode(precision, count, batch_size, image_size, variant):
    """The codes of a data set in memory, batch by batch, as an array in memory."""
    model, images = DeepInfoMax("dim", image_size, variant).eval(), _random_images(count, image_size, "cpu")
    encoder = _compiled(lambda images: model.encode(scaled(images))[1], variant)

    @torch.inference_mode()
    def run():
        with _computing_in(precision):
            codes = [encoder(batch.to(_DEVICE, non_blocking=True)) for batch in images.split(batch_size)]
            return torch.cat(codes).float().cpu().numpy()

    return {"encode": run}, {}


def _compiled(work, variant):
    torch.set_float32_matmul_precision("high")
    torch.backends.cudnn.benchmark = True
    return torch.compile(work) if variant == "compiled" else work


def _computing_in(precision):
    return torch.autocast(_DEVICE, torch.bfloat16, enabled=precision == "mixed_bfloat16")


def _random_images(count, image_size, device=_DEVICE):
    return torch.randint(0, 256, (count, image_size, image_size, 3), dtype=torch.uint8, device=device)


def describe():
    card = f" on {torch.cuda.get_device_name()}" if _DEVICE == "cuda" else ""
    return {}, {"variants": VARIANTS, "version": f"torch {torch.__version__}{card}"}


def forget():
    torch._dynamo.reset()
    if _DEVICE == "cuda":
        torch.cuda.empty_cache()


def wait(_):
    if _DEVICE == "cuda":
        torch.cuda.synchronize()
