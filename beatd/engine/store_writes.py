"""Whether the store takes writes: a store that can only be read is away as well.

The campaign's thread writes the presence record once a second and notes the result here; the beat
asks. So the answer costs no round trip of its own.
"""


class StoreWrites:
    """Trusted after a write that succeeded, and until a statement of any kind failed."""

    def __init__(self) -> None:
        self._trouble = ""
        self._proven = True  # a store that was just opened

    @property
    def trouble(self) -> str:
        """Why the last write was refused; nothing when it succeeded."""
        return self._trouble

    @property
    def proven(self) -> bool:
        """True if a write has succeeded since the last failure."""
        return self._proven

    def doubt(self) -> None:
        """A statement failed: only a new write proves that the store is back."""
        self._proven = False

    def refused(self, reason: str) -> None:
        self._trouble, self._proven = reason, False

    def succeeded(self) -> None:
        self._trouble, self._proven = "", True
