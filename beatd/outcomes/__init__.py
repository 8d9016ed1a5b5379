"""Read what became of published runs, from reports of workers or a result backend."""
