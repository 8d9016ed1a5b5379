"""The observers of events. They write log lines, update metrics, export traces, and send messages
to systemd."""
