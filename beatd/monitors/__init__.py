"""The messages to monitors elsewhere about the runs of entries."""
