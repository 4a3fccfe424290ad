"""The laws that ship: each can be read, stands on runs that ship with it, and is what those runs say."""

import dataclasses
from functools import cache

import numpy as np
import pytest
from stored import law, law_file, run, sweep

from calibrate.domains import DOMAINS
from calibrate.sweep.best_model import best_models
from laws.build import points_of
from laws.catalog import bundle
from laws.catalog.bundled import STEP, BundledLaws, bundled_laws, locate_law
from laws.errors import StoreError
from laws.fitting.fit import fit, fit_single_form
from laws.fitting.forms import FORMS
from laws.forecasting.forecast import forecast
from laws.forecasting.priors import bundled_prior
from laws.storage import records
from laws.storage.store import Store
from laws.types import FORECAST, Law, Run, Sweep

ROWS = bundled_laws().laws()
each_law = pytest.mark.parametrize("id", [row.id for row in ROWS])


@cache
def sweeps() -> dict[str, tuple[Sweep, tuple[Run, ...]]]:
    return {plan.id: (plan, runs) for plan, runs in bundled_laws().sweeps()}


def behind(found: Law) -> list[Run]:
    """Return all runs of a law's family in its sweep."""
    return [each for each in sweeps()[found.provenance["sweep"]][1] if each.family == found.family]


@each_law
def test_a_shipped_law_is_whole_and_what_the_list_says(id):
    found = bundled_laws().law(id)
    checked_again = records.validate(records.encode(found), Law)  # its content is what its id says
    assert dataclasses.replace(checked_again, paths=found.paths) == found
    np.testing.assert_allclose(checked_again.paths, found.paths, atol=1e-5)  # files hold four bytes a number
    row = next(row for row in ROWS if row.id == id)
    names = set(row._fields) - {"sequence"}  # a store gives it
    assert all(getattr(found, name) == getattr(row, name) for name in names)
    assert found.source == "shipped"
    assert {"corpus", "code", "sweep", "preset", "device", "torch", "command", "trained"} <= set(
        found.provenance
    )
    assert 100 <= len(next(iter(found.parameters.values()))) <= bundle.MAX_SAMPLES


@each_law
def test_a_shipped_law_stands_on_runs_that_ship_with_it(id):
    """The points that it was fitted to are the best-fit models of those runs."""
    found = bundled_laws().law(id)
    plan, runs = sweeps()[found.provenance["sweep"]]
    known = {each.id: each for each in runs}
    assert set(found.runs) <= set(known)
    assert (
        {known[each].fingerprint for each in found.runs} == {plan.fingerprint} == {found.provenance["corpus"]}
    )
    assert {known[each].status for each in found.runs} == {"finished"}
    if found.x != "data" or "fit" in found.provenance:
        return  # not of best-fit models
    metric = next(iter(DOMAINS[found.domain].metrics))
    bests = {best.data: best for best in best_models(behind(found), metric, plan.seed)}
    for x, y in zip(found.points["x"], found.points["y"], strict=True):
        told = {**bests[x].metrics, "params": bests[x].params, "samples": bests[x].samples}
        assert told[found.metric] == y


def draws(found: Law) -> np.ndarray:
    """Return draws (n, 2) of log y at the largest measured data and at ten times that."""
    places = np.log(found.x_range[1]) + np.array([0.0, np.log(10)])
    return np.array([[np.interp(place, found.grid, path) for place in places] for path in found.paths])


def refitted(found: Law) -> np.ndarray:
    """Return the same of a fit, by another seed, to the points of a shipped law."""
    points = points_of(found)
    seed = int(found.provenance["seed"]) + 1
    places = np.exp(np.log(found.x_range[1]) + np.array([0.0, np.log(10)]))
    if found.form == FORECAST:
        return forecast(points, seed=seed, prior=bundled_prior("sweep")).paths(places)
    told = (
        fit_single_form(points, seed=seed)
        if found.form == "power-floor"
        else fit(points, found.form, seed=seed)
    )
    return FORMS[told.form].log_y(places, told.parameters)


