"""`beatd --shadow`: a trial daemon that sends nothing and compares itself with another
scheduler."""
