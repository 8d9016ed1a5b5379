"""The HTTP pages of a daemon."""
