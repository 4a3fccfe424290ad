"""Ids of runs and sweeps are hashes of their specification: they stay as they are, or no old run is found
again.
"""

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from calibrate.domains import find_domain
from calibrate.sweep.search import planned_trainings
from calibrate.sweep.spec import Spec, run_id
from calibrate.types import Corpus
from laws.types import SizeCost

# domain, preset -> sweep id, number of trainings, hash of their ids; recorded with version 0.1
RECORDED = {
    ("teacher", "smoke"): ("fc7745acb94fb7fb", 6, "2f088b629204e301"),
    ("teacher", "quick"): ("0f92490c9a23ffa9", 72, "12b159b9cb42487d"),
    ("speech", "smoke"): ("0f05614d973d42d5", 6, "74beeb6950ab9780"),
    ("speech", "quick"): ("86f55f1be8fc8cbb", 15, "956709cd35af5532"),
    ("char-lm", "smoke"): ("0291f88c26b4fda4", 12, "4eb64ac445753b13"),
    ("char-lm", "quick"): ("7909f836beb4eb31", 15, "3558d643f4e54dfe"),
    ("word-lm", "smoke"): ("919ac7d98b0350a1", 12, "678719993265a266"),
    ("word-lm", "quick"): ("337852456afbebc4", 20, "b5481d2fef7b8931"),
    ("image", "smoke"): ("7e809c0e3677f573", 12, "b62dd8d509ce6363"),
    ("image", "quick"): ("37c1301c1e2d76a9", 15, "1bc5fb6aadaad3a4"),
    ("translation", "smoke"): ("c3b2311275671c8a", 12, "4c2aaa6dd3836e1d"),
    ("translation", "quick"): ("30abcba964bbd623", 15, "141963aeab57f580"),
}


@pytest.mark.parametrize(("domain", "preset"), RECORDED)
def test_ids_are_those_of_earlier_versions(domain: str, preset: str) -> None:
    row = find_domain(domain)
    sizes = row.presets[preset]
    families = sizes.families or row.families
    spec = Spec(
        domain=row,
        preset_name=preset,
        preset=sizes,
        families=families,
        seed=3,
        corpus=Corpus(folder=Path("nowhere"), fingerprint="f" * 16, available=1e12),
        ladder={
            family: tuple(SizeCost(size=s, params=s * s, flops=6.0 * s * s) for s in sizes.sizes[family])
            for family in families
        },
    )
    ids = [run_id(training) for training in planned_trainings(spec, ())]
    digest = hashlib.sha256(" ".join(ids).encode()).hexdigest()[:16]
    assert (spec.id, len(ids), digest) == RECORDED[domain, preset]


def test_the_name_of_another_embedded_corpus_is_stored_and_the_usual_one_is_not() -> None:
    usual = find_domain("speech").presets["quick"]
    assert "corpus" not in usual.specification
    assert replace(usual, corpus="grammar").specification == {**usual.specification, "corpus": "grammar"}
