"""Every module is known by name, lies in a room, and imports only what lies below it."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / "beatd"

#: Frozen types without I/O, and the protocols between the rooms with their value types.
VALUES = {
    "secret", "errors", "canvas", "entry", "run", "run_part", "byte_cache", "trace",
    "unapplied",
}  # fmt: skip
SEAMS = {
    "by_moment", "catalog", "catch_up", "changes", "clock", "dispatch", "events", "history",
    "incident", "last_sent", "leader", "ledger", "marks", "may_still_run", "outcome",
    "overlap", "planning", "presence", "publisher", "report", "requested_run", "run_outcome",
    "skips_in_order", "store",
}  # fmt: skip
#: What is started: nothing imports it.
STARTED = {"", "__main__", "demo", "embed"}

#: Every module of every room. A new one is written down here, in the room where it belongs.
MODULES = {
    "schedules": """
        at celery_fields clock_change clock_nights clock_shift clock_words cron cron_fields
        cron_text cron_words day_grid day_time days dst duration from_plain interval moment periods
        quote recurrence rrule rrule_text rrule_words second_opinion solar speech steps typed_moment
        walk words year_days zone
    """,
    "definition": """
        alert_rules argument_values arguments as_plain canvas_schema canvas_steps celery_canvas
        celery_schedule check codec contradictions fields kinds monitor_targets options
        sentry_monitor struct_kind
    """,
    "servers": """
        message_file mysql postgresql redis redis_command redis_url sentinel sql_errors sqlite
    """,
    "stores": """
        absent_file change_records damage disk django embedded embedded.catalog_writes
        embedded.change_writes embedded.claims embedded.delivery_writes embedded.entry_reader
        embedded.memory embedded.memory_changes embedded.memory_copies embedded.memory_history
        embedded.memory_incidents embedded.memory_outcomes embedded.memory_part
        embedded.numbered_rows embedded.old_shelf embedded.presences embedded.query
        embedded.running_runs embedded.shelf_file embedded.shelf_layout embedded.shelf_values
        embedded.shelve embedded.table_values embedded.tables file_errors outcome_fold redis
        redis.atomic_step redis.catalog redis.change_text redis.changes redis.claim_batch
        redis.copies redis.entry_reader redis.history redis.incidents redis.ledger
        redis.missing_parts redis.name_search redis.notices redis.outcome_batch
        redis.outcome_text redis.outcomes redis.redis_store redis.row_text redis.script
        redis.survey searched_tasks sql sql.catalog_reads sql.catalog_writes sql.change_rows
        sql.change_writes sql.changes sql.claim sql.copies sql.database sql.deliveries
        sql.dialect sql.entry_reader sql.held_claim sql.history sql.history_rows
        sql.incident_rows sql.incidents sql.migrations sql.missing_parts sql.move_values
        sql.mysql sql.newest_records sql.notices sql.old_rows sql.open_claims sql.outcomes
        sql.plan_moves sql.postgresql sql.presence sql.query_conditions sql.record
        sql.running_moves sql.running_runs sql.sql_store sql.sqlite sql.store_part sql.survey
        sql.tables sql.terms sql.upcoming sql.url sqlite_quick_list store_facts
    """,
    "leaders": """
        databases file mysql none postgresql redis sql_lease sqlite
    """,
    "publishers": """
        amqp_frames app_value canvas_arguments canvas_capture canvas_inside canvas_message
        canvas_parts canvas_renderer canvas_shape canvas_signature canvas_template capture
        celery celery_app celery_message chord_counter chord_writes confirms encoder filesystem
        kombu_channel kombu_json kombu_template largest_step lazy_arguments memory message
        missing_queues placeholders queue_state rabbitmq redis_bindings redis_lists
        redis_refusals remote_control renderer revocation run_arguments run_ids sentry_headers
        sqlalchemy sqs template transports
    """,
    "observers": """
        health last_state log log_formats metrics outcome_lines pause_lines skip_lines systemd
        traces
    """,
    "outcomes": """
        deliveries filesystem_queue_reader known_runs kombu_queue_reader lost_runs
        outcome_reader queue_connection queue_readers rabbitmq_queue_reader redis_queue_reader
        report_reader result_backend results_reader sqlalchemy_queue_reader sqs_queue_reader
        valid_reports
    """,
    "imports": """
        beat_schedule celery_object celery_terms celerybeat_schedule crontab_file found_entry
        json_text pickled readers redbeat redbeat_rrule running_beat scheduler_tables shelve_file
        table_row to_entries
    """,
    "engine": """
        batch_events batch_size broker_outage clock_steps election limits lookahead may_lead
        moves open_claims outage outage_causes pipeline rewind settled_moves standby
        store_outage terms_seen tick
    """,
    "dispatches": """
        atomic_dispatch prepared step_dispatch
    """,
    "edits": """
        apply_declared apply_step bulk_edit declared_set editing entry_change held_name
        keyed_request late_edits ownership patch pausing repair replan request_arguments
        run_requests stored_names undo unknown_entry write_imported
    """,
    "copying": """
        copy_counts copy_state store_copying
    """,
    "config": """
        embedded_folders entries entry_paths environment extras http_section http_settings
        json_schema load located_data schemes secret_file_mode settings store_files tls_files
        unjudged url_options urls values yaml yaml_scalars yaml_syntax
    """,
    "sources": """
        app declarations deferred_errors django_entry django_mirror django_rows file_watch files
        reading_log row_conflicts row_writer second_looks start_settings storable_arguments
        storable_canvas store_copy
    """,
    "alerts": """
        channel digest flapping incident_book judge judge_whole message outages span_text starts
        watched
    """,
    "monitors": """
        check_in
    """,
    "notifiers": """
        apprise apprise_child heartbeat http_request ping sentry webhook
    """,
    "daemon": """
        alert_events alert_news alert_round alert_sender alert_thread alerting campaign canvas_runs
        celery_inspect copied_store daemon daemon_state dispatch_choice empty_status end_watch
        failed_runs failing_entries foreground_terminal heartbeat housekeeping idle_gc loop
        monitor_thread next_due next_signal not_received_news outcome_status outcome_thread
        outcome_writer parts pause_news paused_entries planning_rules process_start reload_note
        service startup status store_clock store_status trial unknown_tasks
    """,
    "web": """
        answers api api.apply api.body_problems api.bulk api.call api.change_pages api.cursor
        api.entries_read api.entries_write api.entry_answer api.entry_facts api.entry_pauses
        api.entry_runs api.history_pages api.installation api.merge_patch api.openapi api.operation
        api.operations api.preview api.refusal api.request_values api.routing api.schemas
        application gate give_way guess_limit http_hosts http_protocol http_server kept pages
        pages.addresses pages.ahead pages.backfill pages.badge pages.banners pages.bulk
        pages.calendar pages.changes pages.daemons pages.density pages.edit pages.entries
        pages.entry pages.entry_fields pages.entry_list pages.entry_state pages.icalendar
        pages.incidents pages.lateness_chart pages.moments pages.overview
        pages.owner_words pages.rendering
        pages.run_history pages.run_now pages.run_strip probes proxy raw_path_route same_origin
        security_headers session sign_in site static_files templates tokens visitor visitors
    """,
    "remote": """
        api daemon_url from_json refusals remote_catalog remote_daemon remote_edits remote_parts
    """,
    "why": """
        answer answer_json around chain facts incidents_now not_planned not_sent outage_now
        published queue_wait time_words
    """,
    "wiring": """
        alerting backends build configured_store daemon_service monitors packages started web
    """,
    "celery": """
        beat_schedule_sync scheduler settings
    """,
    "worker": """
        auto error_line held_delivery installation rare_warning report_line report_sender
        reporter request_hooks running_process
    """,
    "shadow": """
        followed_entries overlapping_ledger report saved_tally sent_listener shadow
        silent_publisher tally
    """,
    "views": """
        change_rows copied_to entry_rows entry_search failing incident_json needs_reload next_runs
        nobody_leads outcome_rows pause_text planned_ahead quiet_minute record_rows request_progress
        run_changes set_changes shown_outcomes step_rows time_text
    """,
    "discovery": """
        celery_apps environment_urls found_lines other_schedulers project python_files
        written_config
    """,
    "doctor": """
        broker daemons examination finding http_port probing receivers repeats reports
        server_settings store versions workers
    """,
    "cli": """
        add alert_check alerts apply apply_input author backfill bash_completion changes check
        chosen_store colours column_widths commands completion completion_line completion_names
        config_option connect_check declared_entries diff diff_json diff_lines differences doctor
        edit entry_options entry_scope entry_sets entry_warnings escapes export failure git_files
        history import_ incidents init leader_note list moment_gaps monitor_check named_entries next
        next_lines next_of_all not_received_line nothing_listed option_words output overlap_warnings
        paged_table pause pause_resume paused_lines progress queue_note remove resume run
        schedule_options schema shadow_report show status store table_times trigger undo
        url_option version_line why yaml_text zsh_completion
    """,
    "report_queue": "",
}

#: What each room may import besides values, seams and itself.
BELOW = {
    "schedules": set(),
    "definition": {"schedules"},
    "servers": set(),
    "stores": {"servers"},
    "leaders": {"servers"},
    "publishers": {"servers", "definition"},
    "report_queue": set(),
    "observers": set(),
    "outcomes": {"report_queue"},
    "imports": {"servers", "definition", "schedules", "publishers"},
    "engine": set(),
    "dispatches": set(),
    "edits": {"definition"},
    "copying": set(),
    "config": {"definition", "schedules"},
    "sources": {
        "config", "edits", "imports", "definition", "schedules", "publishers", "stores",
    },
    "alerts": {"schedules"},
    "monitors": set(),
    "notifiers": {"alerts", "definition", "monitors"},
    "daemon": {
        "alerts", "engine", "edits", "observers", "monitors", "outcomes", "definition",
        "schedules",
    },
    "web": {"observers", "edits", "definition", "schedules", "why", "views", "alerts"},
    "remote": {"definition", "edits", "schedules", "why"},
    "why": {"schedules"},
    "views": {"alerts", "definition", "edits", "schedules"},
    "wiring": {
        "daemon", "sources", "web", "config", "observers", "outcomes", "engine", "dispatches",
        "stores", "leaders", "publishers", "definition", "schedules", "alerts", "monitors",
        "notifiers",
    },
    "celery": {
        "wiring", "daemon", "sources", "config", "edits", "imports", "observers", "definition",
    },
    "worker": {"report_queue", "servers"},
    "shadow": {
        "wiring", "daemon", "sources", "config", "dispatches", "observers", "definition",
        "publishers",
    },
    "discovery": {"config", "wiring"},
    "doctor": {
        "config", "definition", "outcomes", "publishers", "schedules", "stores", "views", "wiring",
    },
    "cli": {
        "celery", "discovery", "doctor", "shadow", "wiring", "daemon", "sources", "config",
        "copying", "edits", "imports", "observers", "outcomes", "definition", "schedules",
        "publishers", "stores", "why", "alerts", "notifiers", "views", "remote",
    },
    "": {"embed"},
    "__main__": {"cli"},
    "embed": {"wiring", "daemon", "config", "edits", "observers"},
    "demo": {"worker"},
}  # fmt: skip
FLOORS = 11  # `__main__` stands on the uppermost
LIBRARIES = {
    "celery", "click", "croniter", "dateutil", "django", "ephem", "kombu", "prometheus_client",
    "psycopg", "pymysql", "pytz", "redis", "rich", "sqlalchemy", "yaml", "boto3", "amqp",
    "apprise",
}  # fmt: skip
#: Libraries that come together: one speaks through the other.
FAMILIES = (
    {"celery", "kombu", "amqp", "redis"},
    {"sqlalchemy", "psycopg", "pymysql"},
    {"croniter", "pytz", "dateutil", "ephem", "celery"},
)
BACKENDS = {
    "schedules", "stores", "leaders", "publishers", "observers", "outcomes", "notifiers",
}  # fmt: skip


def files() -> Iterator[tuple[str, Path]]:
    """Yield the dotted name below beatd of every module, and its file."""
    for path in sorted(ROOT.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        yield ".".join(part for part in parts if part != "__init__"), path


@cache
def imported(path: Path) -> frozenset[str]:
    """Return the full name of everything that a file imports, for the type checker too."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: a relative import"
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return frozenset(found)


