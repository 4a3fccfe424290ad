"""Files that are written whole or not at all; what is no file is never replaced."""

import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from laws.storage.atomic_write import write_atomically


def test_a_write_that_fails_leaves_what_was_there(tmp_path):
    out = tmp_path / "page.html"
    out.write_text("before")

    def half(path):
        path.write_text("ha")
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        write_atomically(out, half)
    assert out.read_text() == "before"
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]
    write_atomically(out, lambda path: path.write_text("after"))
    assert out.read_text() == "after"


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "there").mkdir()
    link = tmp_path / "link.csv"
    link.symlink_to(tmp_path / "there" / "real.csv")
    write_atomically(link, lambda path: path.write_text("rows"))
    assert link.is_symlink()
    assert (tmp_path / "there" / "real.csv").read_text() == "rows"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_written_to(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with ThreadPoolExecutor(1) as reader:
        told = reader.submit(pipe.read_text)
        write_atomically(pipe, lambda path: path.write_text("rows"))
        assert told.result(timeout=30) == "rows"
    assert pipe.is_fifo()
