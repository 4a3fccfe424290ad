"""Files are written whole or not at all; nothing in a shared folder is followed or overwritten."""

import os
import stat
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


def test_a_replaced_file_keeps_its_permissions_and_a_new_one_has_the_usual_ones(tmp_path):
    out, new, usual = tmp_path / "law.nc", tmp_path / "new.nc", tmp_path / "usual"
    out.write_text("before")
    out.chmod(0o640)
    usual.touch()
    for path in (out, new):
        write_atomically(path, lambda path: path.write_text("after"))
    assert stat.S_IMODE(out.stat().st_mode) == 0o640
    assert new.stat().st_mode == usual.stat().st_mode


def test_the_temporary_name_cannot_be_predicted_and_nobody_else_can_write_to_it(tmp_path):
    parts = []

    def note(path):
        parts.append(path)
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        path.write_text("after")

    for _ in range(2):
        write_atomically(tmp_path / "law.nc", note)
    assert len({path.parent for path in parts}) == 2
    assert all(path.name == "law.nc" for path in parts)


@pytest.mark.skipif(os.geteuid() != 0, reason="making a link of another user needs root")
def test_a_link_of_another_user_is_not_followed(tmp_path):
    victim, out = tmp_path / "victim", tmp_path / "law.nc"
    victim.write_text("before")
    out.symlink_to(victim)
    os.lchown(out, 4711, 4711)
    with pytest.raises(OSError, match="a link of another user"):
        write_atomically(out, lambda path: path.write_text("after"))
    assert victim.read_text() == "before"
