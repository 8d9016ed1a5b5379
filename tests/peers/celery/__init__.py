"""celery's own tests of its beat, run on beatd's scheduler class.

`original/test_beat.py` is t/unit/app/test_beat.py of celery 5.7.0 as it was published, not a letter
changed; it is celery's, under the licence beside it.
"""
