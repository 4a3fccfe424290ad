"""A corpus that is prepared larger has the same validation set and begins with the same training data.

`planner verify` relies on it: a training on more data is compared with a curve of less.
"""

from itertools import islice

import pytest

torch = pytest.importorskip("torch")

from calibrate import domains  # noqa: E402 - torch may be missing
from calibrate.sweep.search import end_trainings  # noqa: E402
from planner.sources.calibrate import prepare_sweep  # noqa: E402
from planner.sources.calibrate_request import CalibrationRequest  # noqa: E402

pytestmark = pytest.mark.torch
BATCHES = 3


@pytest.mark.parametrize(
    "domain",
    [pytest.param(name, marks=[] if name == "teacher" else pytest.mark.slow) for name in domains.DOMAINS],
)
def test_more_data_extends_the_same_corpus(domain, tmp_path):
    request = CalibrationRequest(
        domain=domain, preset="smoke", families=(), data=None, store=tmp_path / "store",
        cache=tmp_path / "cache", seed=0, workers=1,
    )  # fmt: skip
    small, code = prepare_sweep(request, lambda *_: None)
    largest = small.preset.shards[-1]
    large, _ = prepare_sweep(request, lambda *_: None, shard=2 * largest, follows=small.corpus)
    assert large.preset.shards == (2 * largest,)
    assert small.corpus.fingerprint != large.corpus.fingerprint
    training = next(one for one in end_trainings(small) if one.data == largest)
    tasks = [code.task(training, spec.corpus, "cpu") for spec in (small, large)]
    with torch.no_grad():
        metrics = [task.evaluate() for task in tasks]
    assert metrics[0] == pytest.approx(metrics[1], rel=1e-6)
    batches = [[batch for batch, _ in islice(task.batches(seed=1), BATCHES)] for task in tasks]
    assert same(*batches)


def same(one, other):
    """Return whether two nested values of tensors are equal."""
    if isinstance(one, torch.Tensor):
        return torch.equal(one, other)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other
