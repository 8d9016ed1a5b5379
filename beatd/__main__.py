"""Run `python -m beatd`."""

from beatd.cli import main

main(prog_name="beatd")
