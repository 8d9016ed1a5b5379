"""The folders that the embedded store and broker keep their files in."""

from collections.abc import Iterator
from pathlib import Path

from beatd.config.values import Config


def make_folders(config: Config) -> None:
    """Makes those that are missing below the config's own folder; elsewhere a missing one is more
    likely a volume that is not mounted, and whoever opens it says so."""
    home = Path(config.folder)
    for folder in _folders(config):
        if folder.is_relative_to(home) and not folder.exists():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def _folders(config: Config) -> Iterator[Path]:
    urls = (config.store.url, config.lock.url or "", config.broker.url or "")
    for url in urls:
        scheme, _, rest = url.partition(":")
        if "sqlite" in scheme and rest.startswith("////"):
            yield Path(rest[3:].partition("?")[0]).parent
        elif scheme in ("shelve", "file") and rest.startswith("/"):
            yield Path("/" + rest.lstrip("/")).parent
    if urls[2].startswith("filesystem:"):
        for name, value in config.broker.transport_options.items():
            if "folder" in name and isinstance(value, str):
                yield Path(value)
