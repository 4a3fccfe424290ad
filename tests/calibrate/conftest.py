"""What several tests of trainings need."""

from collections.abc import Iterator

import pytest


@pytest.fixture
def one_thread() -> Iterator[None]:
    """As in a sweep: threads that wait for a busy core make small matrices slower, not faster."""
    import torch  # not there without the extra `calibrate`

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
