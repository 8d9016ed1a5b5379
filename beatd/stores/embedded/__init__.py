"""Keep a store in the memory of a process, or in a file of Python's `shelve`."""
