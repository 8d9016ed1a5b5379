"""One process: its threads, its signals, its health."""
