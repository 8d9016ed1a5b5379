"""Stores keep entries, claims and history; each module or folder here is one kind of store."""
