"""Where the lock lives: each file keeps the promise of `beatd.leader.Lease` in one technology."""
