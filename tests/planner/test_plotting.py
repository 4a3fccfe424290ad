"""Pictures of laws and curves: what they show is what was measured and forecast, byte for byte the same."""

import math
import subprocess
import sys

import pytest
import synthetic

from laws.errors import PlannerError
from laws.store import Store
from planner.pages import plotting

pytest.importorskip("matplotlib", reason="needs the extra `plot`")

ROWS = ["curve,x,y", *(f"one,{x},{2 * x**-0.3}" for x in (1e3, 2e3, 4e3, 8e3)), "two,10,0.5", "two,20,0.4"]


@pytest.fixture
def store(tmp_path):
    made = synthetic.law(
        lambda x, d: math.log(d["alpha"]) - d["beta"] * x,
        {"alpha": [0.8, 1.0, 1.2] * 7, "beta": [0.3] * 21},
        form="power",
    )
    store = Store(tmp_path / "store")
    store.add_law(made)
    store.publish()
    return store, made


@pytest.fixture
def curves(tmp_path):
    path = tmp_path / "curves.csv"
    path.write_text("\n".join(ROWS) + "\n", encoding="utf-8")
    return path


def test_a_stored_law_is_drawn_with_the_quantiles_of_its_paths(store):
    drawing = plotting.of_law(store[0], store[1].id, decades=2)
    assert drawing.x[0] == pytest.approx(store[1].x_range[0])
    assert drawing.x[-1] == pytest.approx(store[1].x_range[1] * 100)
    for x, band in ((drawing.x[0], drawing.bands[0]), (drawing.x[-1], drawing.bands[-1])):
        assert band[2] == pytest.approx(x**-0.3, rel=1e-6)
        assert (band[0], band[4]) == pytest.approx((0.8 * x**-0.3, 1.2 * x**-0.3), rel=1e-6)


def test_a_curve_is_drawn_with_its_points_and_bands_that_open(curves):
    drawing = plotting.of_curve(curves, "one", decades=1, seed=0)
    assert [x for x, _ in drawing.measured] == [1e3, 2e3, 4e3, 8e3]
    first, last = (math.log(drawing.bands[i][4] / drawing.bands[i][0]) for i in (0, -1))
    assert last > first


@pytest.mark.parametrize("kind", ["svg", "png"])
def test_the_same_drawing_has_the_same_bytes(store, tmp_path, kind):
    drawing = plotting.of_law(store[0], store[1].id, decades=1)
    for name in ("a", "b"):
        plotting.write(drawing, tmp_path / f"{name}.{kind}")
    content = (tmp_path / f"a.{kind}").read_bytes()
    assert content == (tmp_path / f"b.{kind}").read_bytes()
    assert content[:4] in {b"\x89PNG", b"<?xm"}


def test_what_cannot_be_drawn_is_refused_in_one_line(curves, store, tmp_path):
    with pytest.raises(PlannerError, match="name one of them with --curve"):
        plotting.of_curve(curves, None, decades=1, seed=0)
    drawing = plotting.of_law(store[0], store[1].id, decades=1)
    with pytest.raises(PlannerError, match=r"ends in \.png or \.svg"):
        plotting.write(drawing, tmp_path / "a.pdf")
    with pytest.raises(PlannerError, match="no folder"):
        plotting.write(drawing, tmp_path / "none" / "a.svg")


def test_the_command_draws_a_stored_law(store, tmp_path):
    call = [sys.executable, "-c", "from planner.cli import main; main()", "plot", store[1].id]
    done = subprocess.run(
        [*call, "--store", str(tmp_path / "store"), "--out", str(tmp_path / "law.svg")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "law.svg").stat().st_size > 3000
