"""Turn errors of the file system into StoreErrors with a message of one line."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from beatd.errors import StoreError, StoreUnusable

_HOPELESS = {
    errno.EACCES: "may not be read and written by this user; see its owner and mode",
    errno.EPERM: "may not be changed by this user; see its owner, mode and attributes",
    errno.EROFS: "is on a read-only file system; name a file elsewhere",
    errno.EISDIR: "is a directory; name a file in it",
    errno.ENOENT: "is in a directory that does not exist; make that first",
    errno.ENOTDIR: "lies beneath something that is not a directory; name a file elsewhere",
    errno.ENAMETOOLONG: "has too long a name",
    errno.ELOOP: "is a link to itself",
}


@contextmanager
def said_clearly(path: Path) -> Iterator[None]:
    """Convert an OSError in the `with` block to a StoreError with a message of one line.

    If a retry cannot help, for example without permission to read the file, raise StoreUnusable.
    """
    try:
        yield
    except OSError as error:
        hopeless = _HOPELESS.get(error.errno or 0)
        if hopeless:
            raise StoreUnusable(f"store.url: {path} {hopeless}") from error
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            text = f"no space left for {path}; nothing was changed, free some space"
            raise StoreError(text) from error
        raise StoreError(f"{path}: {error.strerror}") from error


def beside(path: Path, ending: str) -> Path:
    """Return `path` with `ending` added to its file name: with "-wal", a.db becomes a.db-wal."""
    return path.with_name(path.name + ending)
