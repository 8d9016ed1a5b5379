"""What `beatd init` finds in a folder and in the environment; no code of a project is run."""
