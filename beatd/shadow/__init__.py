"""`beatd --shadow`: the daemon beside a running scheduler."""
