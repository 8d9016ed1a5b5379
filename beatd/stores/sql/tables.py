"""The tables of a SQL store. Moments are whole microseconds since 1970, UTC. Flags are 0 and 1."""

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
)

metadata = MetaData()

# Options of a single database (a partial index, a table without row ids) are added in the file of
# its dialect: named here, they would load every dialect in every program.

# Names compare and sort by their bytes everywhere, so that every store lists them in one order.
NAME = (
    String(300, collation="C")
    .with_variant(String(300, collation="BINARY"), "sqlite")
    .with_variant(String(300), "mysql", "mariadb")
)
LONG = Text().with_variant(Text(4_294_967_295), "mysql", "mariadb")
# Ids that workers and beatd make: task ids and the ids of deliveries.
RANDOM_ID = (
    String(64, collation="C")
    .with_variant(String(64, collation="BINARY"), "sqlite")
    .with_variant(String(64), "mysql", "mariadb")
)
SERIAL = BigInteger().with_variant(Integer, "sqlite")

# The definitions. They lie apart from the plan, so that a claim rewrites only a narrow row.
entry = Table(
    "beatd_entry",
    metadata,
    Column("name", NAME, primary_key=True),
    Column("revision", BigInteger, nullable=False),
    Column("task", Text, nullable=False),
    Column("source", String(300), nullable=False),
    Column("declared_at", Text, nullable=False),
    Column("enabled", SmallInteger, nullable=False),
    Column("paused", SmallInteger, nullable=False),
    Column("definition", LONG, nullable=False),
)
entry_source = Index("beatd_entry_source", entry.c.source, entry.c.name)

# The next moment of each entry. `active` is 1 if the entry is enabled and not paused: a claim reads
# one row.
plan = Table(
    "beatd_plan",
    metadata,
    Column("name", NAME, primary_key=True),
    Column("revision", BigInteger, nullable=False),
    Column("active", SmallInteger, nullable=False),
    Column("planned", BigInteger),
    Column("due", BigInteger),
    Column("runs", BigInteger, nullable=False),
    Column("last", BigInteger),
    Column("fingerprint", String(64), nullable=False),
    Column("rules", String(64), nullable=False),
)
plan_due = Index("beatd_plan_due", plan.c.due, plan.c.name)
plan_stopped = Index("beatd_plan_stopped", plan.c.active, plan.c.name)

# One row for each claimed batch, not for each run: a thousand runs are one row.
claim = Table(
    "beatd_claim",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("version", Integer, nullable=False),
    Column("claimed_at", BigInteger, nullable=False),
    Column("term", BigInteger, nullable=False),
    Column("unsent", Integer, nullable=False),
    Column("runs", LONG, nullable=False),
)

