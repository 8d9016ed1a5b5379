"""celery's tests that say nothing about beatd's class, each with the reason."""

#: Classes of the original whose tests name no scheduler: they are of celery's own code alone.
OF_CELERY = {
    "test_BeatLazyFunc": "a class of celery's: tests/publishers/test_lazy_arguments.py",
    "test_ScheduleEntry": "a class of celery's, of which beatd reads the fields",
    "test_beat_nodename": "a function of celery's",
    "test_BeatPidbox": "celery's answer to `inspect ping`, on a Mock for a scheduler",
    "test_schedule": "a class of celery's; what it becomes here: tests/sources/test_app.py",
}

HEAP = "it sets celery's heap by hand; the plan is in the store: tests/engine/test_tick.py"
ASKED = "its schedule is a mock that is asked is_due; beatd works moments out ahead of them"
TIME = "it drives celery's tick; the same moments, asked of beatd: test_moments.py"
FILE = "the file of celery's PersistentScheduler, only read here: tests/imports"

#: test of the original -> why it is not run
INAPPLICABLE = {
    "test_Scheduler": {
        "test_due_tick": ASKED,
        "test_due_tick_returns_delay_when_heap_top_changed": HEAP,
        "test_due_tick_SchedulingError": ASKED,
        "test_tick_survives_entry_failing_in_populate_heap": ASKED,
        "test_tick_survives_entry_failing_when_due": HEAP,
        "test_pending_tick": ASKED,
        "test_pending_left_10_milliseconds_tick": ASKED,
        "test_honors_max_interval": ASKED,
        "test_ticks": ASKED,
        "test_ticks_microseconds": HEAP,
        "test_tick_solar_across_dst": TIME,
        "test_tick_daily_relative_spring_forward": TIME,
        "test_ticks_schedule_change": HEAP,
        "test_schedule_no_remain": ASKED,
        "test_not_due_top_entry_is_rescheduled_behind_due_entry": HEAP,
        "test_reheap_skipped_when_is_due_mutates_heap": HEAP,
        "test_tick_uses_fresh_time_when_heap_top_changes": HEAP,
        "test_tick_dispatches_missed_cron_within_deadline_non_uniform": TIME,
        "test_tick_skips_missed_cron_outside_deadline_non_uniform": TIME,
        "test_tick_dispatches_missed_cron_on_deadline_boundary_non_uniform": TIME,
    },
    "test_SchedulerShutdown": {
        "test_persistent_close_twice_with_real_shelf": FILE,
        "test_persistent_close_before_schedule_setup": FILE,
        "test_persistent_close_releases_connection_when_store_close_fails": FILE,
    },
    "test_PersistentScheduler": {
        "test_remove_db": FILE,
        "test_create_schedule_corrupted": FILE,
        "test_create_schedule_corrupted_dbm_error": FILE,
        "test_create_schedule_corrupted_pickle_error": FILE,
        "test_create_schedule_missing_entries": FILE,
        "test_create_schedule_invalid_stored_crontab": FILE,
        "test_create_schedule_missing_entries_not_logged": FILE,
        "test_setup_schedule": FILE,
        "test_get_schedule": FILE,
        "test_run_all_due_tasks_after_restart": TIME,
    },
}
