"""Run the command line of beatd as `python -m beatd`."""

from beatd.cli import main

main(prog_name="beatd")
