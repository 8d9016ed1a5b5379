"""The daemon's side of outcomes: reads what became of published runs, from reports or results."""
