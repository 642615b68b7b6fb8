#!/bin/sh
# What `make bench` runs: run.py, with the same options.
exec python3 "$(dirname "$0")/run.py" "$@"
