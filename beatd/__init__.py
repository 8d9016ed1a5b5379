"""A daemon that runs Celery tasks on a schedule."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from beatd.embed import Beat
    from beatd.errors import BeatError

    __version__: str

__all__ = [
    "Beat",  # embedding
    "BeatError",  # errors
    "__version__",
]


def __getattr__(name: str) -> Any:
    """Return `Beat`, `BeatError` or `__version__`; raise AttributeError for another name."""
    # Imported on first use: `beatd --help` must not wait for celery.
    if name == "Beat":
        from beatd.embed import Beat

        return Beat
    if name == "BeatError":
        from beatd.errors import BeatError

        return BeatError
    if name == "__version__":
        from importlib.metadata import version

        return version("beatd")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
