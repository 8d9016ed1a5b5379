"""The observers of events, which write log lines, keep metrics and send messages to systemd."""
