"""Change entries in a store, for operators and for sources that declare entries."""
