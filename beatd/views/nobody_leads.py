"""Say what is known while no daemon leads: who led last, who has the lock, who stands by."""


def nobody_leads(
    *,
    led: str,
    term: int | None,
    standbys: int,
    lock_holder: str = "",
    lock_ttl_s: float | None = None,
) -> str:
    """Return what is known about the lead as text, such as "nobody leads yet: …".

    `led` is the daemon that led last, in the term `term`; "" means that none ever led.
    `lock_holder` is the name of the daemon that has the leader's lock, as a standby sees it, or "".
    """
    last = f"{led} led last, in term {term}" if led else "no daemon has ever led"
    if not standbys:
        return f"nobody leads, and no daemon runs; {last}; start one: beatd run"
    waits = "1 daemon stands by" if standbys == 1 else f"{standbys} daemons stand by"
    if not lock_holder:
        return f"nobody leads yet: {waits}, the lock is free, and one leads in a moment; {last}"
    ttl = f", on a server at the latest {lock_ttl_s:g} s after its last renewal"
    ends = f"it ends with that process{ttl if lock_ttl_s else ''}"
    return f"nobody leads yet: {waits}, and {lock_holder} has the lock ({ends}); {last}"
