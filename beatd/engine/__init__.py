"""One tick, and all that decides in it; knows no backend."""
