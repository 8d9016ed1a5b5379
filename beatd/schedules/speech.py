"""Write numbers, weekdays, months and lists in English words."""

from collections.abc import Callable, Iterable

MONTH_NAMES = ("January", "February", "March", "April", "May", "June", "July", "August",
               "September", "October", "November", "December")  # fmt: skip
DAY_NAMES = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
_NTH = {1: "first", 2: "second", 3: "third", 4: "fourth", 5: "fifth", -1: "last"}


def joined(parts: Iterable[str]) -> str:
    """Return the parts as one text, such as "a, b and c".

    There must be at least one part.
    """
    *before, last = parts
    return f"{', '.join(before)} and {last}" if before else last


def runs(values: Iterable[int], word_of: Callable[[int], str]) -> str:
    """Return sorted numbers in words, with three or more in a row as a range: "1, 3 to 6 and 9".

    `word_of` returns the word for one number.
    """
    parts: list[tuple[int, int]] = []
    for value in values:
        if parts and value == parts[-1][1] + 1:
            parts[-1] = (parts[-1][0], value)
        else:
            parts.append((value, value))
    words: list[str] = []
    for low, high in parts:
        if high - low > 1:
            words.append(f"{word_of(low)} to {word_of(high)}")
        else:
            words += [word_of(value) for value in range(low, high + 1)]
    return joined(words)


def ordinal(number: int) -> str:
    """Return a number as an ordinal, such as "1st"; -1 is "last day", -2 is "2nd last day"."""
    if number < 0:
        return "last day" if number == -1 else f"{ordinal(-number)} last day"
    ending = "th" if 10 < number < 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def nth(number: int) -> str:
    """Return "first" to "fifth", then "6th" and so on; -1 is "last", -2 is "2nd last"."""
    return _NTH.get(number) or (f"{ordinal(-number)} last" if number < 0 else ordinal(number))


def weekdays(values: list[int]) -> str:
    """Return weekdays in words, such as "Monday and Friday"; the value 0 is Sunday."""
    return runs(sorted((day - 1) % 7 for day in values), lambda day: DAY_NAMES[(day + 1) % 7])


def months(values: Iterable[int]) -> str:
    """Return months in words, such as "January to March"; the value 1 is January."""
    return runs(values, lambda month: MONTH_NAMES[month - 1])


def bits(mask: int) -> list[int]:
    """Return the numbers of the bits that are set in the mask: 0b110 gives [1, 2]."""
    return [bit for bit in range(mask.bit_length()) if mask >> bit & 1]
