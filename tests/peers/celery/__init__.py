"""celery's own tests of its beat, run on beatd's scheduler class.

source_distribution.py fetches them (here: the original), substituted.py imports them with beatd's
class, test_beat.py runs them, and inapplicable.py lists those that say nothing about beatd.
"""
