"""Let the work on other sources go on after an error in one source, and raise the error later."""

from beatd.errors import Deposed, StoreError


class DeferredErrors:
    """Keeps the errors of `with` blocks, so that `raise_first` raises the first one at the end.

    StoreError and Deposed leave the block at once.
    """

    def __init__(self) -> None:
        self._first: Exception | None = None

    def __enter__(self) -> None: ...

    def __exit__(self, _: object, error: BaseException | None, __: object) -> bool:
        if not isinstance(error, Exception) or isinstance(error, StoreError | Deposed):
            return False
        self._first = self._first or error
        return True

    def raise_first(self) -> None:
        """Raise the first error that was kept, if there is one."""
        if self._first is not None:
            raise self._first
