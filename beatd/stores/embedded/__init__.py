"""Stores that need no server: in the memory of a process, or in a file of Python's `shelve`."""
