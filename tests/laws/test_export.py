"""A posterior in other tools' files: what they read back is what the law holds."""

import duckdb
import pytest
from stored import law

from laws import export

POINTS = {"x": (1.0, 2.0, 4.0), "y": (0.5, 0.4, 0.3), "y_se": (0.01, 0.01, 0.02)}
FACTS = {"forms": {"power": 0.25, "it's": 0.75}, "domain": "a 'quoted' name", "metric": "a/b"}


def test_netcdf_has_the_groups_and_dimensions_of_inference_data(tmp_path):
    h5netcdf = pytest.importorskip("h5netcdf", reason="needs the extra `netcdf`")
    made = law(fitted=POINTS, **FACTS)
    export.netcdf(made, tmp_path / "law.nc")
    with h5netcdf.File(tmp_path / "law.nc", "r") as file:
        assert set(file.groups) == {"posterior", "predictions", "observed_data", "constant_data"}
        for name, values in made.parameters.items():
            variable = file["posterior"][name]
            assert variable.dimensions == ("chain", "draw")
            assert variable[0].tolist() == list(values)
        paths = file["predictions"]["log_a_b"]
        assert paths.dimensions == ("chain", "draw", "data")
        assert paths[0].tolist() == [list(path) for path in made.paths]
        assert file["observed_data"]["a_b"][:].tolist() == list(POINTS["y"])
        assert file["constant_data"]["x"][:].tolist() == list(POINTS["x"])
        assert file.attrs["domain"] == "a 'quoted' name"
        assert file.attrs["weight of it's"] == "0.75"
    assert [path.name for path in tmp_path.iterdir()] == ["law.nc"]


def test_a_surface_is_exported_without_paths(tmp_path):
    h5netcdf = pytest.importorskip("h5netcdf", reason="needs the extra `netcdf`")
    export.netcdf(law(grid=(), paths=(), x="params,data"), tmp_path / "law.nc")
    with h5netcdf.File(tmp_path / "law.nc", "r") as file:
        assert set(file.groups) == {"posterior"}


def test_parquet_has_one_row_a_draw_and_says_what_it_is(tmp_path):
    made, out = law(**FACTS), tmp_path / "it's.parquet"
    export.parquet(made, out)
    with duckdb.connect() as connection:
        rows = connection.execute("select alpha, beta from read_parquet(?)", [str(out)]).fetchall()
        facts = connection.execute(
            "select decode(key), decode(value) from parquet_kv_metadata(?)", [str(out)]
        ).fetchall()
    assert rows == list(zip(made.parameters["alpha"], made.parameters["beta"], strict=True))
    assert dict(facts)["metric"] == "a/b"
    assert dict(facts)["domain"] == "a 'quoted' name"
    assert [path.name for path in tmp_path.iterdir()] == ["it's.parquet"]
