#!/usr/bin/env bash
# The tests and then the linters, whatever the tests said: `make test` runs this beside its servers.
pytest -m "not long" -p no:cacheprovider "$@"
code=$?
{ ruff format --check . && ruff check . && mypy; } || code=1
exit $code
