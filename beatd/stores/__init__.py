"""Where the one truth is kept: each file keeps the promise of `beatd.store`."""
