import contextlib
import errno
import os
import stat
import sys
import threading

import pytest

from autograd.drawing.files import write_whole

posix = pytest.mark.skipif(sys.platform == "win32", reason="permissions and pipes of POSIX")


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_text_and_bytes_are_written_as_they_are(tmp_path):
    assert write_whole(tmp_path / "a.txt", "é\nb\n") == str(tmp_path / "a.txt")
    write_whole(str(tmp_path / "b.bin"), b"\x00\xff")
    assert (tmp_path / "a.txt").read_bytes() == "é\nb\n".encode()
    assert (tmp_path / "b.bin").read_bytes() == b"\x00\xff"
    assert names(tmp_path) == ["a.txt", "b.bin"]


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_an_error_on_the_way_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch, step):
    path = tmp_path / "graph.svg"
    path.write_text("old")

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, step, full)
    with pytest.raises(OSError, match=r"No space left.*graph\.svg"):
        write_whole(path, "new")
    assert path.read_text() == "old"
    assert names(tmp_path) == ["graph.svg"]


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nowhere.*graph\.svg"):
        write_whole(tmp_path / "nowhere" / "graph.svg", "text")


def test_a_folder_is_not_overwritten(tmp_path):
    with pytest.raises(IsADirectoryError):
        write_whole(tmp_path, "text")
    assert tmp_path.is_dir()


@posix
@pytest.mark.parametrize("mode", [0o600, 0o644, 0o664])
def test_a_file_keeps_its_permissions(tmp_path, mode):
    path = tmp_path / "private"
    path.write_text("old")
    path.chmod(mode)
    write_whole(path, "new")
    assert path.read_text() == "new"
    assert stat.S_IMODE(path.stat().st_mode) == mode


@posix
def test_a_new_file_has_the_permissions_that_open_gives(tmp_path):
    (tmp_path / "one").write_text("text")
    write_whole(tmp_path / "two", "text")
    assert (tmp_path / "one").stat().st_mode == (tmp_path / "two").stat().st_mode


@posix
def test_a_read_only_file_is_refused_whoever_asks(tmp_path):
    path = tmp_path / "kept"
    path.write_text("old")
    path.chmod(0o400)
    with pytest.raises(PermissionError, match="kept"):
        write_whole(path, "new")
    assert path.read_text() == "old"


@posix
def test_a_link_stays_and_the_file_behind_it_is_replaced(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("folder/target")
    write_whole(tmp_path / "link", "one")  # dangling, as open has it
    write_whole(tmp_path / "link", "two")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "folder" / "target").read_text() == "two"
    assert names(tmp_path / "folder") == ["target"]


@posix
def test_a_pipe_is_written_into_and_stays_a_pipe(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    with pytest.raises(OSError, match="pipe"):  # nobody reads: no wait without end
        write_whole(path, "text")
    received = []
    thread = threading.Thread(target=lambda: received.append(path.read_bytes()), daemon=True)
    thread.start()
    written = False
    while not written:
        with contextlib.suppress(OSError):  # the reader has not come yet
            written = bool(write_whole(path, "x" * 300_000))
    thread.join(timeout=20)
    assert received == [b"x" * 300_000]
    assert stat.S_ISFIFO(path.stat().st_mode)


@posix
def test_a_device_stays_a_device():
    write_whole("/dev/null", "text")
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)
