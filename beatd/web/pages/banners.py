"""The warnings at the top of each page, such as a lost connection to the broker."""

from msgspec import Struct

from beatd.web.site import Site
from beatd.web.visitor import Visitor

NOBODY_LEADS = "nobody is known to lead yet"


class Banner(Struct, frozen=True):
    """A warning at the top of a page: the problem, its cause and its remedy.

    `kind` is "bad", "warn" or "note".
    """

    kind: str
    title: str
    text: str
    remedy: str


def banners(site: Site, visitor: Visitor | None) -> list[Banner]:
    """Return the warnings that a visitor should see, most serious first, without any network
    access."""
    found = []
    health = site.health()
    if health.trouble:
        found.append(
            Banner("bad", "This daemon does not work", health.trouble, "Look into its log.")
        )
    elif not health.store_ok:
        found.append(
            Banner(
                "bad",
                "The store is away",
                health.waits_for,
                "No run is claimed meanwhile; beatd tries again by itself. "
                "Check the server or the disk of store.url.",
            )
        )
    elif not health.broker_ok:
        found.append(
            Banner(
                "bad",
                "The broker is away",
                health.waits_for,
                "No run is claimed meanwhile; beatd tries again by itself. Check broker.url.",
            )
        )
    elif not health.lock_ok:
        found.append(
            Banner(
                "bad",
                "The lock is away",
                health.waits_for,
                "Without it nobody can become the leader. Check lock.url.",
            )
        )
    elif health.waits_for:
        nobody = health.waits_for == NOBODY_LEADS
        title = "Nobody leads" if nobody else "This daemon is not ready"
        remedy = "A daemon takes the lead within the ttl of the lock; if it lasts, see Daemons."
        found.append(Banner("bad", title, health.waits_for, remedy))
    if visitor is not None and not visitor.may("operator"):
        found.append(_only_reads(site, visitor))
    return found


def _only_reads(site: Site, visitor: Visitor) -> Banner:
    if not site.settings.writes:
        why = "The configuration has no http.tokens, so nobody can sign in."
        return Banner(
            "note", "This page only reads", why, "Set http.tokens to change entries here."
        )
    why = f"{visitor.name or 'This visitor'} has the role {visitor.role}."
    return Banner("note", "You can only read", why, "An operator can pause, resume and trigger.")
