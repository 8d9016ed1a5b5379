"""One scheduler process: its threads, its reaction to signals, and the status it reports."""
