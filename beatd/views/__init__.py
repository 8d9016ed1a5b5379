"""Entries, runs and records of history as commands, pages and the API show them."""
