"""Stores keep entries, their next runs and their history; each module or folder is one kind of
store."""
