"""Copy everything in a store into another store, which may be of another kind."""
