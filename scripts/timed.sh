#!/bin/sh
# usage: timed.sh NAME COMMAND...
# Runs one part of the tests and says how long it took, also when it failed.
set -u
name=$1
shift
echo "== $name"
begin=$(date +%s)
"$@"
status=$?
echo "== $name: $(($(date +%s) - begin)) s, status $status"
exit $status
