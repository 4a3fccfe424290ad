"""A table of thousands of trainings is fitted in bounded time and memory."""

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

MAX_CPU_SECONDS = 30.0
MAX_PEAK_MIB = 1024


@pytest.mark.slow
@pytest.mark.parametrize("rows", [2_000, 10_000])
@pytest.mark.parametrize("columns", ["hours,wer", "hours,wer,params"])
def test_thousands_of_rows_are_fitted_in_half_a_minute(tmp_path: Path, rows: int, columns: str) -> None:
    generator = random.Random(rows)
    lines = [columns]
    for _ in range(rows):
        hours = 10 ** generator.uniform(0, 4)
        wer = (0.6 * hours**-0.35 + 0.04) * generator.lognormvariate(0, 0.05)
        size = f",{int(10 ** generator.uniform(6, 8))}" if "params" in columns else ""
        lines.append(f"{hours:.6g},{wer:.6f}{size}")
    (tmp_path / "runs.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    words = ["fit", "runs.csv", "--domain", "a", "--store", "store", "--format", "json"]
    with (
        (tmp_path / "laws.json").open("w") as out,
        subprocess.Popen([sys.executable, "-m", "planner", *words], cwd=tmp_path, stdout=out) as ran,
    ):
        _, status, usage = os.wait4(ran.pid, 0)
        ran.returncode = os.waitstatus_to_exitcode(status)
    assert ran.returncode == 0
    assert usage.ru_utime + usage.ru_stime < MAX_CPU_SECONDS
    assert usage.ru_maxrss / 1024 < MAX_PEAK_MIB
    law = json.loads((tmp_path / "laws.json").read_text())[0]
    assert "points-merged" in {warning["code"] for warning in law["warnings"]}
