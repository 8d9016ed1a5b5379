"""One line of `beatd doctor`: what was looked at, and whether it is well."""

from typing import Literal

from msgspec import Struct, structs

from beatd.secret import hidden

Level = Literal["ok", "warning", "error"]


class Finding(Struct, frozen=True):
    """What one look found: `subject` is the part, and `text` says what it is or what would do."""

    level: Level
    subject: str
    text: str

    def __post_init__(self) -> None:
        structs.force_setattr(self, "text", " ".join(hidden(self.text).split()))
