"""`beatd --shadow`: a daemon that sends nothing and compares its plans with another scheduler."""
