"""Run `beatd --shadow`: a daemon that sends nothing and checks its plans by another scheduler."""
