"""Every message reads as the house has it; `tests.messages.collect` lists them."""

import re
from collections import Counter

from tests.messages.collect import messages

MESSAGES = messages()
#: Words that mean nothing to a reader who does not know the sources, or who "we" are.
RIDDLES = re.compile(
    r"\b(we|us|our|ours|hindsight|muster\w*|stamp\w*|filling|whoever|owes?|beside|oops|sorry)\b",
    re.I,
)
VALUE = re.compile(r"\{[^{}]*\}")
#: Words that blame a value without a reason: the value has to be in the message, too.
BARE_BLAME = re.compile(r"\b(invalid|illegal|malformed|incorrect|improper|bad|unknown)\b", re.I)

#: "a" before a vowel, and before the name of a type, which `with_article` knows.
WRONG_ARTICLE = re.compile(
    r"\ba (?!one\b|once\b|uni|eu)([aeio]|\{type\()|\ban (?!hour)[bcdfghj-np-tv-z]"
)


def test_the_messages_are_found() -> None:
    levels = Counter(one.level.partition(" ")[0] for one in MESSAGES)
    assert {level for level, many in levels.items() if many >= 10} >= {
        "error", "problem", "warning", "usage", "log",
    }  # fmt: skip
    assert len(MESSAGES) > 500
    texts = {one.text for one in MESSAGES}
    # an f-string, a text that was assigned before, and a choice of two texts
    assert "rrule {quoted(text)} is {len(text)} characters long; {_MAX_CHARS} will do" in texts
    assert "is not longer than jitter, which delays runs on purpose; give a longer one" in texts
    assert "the broker is back after {e.seconds} s" in texts


def test_no_message_has_a_blank_too_many() -> None:
    parts_of_a_line = ("log", "part")  # such as " and 3 more"
    assert [
        one
        for one in MESSAGES
        if one.level not in parts_of_a_line
        and (one.text != one.text.strip() or re.search(r"\s\s|[\n\t]", one.text))
    ] == []


def test_a_message_is_part_of_a_line_and_ends_without_a_stop() -> None:
    assert [
        one for one in MESSAGES if one.level != "part" and one.text.endswith((".", "!", ";", ","))
    ] == []


def test_no_message_has_a_word_that_only_its_author_understands() -> None:
    assert [one for one in MESSAGES if RIDDLES.search(VALUE.sub("", one.text))] == []


def test_a_message_that_blames_a_value_has_it() -> None:
    assert [one for one in MESSAGES if BARE_BLAME.search(one.text) and "{" not in one.text] == []


def test_a_value_that_came_is_quoted_with_its_special_characters_escaped() -> None:
    """A text between quotes comes from `quoted` or `!r`; only an example of ours does not."""
    examples = ("{example}", "{wanted}")
    raw = re.compile(r"'(\{[^{}!]*\})'")
    assert [
        one
        for one in MESSAGES
        if any(found not in examples for found in raw.findall(one.text)) and "!r" not in one.text
    ] == []


def test_a_message_has_an_before_a_vowel() -> None:
    assert [one for one in MESSAGES if WRONG_ARTICLE.search(one.text)] == []
