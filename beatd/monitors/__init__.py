"""Check-ins: messages to external monitors about the runs of entries."""
