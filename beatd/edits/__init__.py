"""Change entries in a store: the edits of operators, and of sources that declare entries."""
