"""Publishers: those who take a run to its broker."""
