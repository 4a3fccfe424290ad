"""A small vision Transformer, its width the size.

Dosovitskiy et al. 2020, arXiv:2010.11929, with the mean over patches in place of a class token (Beyer et al.
2022, arXiv:2205.01580) and learned positions; no dropout.
"""

import torch
from torch import Tensor, nn

from calibrate.models.transformer import INITIAL_DEVIATION, Block


def patch(side: int) -> int:
    """Return the side of a patch: about a sixth of the image's, so that there are about 36 patches.

    Args:
        side: Pixels of an image in each direction.

    Returns:
        Pixels of a patch.
    """
    return max(1, round(side / 6))


class ViT(nn.Module):
    """A model that scores classes of images, which it cuts into square patches.

    Args:
        width: Of every layer.
        classes: The number of classes.
        layers: The number of blocks.
        channels: Channels of the images.
        side: Pixels of the images in each direction.
    """

    def __init__(self, width: int, classes: int, *, layers: int, channels: int, side: int) -> None:
        super().__init__()
        size = patch(side)
        # an image that is not a whole number of patches is padded with zeros
        self.embedding = nn.Conv2d(channels, width, size, size, padding=(-side % size + 1) // 2)
        patches = ((side + 2 * ((-side % size + 1) // 2)) // size) ** 2
        self.positions = nn.Parameter(torch.empty(patches, width))
        self.blocks = nn.Sequential(*(Block(width, layers, causal=False) for _ in range(layers)))
        self.norm = nn.LayerNorm(width)
        self.output = nn.Linear(width, classes)
        nn.init.normal_(self.positions, std=INITIAL_DEVIATION)

    def forward(self, images: Tensor) -> Tensor:
        """Return the scores of classes.

        Args:
            images: Images (batch, channels, side, side).

        Returns:
            Scores (batch, classes).
        """
        hidden = self.embedding(images).flatten(2).transpose(1, 2) + self.positions
        scores: Tensor = self.output(self.norm(self.blocks(hidden)).mean(1))
        return scores