def modules_of(name: str) -> set[str]:
    """Return the modules of beatd that a module imports, `package.__init__` as `package`."""
    found = set()
    for full in imported(ALL[name]):
        below = full.removeprefix("beatd.")
        if below != full:
            found.add(below if below in ALL else below.rpartition(".")[0])
    return found & set(ALL) - {name}


def room_of(name: str) -> str:
    return name.split(".")[0]


ALL = dict(files())
KNOWN = {
    *VALUES, *SEAMS, *STARTED, *MODULES,
    *(f"{room}.{name}" for room, names in MODULES.items() for name in names.split()),
}  # fmt: skip


def test_every_module_is_known_by_name() -> None:
    assert set(ALL) - KNOWN == set(), "name the new module in MODULES, in the room where it belongs"
    assert KNOWN - set(ALL) == set(), "these are gone: take them out of MODULES"


@pytest.mark.parametrize("name", ALL)
def test_a_module_imports_only_what_lies_below_it(name: str) -> None:
    used = {room_of(other) for other in modules_of(name)} - {room_of(name)}
    if name in VALUES:
        allowed = VALUES
    elif name in SEAMS:
        allowed = VALUES | SEAMS
    else:
        allowed = VALUES | SEAMS | {""} | BELOW[room_of(name)]
    assert used <= allowed


