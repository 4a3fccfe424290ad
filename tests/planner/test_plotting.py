"""Figures of laws and curves show what was measured and forecast, byte for byte the same."""

import math
import subprocess
import sys
from dataclasses import replace
from importlib.util import find_spec

import pytest
import synthetic

from laws.errors import FileError, InputError, LawError
from laws.storage.records import content_id
from laws.storage.store import Store
from planner.reports.plots import matplotlib_plot
from planner.reports.plots.figure import figure_of_curve, figure_of_law
from planner.reports.plots.terminal_plot import BAND50, BAND90, MEDIAN, POINT, as_text

MATPLOTLIB = pytest.mark.skipif(find_spec("matplotlib") is None, reason="needs the extra `plot`")

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
    data = figure_of_law(store[0], store[1].id, decades=2)
    assert data.x[0] == pytest.approx(store[1].x_range[0])
    assert data.x[-1] == pytest.approx(store[1].x_range[1] * 100)
    for x, band in ((data.x[0], data.bands[0]), (data.x[-1], data.bands[-1])):
        assert band[2] == pytest.approx(x**-0.3, rel=1e-6)
        assert (band[0], band[4]) == pytest.approx((0.8 * x**-0.3, 1.2 * x**-0.3), rel=1e-6)


def test_a_curve_is_drawn_with_its_points_and_bands_that_open(curves):
    data = figure_of_curve(curves, "one", decades=1, seed=0)
    assert [x for x, _ in data.measured] == [1e3, 2e3, 4e3, 8e3]
    first, last = (math.log(data.bands[i][4] / data.bands[i][0]) for i in (0, -1))
    assert last > first


@MATPLOTLIB
@pytest.mark.parametrize("kind", ["svg", "png"])
def test_the_same_figure_has_the_same_bytes(store, tmp_path, kind):
    data = figure_of_law(store[0], store[1].id, decades=1)
    for name in ("a", "b"):
        matplotlib_plot.write(data, tmp_path / f"{name}.{kind}")
    content = (tmp_path / f"a.{kind}").read_bytes()
    assert content == (tmp_path / f"b.{kind}").read_bytes()
    assert content[:4] in {b"\x89PNG", b"<?xm"}


def test_each_refusal_has_a_class_and_a_code(curves, store, tmp_path):
    with pytest.raises(InputError) as refused:
        figure_of_curve(curves, None, decades=1, seed=0)
    assert (refused.value.code, refused.value.hints[0].names) == ("which-curve", ("curve",))
    data = figure_of_law(store[0], store[1].id, decades=1)
    with pytest.raises(InputError) as refused:
        matplotlib_plot.write(data, tmp_path / "a.pdf")
    assert refused.value.code == "unknown-suffix"
    with pytest.raises(FileError) as unwritable:
        matplotlib_plot.write(data, tmp_path / "none" / "a.svg")
    assert unwritable.value.code == "unwritable-file"


def test_a_published_law_has_no_bands_to_draw(store):
    with pytest.raises(LawError) as refused:
        figure_of_law(store[0], "hestness2019-wordlm-curve", decades=1)
    assert refused.value.code == "law-without-samples"


