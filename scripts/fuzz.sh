#!/bin/sh
# Fuzzes every decoder for so many seconds each, 30 by default: test/fuzz finds them, and says how often each was executed.
set -eu
cd "$(dirname "$0")/.."
HOLDFAST_FUZZ=${1:-30} exec "${GO:-go}" test -v -count 1 -timeout 0 ./test/fuzz
