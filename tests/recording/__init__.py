"""A recording of a terminal for the README, from a real run: `make recording`."""
