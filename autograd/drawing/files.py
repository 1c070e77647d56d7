"""Writing a file whole: after an error, a full disk among them, what stood there before is still there."""

from __future__ import annotations

import os
import stat
from typing import Any


def write_whole(path: str | os.PathLike[str], content: str | bytes) -> str:
    """Write a file so that it holds all of the content, or else what it held before, and return its path.

    The content (text as UTF-8) goes to a new file beside the target, which then takes the target's place, and keeps
    its permissions. A symbolic link stays, and the file that it leads to is replaced; a hard link is parted from its
    twins. A device or a named pipe is written into.

    Raises:
        OSError: where the file cannot be written: PermissionError for one that is read-only, whoever asks.
    """
    path = os.fspath(path)
    data = content.encode() if isinstance(content, str) else content
    target = os.path.realpath(path)
    before = os.stat(target) if os.path.exists(target) else None
    try:
        if before and stat.S_ISDIR(before.st_mode):
            raise IsADirectoryError(21, "is a directory", path)
        if before and not (before.st_mode & 0o222 and os.access(target, os.W_OK)):
            raise PermissionError(13, "is read-only", path)
        if before and not stat.S_ISREG(before.st_mode):
            _write_into(target, data)
        else:
            _replace(target, data, before)
    except OSError as error:
        if error.errno is None:
            raise
        raise type(error)(error.errno, error.strerror, path) from None
    return path


def _write_into(target: str, data: bytes) -> None:
    """Write to a device or a pipe; a pipe that nobody reads is an error, not a wait without end."""
    descriptor = os.open(target, os.O_WRONLY | getattr(os, "O_NONBLOCK", 0))
    if hasattr(os, "set_blocking"):
        os.set_blocking(descriptor, True)
    with open(descriptor, "wb") as file:
        file.write(data)


def _replace(target: str, data: bytes, before: Any) -> None:
    """Write to a new file in the target's folder, and rename it."""
    import secrets

    temporary = os.path.join(os.path.dirname(target), f".{secrets.token_hex(8)}.part")
    try:
        with open(temporary, "xb") as file:
            if before:
                os.chmod(temporary, stat.S_IMODE(before.st_mode))
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if before:
            _keep_owner(temporary, before)
        os.replace(temporary, target)
    finally:
        if os.path.exists(temporary):
            os.remove(temporary)


def _keep_owner(path: str, before: Any) -> None:
    """Give a file to whom the one before belonged, where that is allowed."""
    import contextlib

    with contextlib.suppress(AttributeError, PermissionError):  # Windows has no chown; not every file may be given away
        os.chown(path, before.st_uid, before.st_gid)
        os.chmod(path, stat.S_IMODE(before.st_mode))
