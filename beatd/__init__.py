"""A daemon that runs Celery tasks on a schedule."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from beatd.embed import Beat
    from beatd.errors import BeatError

__version__ = "0.1.0"

__all__ = [
    "Beat",  # embedding
    "BeatError",  # errors
    "__version__",
]


def __getattr__(name: str) -> Any:
    """Import `Beat` or `BeatError` at its first use; raise AttributeError for another name."""
    # Imported on first use: `beatd --help` must not wait for celery.
    if name == "Beat":
        from beatd.embed import Beat

        return Beat
    if name == "BeatError":
        from beatd.errors import BeatError

        return BeatError
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
