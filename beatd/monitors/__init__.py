"""What monitors elsewhere learn about the runs of entries."""