@MATPLOTLIB
def test_the_command_draws_a_stored_law(store, tmp_path):
    call = [sys.executable, "-c", "from planner.cli import main; main()", "plot", store[1].id]
    done = subprocess.run(
        [*call, "--store", str(tmp_path / "store"), "--out", str(tmp_path / "law.svg")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "law.svg").stat().st_size > 3000


def fitted(tmp_path, *, alpha=1.0, form="forecast", **rest):
    """Store a forecast with its points, and a single form of the same fit."""
    store = Store(tmp_path / "pair")
    draws = {"alpha": [alpha * f for f in (0.7, 0.9, 1.0, 1.1, 1.3)] * 4, "beta": [0.3] * 20}
    points = {"x": (0.5, 1.0, 2.0, 4.0, 8.0), "y": tuple(x**-0.3 for x in (0.5, 1, 2, 4, 8))}
    made = []
    sequence = store.next_sequence()  # laws of one fit share it
    for name, scale in ((form, 1.0), ("power", 1.05)):
        law = synthetic.law(
            lambda x, d, scale=scale: math.log(scale * d["alpha"]) - d["beta"] * x, draws, form=name, **rest
        )
        law = replace(law, points=points, forms={"power": 0.7, "steady": 0.3} if name == "forecast" else {})
        law = replace(law, id=content_id(law))
        store.add_law(law, sequence=sequence)
        made.append(law)
    store.publish()
    return store, made


def test_a_figure_has_points_bands_and_the_other_form(tmp_path):
    store, (law, plain) = fitted(tmp_path)
    data = figure_of_law(store, law.id, decades=1)
    assert [x for x, _ in data.measured] == [0.5, 1.0, 2.0, 4.0, 8.0]
    assert list(data.forms) == ["power"]
    assert data.forms["power"][-1] == pytest.approx(1.05 * data.x[-1] ** -0.3, rel=1e-5)
    assert "power 70%; steady 30%" in data.note
    assert list(figure_of_law(store, plain.id, decades=1).forms) == ["forecast"]


@pytest.mark.parametrize("width", [20, 44, 80, 132])
def test_a_terminal_plot_shows_everything_within_its_width(tmp_path, width):
    store, (law, _) = fitted(tmp_path)
    lines = as_text(figure_of_law(store, law.id, decades=1.5), width=width).splitlines()
    assert max(map(len, lines)) <= max(width, 40)
    plot = [line[9:] for line in lines if line[8:9] in {"│", "┤"}]
    assert len(plot) == 18
    assert sum(line.count(POINT) for line in plot) == 5
    for mark in (BAND50, BAND90, MEDIAN, "┊"):
        assert any(mark in line for line in plot)
    # the law falls: the first point is above the last, and the band continues beyond it
    first, last = (next(i for i, line in enumerate(some) if POINT in line) for some in (plot, plot[::-1]))
    assert first < 17 - last
    assert "20%" in "".join(line[:9] for line in lines)


def test_the_command_draws_in_the_terminal_without_matplotlib(tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    store, (law, _) = fitted(tmp_path)
    ran = synthetic.planner("plot", law.id, "--store", tmp_path / "pair")
    assert ran.code == 0
    assert ran.out.rstrip("\n") == as_text(figure_of_law(store, law.id, decades=1.5), width=80)


def test_without_a_law_the_one_that_estimate_uses_is_drawn(tmp_path):
    _, (law, plain) = fitted(tmp_path)
    words = ("--domain", "speech", "--store", tmp_path / "pair", "--decades", "1")
    for expected, options in ((law, ()), (plain, ("--single-form",)), (plain, ("--form", "power"))):
        named = synthetic.planner("plot", expected.id, *words)
        assert named.code == 0
        assert synthetic.planner("plot", *words, *options).out == named.out
        assert (
            synthetic.planner("plot", "--law", expected.id, "--store", tmp_path / "pair", "--decades", "1")
            == named
        )


@pytest.mark.parametrize(
    ("words", "code", "named"),
    [
        (("--curve", "ds2"), 2, "--curve"),
        (("LAW", "--domain", "lm"), 1, "lm"),
        (("--domain", "word-lm"), 1, "planner calibrate"),
        (("--domain", "word-lm", "--source", "published"), 1, "published"),
    ],
)
def test_a_law_that_cannot_be_drawn_is_refused_in_one_line(tmp_path, words, code, named):
    _, (law, _) = fitted(tmp_path)
    words = [law.id if word == "LAW" else word for word in words]
    refused = synthetic.planner("plot", *words, "--store", tmp_path / "pair")
    assert (refused.code, refused.out) == (code, "")
    assert named in refused.err
    assert code == 2 or refused.err.count("\n") == 1


@pytest.mark.parametrize("decades", [math.nan, -1.0, 10.0, 0.0])
def test_decades_beyond_the_data_must_be_in_range(tmp_path, decades):
    path = tmp_path / "curves.csv"
    path.write_text("curve,x,y\na,1,0.5\na,1,0.52\n")
    with pytest.raises(InputError) as refused:
        figure_of_curve(path, None, decades=decades, seed=0)
    assert refused.value.code == "decades-out-of-range"
    ran = synthetic.planner("plot", path, "--decades", str(decades))
    assert (ran.code, ran.out, ran.err.count("\n")) == (1, "", 1)


def test_a_flat_law_is_drawn(tmp_path):
    store = Store(tmp_path / "flat")
    made = synthetic.law(lambda _x, _d: math.log(0.3), {"alpha": [1.0] * 5}, form="power", x_range=(1.0, 1.0))
    store.add_law(made)
    store.publish()
    assert MEDIAN in as_text(figure_of_law(store, made.id, decades=1), width=60)
    assert MEDIAN in as_text(figure_of_law(store, made.id, decades=0.01), width=60)