def off(one: np.ndarray, other: np.ndarray) -> float:
    """Return how far two sets of draws are apart, in standard errors of 400 draws held against 400.

    Of each set the share below the quantiles 5, 50 and 95 % of the other: a share says the same of a long
    tail as of a short one. Draws that lie within the rounding of paths count as it suits them.
    """
    levels = np.array([0.05, 0.5, 0.95])
    error = np.sqrt(levels * (1 - levels) * (2 / 400))[:, None]
    apart = []
    for mine, theirs in ((one, other), (other, one)):
        ends = np.quantile(mine, levels, axis=0)
        least = (theirs[:, None] < ends - 2 * STEP).mean(0)
        most = (theirs[:, None] < ends + 2 * STEP).mean(0)
        apart.append(np.maximum(least - levels[:, None], levels[:, None] - most) / error)
    return float(np.max(apart))


def agrees(id: str) -> None:
    """Hold a shipped law against a refit within Monte-Carlo error: of 12 shares none is off by four errors.

    Of a forecast by six: another seed weighs its forms a little differently, as if it had half the draws.
    """
    found = bundled_laws().law(id)
    if not found.paths:
        pytest.skip("a surface has no paths")
    most = 6 if found.form == FORECAST else 4
    assert off(draws(found), refitted(found)) < most, (found.domain, found.family, found.metric, found.form)


@pytest.mark.parametrize(
    "id", [next((row.id for row in ROWS if row.form == form), "") for form in (FORECAST, "power-floor")]
)
def test_a_refit_says_what_a_shipped_law_says(id):
    agrees(id)


@pytest.mark.slow
@pytest.mark.timeout(3000)
@each_law
def test_a_refit_says_what_every_shipped_law_says(id):
    agrees(id)


@pytest.fixture
def store(tmp_path):
    kept = Store(tmp_path / "store")
    for number in range(3):
        kept.add_run(run(number))
    kept.add_sweep(sweep(runs=("run0", "run1", "run2")))
    for seed, metric in enumerate(("wer", "cer")):
        made = law(seed, draws=1000, family="ds2", metric=metric)
        made = dataclasses.replace(made, provenance={"sweep": "sweep-a", "corpus": "abc", "seed": "0"}, id="")
        kept.add_law(dataclasses.replace(made, id=records.content_id(made)))
    kept.publish()
    return kept


def test_shipping_keeps_what_a_law_says_and_makes_it_small(store, tmp_path):
    folder = tmp_path / "calibrated"
    made = bundle.bundle_laws(store, ["sweep"], folder)
    there = BundledLaws(folder)
    assert {row.id for row in there.laws()} == {each.id for each in made}
    assert sorted(row.metric for row in there.laws()) == ["cer", "wer"]
    for lean in made:
        assert there.law(lean.id[:6]) == lean
        whole = next(store.law(row.id) for row in store.laws(metric=lean.metric))
        assert lean.provenance["law"].startswith(whole.id)
        assert off(draws(lean), draws(whole)) < 2
        small = (folder / f"{lean.id}.json.gz").stat().st_size
        assert small < 0.1 * law_file(store, whole.id).stat().st_size
    ((plan, runs),) = there.sweeps()
    assert plan == store.sweeps()[0]
    assert {each.id for each in runs} == {"run0", "run1", "run2"}


def test_shipping_again_replaces_and_gives_the_same_bytes(store, tmp_path):
    folder = tmp_path / "calibrated"
    bundle.bundle_laws(store, ["sweep-a"], folder)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    bundle.bundle_laws(store, ["sweep-a"], folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    with pytest.raises(StoreError) as refused:
        bundle.bundle_laws(store, ["other"], folder)
    assert (refused.value.code, refused.value.value) == ("record-not-found", "other")


def test_ids_are_looked_for_in_the_store_first(store):
    own, ships = store.laws()[0].id, ROWS[0].id
    assert locate_law(store, own) is store
    assert isinstance(locate_law(store, ships), BundledLaws)
    store.add_law(bundled_laws().law(ships))
    store.publish()
    assert locate_law(store, ships) is store
    assert locate_law(store, "") is store


def test_the_package_takes_the_data_along():
    import tomllib
    from pathlib import Path

    project = Path(bundle.__file__).parents[2] / "pyproject.toml"
    assert (
        "catalog/calibrated/*"
        in tomllib.loads(project.read_text())["tool"]["setuptools"]["package-data"]["laws"]
    )
    size = sum(path.stat().st_size for path in bundle.FOLDER.iterdir())
    assert size < 4e6
