"""Find out whether the file of a secret can be read by every user of the host."""

import os
import stat
from pathlib import Path

# Docker and Kubernetes mount secrets so, within a container that has no other users.
MOUNTED_SECRETS = ("/run/secrets/", "/var/run/secrets/")
KUBERNETES_LINK = "..data"


def fault_of_mode(path: Path) -> str:
    """Return a text if every user can read the file, with the command that ends this; else "".

    Return "" for a file of a third user, who is neither this one nor root, and for one that a
    container has as a mounted secret: below /run/secrets, behind the link `..data` of Kubernetes,
    or on a read-only file system.
    """
    try:
        status = path.stat()
        is_read_only = bool(os.statvfs(path).f_flag & os.ST_RDONLY)
        target = path.readlink() if path.is_symlink() else Path()
    except (OSError, ValueError):
        return ""
    is_mounted = str(path).startswith(MOUNTED_SECRETS) or is_read_only
    if (
        not status.st_mode & stat.S_IROTH
        or status.st_uid not in (0, os.geteuid())
        or is_mounted
        or KUBERNETES_LINK in (*target.parts, *path.parts)
    ):
        return ""
    text = f"can be read by every user of this host; run chmod 600 {path}"
    if status.st_uid == 0:
        text += "; a daemon that is not root then needs LoadCredential (docs/operations.md)"
    return text
