"""Stores in the memory of a process, and in a file of Python's `shelve`."""
