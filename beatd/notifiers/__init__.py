"""Notifiers send messages to the outside world: each file knows one way."""
