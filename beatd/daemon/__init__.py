"""Run the scheduler as one process: its threads, its signals, its status."""
