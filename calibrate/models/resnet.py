"""A residual network with the activation before each convolution, its channels the size.

He et al. 2016, arXiv:1603.05027, with the blocks of two convolutions of He et al. 2015 (arXiv:1512.03385):
four stages, each with twice the channels of the one before. Images of 64 pixels and more are first reduced
by four, as those of ImageNet; smaller ones keep their size in the first stage.
"""

from torch import Tensor, nn
from torch.nn import functional

BLOCKS = {10: (1, 1, 1, 1), 18: (2, 2, 2, 2), 34: (3, 4, 6, 3)}  # depth -> blocks of each stage
MIN_LARGE_SIDE = 64  # pixels from which images are first reduced


class ResNet(nn.Module):
    """A model that scores classes.

    Args:
        width: Channels of the first stage.
        classes: The number of classes.
        depth: 10, 18 or 34.
        channels: Channels of the images.
        side: Pixels of the images in each direction.
    """

    def __init__(self, width: int, classes: int, *, depth: int, channels: int, side: int) -> None:
        super().__init__()
        self.stem: nn.Module
        if side >= MIN_LARGE_SIDE:
            self.stem = nn.Sequential(
                nn.Conv2d(channels, width, 7, 2, padding=3, bias=False), nn.MaxPool2d(3, 2, padding=1)
            )
        else:
            self.stem = nn.Conv2d(channels, width, 3, padding=1, bias=False)
        blocks = []
        inputs = width
        for stage, count in enumerate(BLOCKS[depth]):
            outputs = width * 2**stage
            for index in range(count):
                stride = 2 if stage > 0 and index == 0 else 1
                blocks.append(Block(inputs, outputs, stride))
                inputs = outputs
        self.blocks = nn.Sequential(*blocks)
        self.norm = nn.BatchNorm2d(inputs)
        self.output = nn.Linear(inputs, classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out")

    def forward(self, images: Tensor) -> Tensor:
        """Return the scores of classes.

        Args:
            images: Images (batch, channels, side, side).

        Returns:
            Scores (batch, classes).
        """
        hidden = functional.relu(self.norm(self.blocks(self.stem(images))))
        scores: Tensor = self.output(hidden.mean((2, 3)))
        return scores


class Block(nn.Module):
    """Two convolutions added to their input, which is reshaped where the shapes differ.

    Args:
        inputs: Channels of the input.
        outputs: Channels of the output.
        stride: Of the first convolution.
    """

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.norms = nn.ModuleList((nn.BatchNorm2d(inputs), nn.BatchNorm2d(outputs)))
        self.first = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
        self.second = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.around = (
            nn.Conv2d(inputs, outputs, 1, stride, bias=False) if stride > 1 or inputs != outputs else None
        )

    def forward(self, images: Tensor) -> Tensor:
        """Apply the block.

        Args:
            images: Input (batch, inputs, side, side).

        Returns:
            Output (batch, outputs, side/stride, side/stride).
        """
        before = functional.relu(self.norms[0](images))
        shortcut = self.around(before) if self.around else images
        out: Tensor = shortcut + self.second(functional.relu(self.norms[1](self.first(before))))
        return out
