"""Observers of the daemon's events: log lines, metrics, traces, and messages to systemd."""
