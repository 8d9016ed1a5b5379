"""Write times of day in plain English, such as "at 02:30" or "every 15 minutes"."""

from beatd.schedules.speech import joined, ordinal, runs

_TIMES_MAX = 6


def clock_words(seconds: list[int], minutes: list[int], hours: list[int]) -> str:
    """Return times of day in words, such as "at 02:30" or "every 15 minutes".

    The times are all combinations of the given seconds, minutes and hours. Each list must be sorted
    and not empty.
    """
    if len(seconds) * len(minutes) * len(hours) <= _TIMES_MAX:
        clock = "{:02}:{:02}" if seconds == [0] else "{:02}:{:02}:{:02}"
        return "at " + joined(
            clock.format(h, m, s) for h in hours for m in minutes for s in seconds
        )
    if seconds == [0]:
        if minutes == [0] and (step := _step(hours, 24)):
            return "every hour" if step == 1 else f"every {step} hours"
        return _every(minutes, "minute", "hour") + _within(hours, minutes)
    words = _every(seconds, "second", "minute")
    if len(minutes) < 60:
        words += f" of {runs(minutes, lambda minute: f'minute {minute}')}"
    return words + _within(hours, minutes)


def _every(values: list[int], unit: str, whole: str) -> str:
    """Return "every 5 minutes" for evenly spread values, else a list of the values in words.

    `unit` is the word for one value, such as "minute"; `whole` is the next larger unit, "hour".
    """
    step = _step(values, 60)
    if step:
        return f"every {unit}" if step == 1 else f"every {step} {unit}s"
    if values == [0]:
        return f"at the full {whole}"
    return f"at {unit}{'s' * (len(values) > 1)} {runs(values, str)} of every {whole}"


def _within(hours: list[int], minutes: list[int]) -> str:
    if len(hours) == 24:
        return ""
    if len(hours) > 1 and hours[-1] - hours[0] == len(hours) - 1:
        return f", from {hours[0]:02}:{minutes[0]:02} to {hours[-1]:02}:{minutes[-1]:02}"
    if step := _step(hours, 24):
        return f", in every {ordinal(step)} hour from 00"
    return ", in hour" + "s" * (len(hours) > 1) + f" {runs(hours, lambda hour: f'{hour:02}')}"


def _step(values: list[int], size: int) -> int | None:
    """Return the distance between evenly spread values, else None.

    For the size 60, the values 0, 15, 30, 45 have the distance 15.
    """
    if len(values) < 2:
        return None
    step = size // len(values)
    return step if values == list(range(0, size, step)) else None
