"""Read the line that is typed in bash, and write what completes its last word."""

import re

from msgspec import Struct

_BREAKS = ":="  # of COMP_WORDBREAKS: readline replaces only what is behind them
_SPECIAL = re.compile(r"[^\w./:=@%+,~-]")
_SPECIAL_IN_DOUBLE = re.compile(r"([\\\"$`])")


class TypedLine(Struct, frozen=True):
    """The words of a line up to the cursor, without their quotes and backslashes.

    The last word is the one to complete. `quote` is the quote that is open in it, or "". Readline
    keeps the first `kept` characters of it, and replaces the others.
    """

    words: tuple[str, ...]
    quote: str
    kept: int

    def completed(self, value: str) -> str:
        """Return the text with which readline replaces its part of the last word."""
        word = self.words[-1]
        # `value` is what comes after the name of an option: --tz=Europe/Berlin.
        option = len(word.partition("=")[0]) + 1 if word.startswith("-") and "=" in word else 0
        rest = value[max(0, self.kept - option) :]
        if self.quote == "'":
            return rest.replace("'", "'\\''")
        if self.quote:
            return _SPECIAL_IN_DOUBLE.sub(r"\\\1", rest)
        return _SPECIAL.sub(lambda found: f"\\{found[0]}", rest)


def typed_line(text: str) -> TypedLine:
    """Return the words of `text`, which ends at the cursor."""
    words, word, quote = list[str](), "", ""
    is_begun, is_escaped, kept = False, False, 0
    for character in text:
        if is_escaped:
            # In double quotes, a backslash is kept before a character that needs none.
            word += character if not quote or character in '\\"$`' else f"\\{character}"
            is_escaped = False
        elif character == "\\" and quote != "'":
            is_begun = is_escaped = True
        elif quote:
            if character == quote:
                quote = ""
            else:
                word += character
        elif character in "'\"":
            is_begun, quote, kept = True, character, len(word)
        elif character.isspace():
            if is_begun:
                words.append(word)
            word, is_begun, kept = "", False, 0
        else:
            word, is_begun = word + character, True
            if character in _BREAKS:
                kept = len(word)
    return TypedLine((*words, word), quote, kept)
