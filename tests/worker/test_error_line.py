"""An exception becomes one line that JSON, databases and people can read."""

from beatd.worker.error_line import error_line


class Silent(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text")


def test_an_exception_is_one_line_of_type_and_text() -> None:
    assert error_line(ValueError("one\r\n two\0\u2028three")) == "ValueError: one two three"
    assert error_line(KeyError("name")) == "KeyError: 'name'"
    assert error_line(ValueError()) == "ValueError"
    assert error_line(Silent()) == "Silent: (its text cannot be read)"
    assert error_line(ValueError("half \ud800 of a pair")) == "ValueError: half ? of a pair"


def test_a_long_text_is_cut_and_a_password_hidden() -> None:
    assert len(error_line(ValueError("x" * 10_000_000))) == 500
    assert error_line(OSError("redis://:sekret@host/0 is away")) == (
        "OSError: redis://:***@host/0 is away"
    )