history = Table(
    "beatd_history",
    metadata,
    Column("id", SERIAL, primary_key=True, autoincrement=True),
    Column("name", NAME, nullable=False),
    Column("planned", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("state", String(16), nullable=False),
    Column("reason", Text, nullable=False),
    Column("task_id", String(40), nullable=False),
    Column("published", BigInteger),
    Column("late", Double),
    Column("until", BigInteger),
    Column("count", BigInteger, nullable=False),
    Column("at_least", SmallInteger, nullable=False),
    Column("term", BigInteger, nullable=False),
    Column("origin", String(16)),  # NULL: the run was planned
)
history_name = Index("beatd_history_name", history.c.name, history.c.id)

request = Table(
    "beatd_request",
    metadata,
    Column("seq", SERIAL, primary_key=True, autoincrement=True),
    Column("id", String(64), nullable=False, unique=True),
    Column("name", NAME, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("first_at", BigInteger, nullable=False),
    Column("last_at", BigInteger, nullable=False),
    Column("revision", BigInteger, nullable=False),
)

# One row: the term and its holder, the namespace of the ids, and the version of the schema.
ledger = Table(
    "beatd_ledger",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("version", Integer, nullable=False),
    Column("serves", Integer, nullable=False),
    Column("namespace", String(36), nullable=False),
    Column("term", BigInteger, nullable=False),
    Column("token", String(64), nullable=False),
    Column("holder", Text, nullable=False),
)

# One row: the number of edits. Each writer of definitions locks it; claims never touch it.
edits = Table(
    "beatd_edits",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("count", BigInteger, nullable=False),
)

applied = Table(
    "beatd_applied",
    metadata,
    Column("source", String(300), primary_key=True),
    Column("loaded_at", BigInteger, nullable=False),
    Column("digest", Text, nullable=False),
)

daemon = Table(
    "beatd_daemon",
    metadata,
    Column("token", String(128), primary_key=True),
    Column("until", BigInteger, nullable=False),
    Column("presence", LONG, nullable=False),
)

# What workers reported of each delivery of a run's message. `at` is the time of the newest report.
# `live_since` is the first known moment of a delivery that has not ended, else NULL.
delivery = Table(
    "beatd_delivery",
    metadata,
    Column("task_id", RANDOM_ID, primary_key=True),
    Column("delivery", RANDOM_ID, primary_key=True),
    Column("name", NAME, nullable=False),
    Column("planned", BigInteger, nullable=False),
    Column("state", String(16), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("worker", Text, nullable=False),
    Column("received", BigInteger),
    Column("started", BigInteger),
    Column("finished", BigInteger),
    Column("error", Text, nullable=False),
    Column("live_since", BigInteger),
)
delivery_live = Index("beatd_delivery_live", delivery.c.live_since)
Index("beatd_delivery_at", delivery.c.at)

# The newest outcome of each entry. `newest` is the JSON of its delivery, whose row is deleted with
# the history.
entry_outcome = Table(
    "beatd_entry_outcome",
    metadata,
    Column("name", NAME, primary_key=True),
    Column("failures", BigInteger, nullable=False),
    Column("successes", BigInteger, nullable=False),
    Column("last_success", BigInteger),
    Column("first", BigInteger, nullable=False),
    Column("newest", LONG, nullable=False),
)

# The running run of each entry that does not allow overlap. Whoever changes a row holds the lock on
# the row of the plan.
running = Table(
    "beatd_running",
    metadata,
    Column("name", NAME, primary_key=True),
    Column("task_id", RANDOM_ID, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=False),
    Column("waits", SmallInteger, nullable=False),
)
Index("beatd_running_task", running.c.task_id)

# `open` is 1 until the incident is closed, then NULL, so that only one of a kind and name is open.
# `pending` is 1 until its end was announced, then NULL. `incident` is its JSON.
incident = Table(
    "beatd_incident",
    metadata,
    Column("seq", SERIAL, primary_key=True, autoincrement=True),
    Column("kind", String(32), nullable=False),
    Column("name", NAME, nullable=False),
    Column("opened", BigInteger, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("closed", BigInteger),
    Column("open", SmallInteger),
    Column("pending", SmallInteger),
    Column("incident", LONG, nullable=False),
)
Index("beatd_incident_key", incident.c.kind, incident.c.name, incident.c.opened, unique=True)
Index("beatd_incident_open", incident.c.kind, incident.c.name, incident.c.open, unique=True)
Index("beatd_incident_pending", incident.c.pending)
Index("beatd_incident_opened", incident.c.opened)
Index("beatd_incident_name", incident.c.name, incident.c.opened)

# The records of changes of entries. `record` is JSON: what was changed, by whom, before and after.
change = Table(
    "beatd_change",
    metadata,
    Column("id", SERIAL, primary_key=True, autoincrement=True),
    Column("name", NAME, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("record", LONG, nullable=False),
)
change_name = Index("beatd_change_name", change.c.name, change.c.id)

# Who paused an entry. `until` is the end of the pause, or NULL; `pause` is the JSON of the pause.
# An older program removes no row when it resumes or removes an entry.
pause = Table(
    "beatd_pause",
    metadata,
    Column("name", NAME, primary_key=True),
    Column("until", BigInteger),
    Column("pause", LONG, nullable=False),
)
Index("beatd_pause_until", pause.c.until, pause.c.name)

# The tables of the third and of the fourth version of the schema.
OUTCOME_TABLES = (delivery, entry_outcome, running, incident)
CHANGE_TABLES = (change, pause)
