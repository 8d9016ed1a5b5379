"""The daemon's side of outcomes: read what became of published runs, from the reports of workers or
from a result backend."""
