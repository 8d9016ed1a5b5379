"""Run `beatd --shadow`, a daemon that sends nothing and is compared with another scheduler."""
