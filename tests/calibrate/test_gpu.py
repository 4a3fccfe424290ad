"""On an NVIDIA GPU: every family learns what it learns on a CPU, alone and beside others on one card."""

from collections.abc import Sequence
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="needs the extra `calibrate`")
pytest.importorskip("espeakng_loader", reason="needs the extra `calibrate`")

import torch
from test_domains import every_domain, prepared, spec

from calibrate.domains import DOMAINS
from calibrate.engines.gpu_capacity import count_gpus, measure_worker_memory, worker_devices
from calibrate.engines.local import Job, LocalEngine, train_job
from calibrate.sweep.search import end_trainings
from calibrate.sweep.spec import run_id
from calibrate.sweep.trials import memory_trials
from calibrate.types import Corpus, Domain, Training

pytestmark = [pytest.mark.torch, pytest.mark.gpu, pytest.mark.usefixtures("one_thread")]

GPU = "cuda:0"


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


def jobs(domain: Domain, corpus: Corpus) -> Sequence[Job]:
    """Return the smallest training of every family and optimizer."""
    smallest: dict[tuple[str, str], Training] = {}
    for training in sorted(end_trainings(spec(domain, corpus)), key=lambda t: (t.data, t.size)):
        smallest.setdefault((training.family, training.optimizer), training)
    return [
        Job(id=run_id(t), training=t, corpus=corpus, module=domain.module, flops=1.0, time_limit=600.0)
        for t in smallest.values()
    ]


@every_domain
def test_every_family_learns_on_a_gpu_what_it_learns_on_a_cpu(domain: Domain, cache: Path) -> None:
    """Weights and the order of batches follow from the seed alone; rounding and bf16 move it by percents."""
    for job in jobs(domain, prepared(domain, cache)):
        here, there = train_job(job, "cpu"), train_job(job, GPU)
        assert (there.status, there.reason) == ("finished", ""), job.training.family
        assert there.device == torch.cuda.get_device_name(GPU)
        assert there.params == here.params
        assert there.flops == here.flops
        for metric, error in here.metrics.items():
            assert there.metrics[metric] == pytest.approx(error, rel=0.2), (job.training.family, metric)


def test_trainings_share_a_card(cache: Path) -> None:
    """As many workers as the largest trainings leave room for, each with its share of the memory."""
    domain = DOMAINS["image"]
    corpus = prepared(domain, cache)
    largest = memory_trials(spec(domain, corpus))
    assert measure_worker_memory(largest, GPU)
    devices = worker_devices(largest, None)
    assert len(devices) > 1
    assert set(devices) <= {f"cuda:{i}" for i in range(count_gpus())}
    together = {job.id: job for job in jobs(domain, corpus)}
    with LocalEngine(devices) as engine:
        outcomes = [result.outcome for result in engine.run(together.values())]
    assert [outcome.status for outcome in outcomes] == ["finished"] * len(together)
