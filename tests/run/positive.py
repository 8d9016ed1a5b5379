"""A number of the command line that must be at least 1."""

import argparse


def positive(word: str) -> int:
    number = int(word)
    if number < 1:
        raise argparse.ArgumentTypeError("it must be at least 1")
    return number
