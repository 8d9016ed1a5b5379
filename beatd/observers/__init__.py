"""Those who listen: what the engine tells becomes log lines, figures and notices."""
