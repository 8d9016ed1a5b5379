"""Run `beatd --shadow`, a daemon that sends nothing and compares itself with another scheduler."""
