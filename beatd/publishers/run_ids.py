"""The ids of the parts of a canvas, made from the id of its run."""

from hashlib import sha1

_VARIANT = dict(zip("0123456789abcdef", "89ab" * 4, strict=True))  # the 17th digit of such an id


class RunIds:
    """Makes an id from a text, the same in each daemon; `texts` has the text of each id made.

    The ids are those of `uuid.uuid5`, with the id of the run as the namespace.
    """

    def __init__(self, run_id: str) -> None:
        self.run_id = run_id
        self.texts: dict[str, str] = {}
        self._hash = sha1(bytes.fromhex(run_id.replace("-", "")), usedforsecurity=False)

    def of(self, text: str) -> str:
        """Return the id made from this text."""
        hashed = self._hash.copy()
        hashed.update(text.encode())
        d = hashed.hexdigest()
        id = f"{d[:8]}-{d[8:12]}-5{d[13:16]}-{_VARIANT[d[16]]}{d[17:20]}-{d[20:32]}"
        self.texts[id] = text
        return id
