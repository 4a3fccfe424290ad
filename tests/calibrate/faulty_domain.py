"""A domain whose trainings go wrong in a chosen way: the size says how. Imported by workers."""

import os
import signal
import time
from pathlib import Path

from calibrate.engines.local import Job
from calibrate.sweep.spec import run_id
from calibrate.types import Corpus, Training
from laws.errors import CorpusError

FINE, DIES_ONCE, DIES_ALWAYS, HANGS, NO_MEMORY, BROKEN_DATA, NOT_FINITE, BUG, EATS, SLOW, LARGE, TUNED = (
    range(1, 13)
)
LARGE_BYTES = 400 * 2**20  # that a training of the kind LARGE holds


def job(kind: int, folder: Path, name: str = "") -> Job:
    """Return a job that ends as `kind` says."""
    training = Training(
        domain="faulty",
        version=1,
        family="none",
        optimizer="sgd",
        size=kind,
        data=4,
        learning_rate=0.1,
        batch_size=1,
        epochs=3,
        max_samples=100,
        seed=0,
        fingerprint="",
    )
    corpus = Corpus(folder=folder, fingerprint="", available=4)
    return Job(
        id=name or str(kind), training=training, corpus=corpus, module="faulty_domain", flops=1, time_limit=1
    )


class Task:
    def __init__(self, training, corpus):
        import torch

        self.empty = torch.empty
        self.kind, self.data, self.rate = training.size, training.data, training.learning_rate
        torch.manual_seed(training.seed)
        self.model = torch.nn.Linear(1, 1)
        self.batch = torch.ones(1, 1)
        self.folder = notes(corpus)
        if self.kind == LARGE:
            self.held = torch.ones(LARGE_BYTES // 4)

    def batches(self, seed):
        if self.kind == DIES_ONCE and not (self.folder / "died").exists():
            (self.folder / "died").touch()
            os.kill(os.getpid(), signal.SIGKILL)
        if self.kind == DIES_ALWAYS:
            os._exit(7)
        if self.kind == HANGS:
            (self.folder / "worker").write_text(str(os.getpid()))
            time.sleep(600)
        if self.kind == NO_MEMORY:
            raise MemoryError
        if self.kind == EATS:
            eaten = []
            while True:
                eaten.append(self.empty(2**26))
        if self.kind == BROKEN_DATA:
            raise CorpusError("a.flac: broken")
        if self.kind == BUG:
            raise KeyError("no such thing")
        for _ in range(4):
            time.sleep(0.1 if self.kind == SLOW else 0)
            yield self.batch, 1.0

    def loss(self, batch):
        loss = self.model(batch).square().mean()
        return loss * float("nan") if self.kind == NOT_FINITE else loss

    def evaluate(self):
        if self.kind == SLOW:  # a curve that a law can be fitted to
            return {"error": self.data**-0.3}
        if self.kind == TUNED:  # the higher the rate the better
            return {"error": self.data**-0.3 * 0.1 / self.rate}
        return {"error": float(self.model.weight.abs())}


def notes(corpus):
    """Return where trainings leave notes: the corpus itself, or the folder that its file `notes` names."""
    elsewhere = corpus.folder / "notes"
    return Path(elsewhere.read_text()) if elsewhere.exists() else corpus.folder


def task(training, corpus, device):
    with (notes(corpus) / "started").open("a") as log:
        log.write(run_id(training) + "\n")
    return Task(training, corpus)