def test_no_module_imports_itself_in_a_circle() -> None:
    graph = {name: modules_of(name) - {""} for name in ALL if name}
    while True:
        free = {name for name in graph if not graph[name] & set(graph)}
        if not free:
            break
        graph = {name: used for name, used in graph.items() if name not in free}
    assert not graph, f"in a circle, or above one: {sorted(graph)}"


def test_the_house_has_few_floors() -> None:
    above: dict[str, set[str]] = {}
    for name in ALL:
        above.setdefault(room_of(name), set()).update(
            {room_of(other) for other in modules_of(name)} - {room_of(name), ""}
        )

    def floor(room: str) -> int:
        return 1 + max(map(floor, above[room]), default=0)

    assert floor("__main__") <= FLOORS


@pytest.mark.parametrize("name", [name for name in ALL if room_of(name) in BACKENDS])
def test_a_backend_knows_one_library(name: str) -> None:
    used = {module.split(".")[0] for module in imported(ALL[name])} & LIBRARIES
    assert len(used) <= 1 or any(used <= family for family in FAMILIES), used


@pytest.mark.parametrize(
    "name", [n for n in ALL if n in VALUES | SEAMS or room_of(n) in ("engine", "edits", "alerts")]
)
def test_the_engine_and_the_edits_know_no_backend(name: str) -> None:
    used = {module.split(".")[0] for module in imported(ALL[name])} & LIBRARIES
    # planning names the version of the zone data that a plan was made with
    assert used <= ({"pytz"} if name == "planning" else set())
