"""Read pages as a person does: rows, links and fields of forms."""

import re
from html import unescape


def entries_on(text: str) -> list[str]:
    """Return the names of the lines of the list, in their order."""
    return [unescape(name) for name in re.findall(r'<tr data-entry="([^"]*)"', text)]


def link(text: str, words: str) -> str:
    """Return the address of the only link with these words."""
    found = re.findall(rf'<a [^>]*href="([^"]*)"[^>]*>[^<]*{words}[^<]*</a>', text)
    assert len(found) == 1, (words, found)
    return unescape(found[0])


def hidden_fields(text: str) -> list[tuple[str, str]]:
    """Return the hidden fields of the page's forms, as (name, value)."""
    found = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', text)
    return [(name, unescape(value)) for name, value in found]


def flat(text: str) -> str:
    """Return the text of a page without its markup, with single blanks."""
    bare = re.sub(r"<svg.*?</svg>|<script.*?</script>|<[^>]*>", " ", text, flags=re.DOTALL)
    return " ".join(unescape(bare).split())
