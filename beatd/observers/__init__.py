"""The observers of events: log lines, metrics and messages to systemd."""
