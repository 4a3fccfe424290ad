"""Image classification: how errors fall with images."""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional

from calibrate.data.prepared import description
from calibrate.domains.image.corpus import prepare, read_split
from calibrate.models.resnet import ResNet
from calibrate.models.vit import ViT
from calibrate.training.flops import FORWARD_TO_TRAINING, forward_flops, size_cost
from calibrate.types import Corpus, Training
from laws.types import SizeCost

__all__ = ["ImageTask", "ladder", "prepare", "task"]

LAYERS = 6
TOP = 5
_SCORED_TOGETHER = 512  # images

MODELS: dict[str, Callable[[int, int, int, int], nn.Module]] = {
    **{
        f"resnet{depth}": lambda width, classes, channels, side, depth=depth: ResNet(  # type: ignore[misc]
            width, classes, depth=depth, channels=channels, side=side
        )
        for depth in (10, 18, 34)
    },
    "vit": lambda width, classes, channels, side: ViT(
        width, classes, layers=LAYERS, channels=channels, side=side
    ),
}


def task(training: Training, corpus: Corpus, device: str) -> "ImageTask":
    """Open a shard of a corpus and build the model with the training's seed.

    Args:
        training: The family, width, images of data and seed.
        corpus: A prepared corpus.
        device: A torch device.

    Returns:
        The training.
    """
    torch.manual_seed(training.seed)
    described = description(corpus.folder)
    model = _model(training.family, training.size, described)
    return ImageTask(
        # oneDNN and cuDNN are faster where the channels of a pixel are neighbors in memory
        model=model.to(device, memory_format=torch.channels_last),  # type: ignore[call-overload]
        training=_tensors(corpus, "training", training.data, device),
        validation=_tensors(corpus, "validation", None, device),
        mean=torch.tensor(described["mean"], device=device)[:, None, None],
        deviation=torch.tensor(described["deviation"], device=device)[:, None, None],
        batch_size=training.batch_size,
    )


def ladder(family: str, sizes: tuple[int, ...], corpus: Corpus) -> tuple[SizeCost, ...]:
    """Count what each width costs, on torch's device meta.

    Args:
        family: A name in MODELS.
        sizes: Widths.
        corpus: A prepared corpus, for the shape of its images and its classes.

    Returns:
        For each width its parameters, training FLOP per image, and bytes with Adam's state.
    """
    described = description(corpus.folder)
    return tuple(_size_cost(family, size, described) for size in sizes)


def _model(family: str, size: int, described: dict[str, object]) -> nn.Module:
    channels, side, classes = described["channels"], described["side"], described["classes"]
    return MODELS[family](size, len(classes), channels, side)  # type: ignore[arg-type]


def _size_cost(family: str, size: int, described: dict[str, object]) -> SizeCost:
    with torch.device("meta"):
        model = _model(family, size, described).eval()
        shape = (1, described["channels"], described["side"], described["side"])
        flops = forward_flops(model, torch.empty(shape))  # type: ignore[arg-type]
    return size_cost(size, model, FORWARD_TO_TRAINING * flops)


def _tensors(corpus: Corpus, split: str, count: float | None, device: str) -> tuple[Tensor, Tensor]:
    images, classes = read_split(corpus.folder, split, count)
    return torch.from_numpy(images).to(device), torch.from_numpy(classes).to(device)


class ImageTask:
    """One training of a classifier on a shard; images are shown as they are, without augmentation."""

    def __init__(
        self,
        *,
        model: nn.Module,
        training: tuple[Tensor, Tensor],
        validation: tuple[Tensor, Tensor],
        mean: Tensor,
        deviation: Tensor,
        batch_size: int,
    ) -> None:
        self.model = model
        self.training = training
        self.validation = validation
        self.mean, self.deviation = mean, deviation
        self.batch_size = batch_size

    def batches(self, seed: int) -> Iterator[tuple[tuple[Tensor, Tensor], float]]:
        """Go through the shard once.

        An image that would be a batch of its own is left out: a batch of one has no variance.

        Args:
            seed: Decides the order.

        Yields:
            (Images (batch, channels, side, side), their classes (batch,)), and the number of images.
        """
        images, classes = self.training
        order = torch.randperm(len(images), generator=torch.Generator().manual_seed(seed)).to(images.device)
        for chosen in torch.split(order, self.batch_size):
            if len(chosen) > 1:
                yield (self._normalized(images[chosen]), classes[chosen].long()), float(len(chosen))

    def loss(self, batch: tuple[Tensor, Tensor]) -> Tensor:
        """Return the mean cross-entropy.

        Args:
            batch: Normalized images (batch, channels, side, side) and their classes (batch,).

        Returns:
            The loss, a scalar, nats per image.
        """
        images, classes = batch
        return functional.cross_entropy(self.model(images).float(), classes)

    @torch.no_grad()
    def evaluate(self) -> dict[str, float]:
        """Return "error", "top5-error" and "loss" of the whole validation set."""
        images, classes = self.validation
        wrong, beyond, nats = (torch.zeros((), dtype=torch.float64, device=images.device) for _ in range(3))
        for batch, labels in zip(
            torch.split(images, _SCORED_TOGETHER), torch.split(classes.long(), _SCORED_TOGETHER), strict=True
        ):
            scores = self.model(self._normalized(batch)).float()
            ranked = scores.topk(min(TOP, scores.shape[1])).indices == labels[:, None]
            wrong += (~ranked[:, 0]).sum()
            beyond += (~ranked.any(1)).sum()
            nats += functional.cross_entropy(scores, labels, reduction="sum")
        count = len(images)
        return {
            "error": float(wrong) / count,
            "top5-error": float(beyond) / count,
            "loss": float(nats) / count,
        }

    def _normalized(self, images: Tensor) -> Tensor:
        normal = (images.float() / 255 - self.mean) / self.deviation
        return normal.contiguous(memory_format=torch.channels_last)
