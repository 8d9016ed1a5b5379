"""Notifiers send messages to other services. Each file is for one kind of service."""
