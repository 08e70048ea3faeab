#!/bin/sh
# usage: chaos.sh [PART...]
# Tries to break the promise, part by part (all of them where none is named), for some hours, and writes docs/reliability.md
# from what was counted. A part that fails does not keep the others from running; the status is 1 then.
set -u
cd "$(dirname "$0")/.."
go=${GO:-go}
export HOLDFAST_REQUIRE=1 HOLDFAST_PROOF="$PWD/out/proof.jsonl" HOLDFAST_COMMIT="${HOLDFAST_COMMIT:-$(git describe --tags --always --dirty 2>/dev/null)}"
mkdir -p out

part() {
	case $1 in
	named) env HOLDFAST_DAYS=20 HOLDFAST_BATCHES=5000 "$go" test -v -count 1 -p 1 -timeout 2h ./cmd/gateway ./uplink ./receiver ./buffer ;;
	kills) env HOLDFAST_KILLS=1000 HOLDFAST_FAULTS=20 "$go" test -v -count 1 -timeout 6h ./test/chaos/... ;;
	images) env HOLDFAST_IMAGES=1000000 "$go" test -v -count 1 -timeout 4h ./test/crash ;;
	damage) env HOLDFAST_COPIES=10000 "$go" test -v -count 1 -timeout 4h ./test/damage ;;
	power) env HOLDFAST_CUTS=50 "$go" test -v -count 1 -timeout 3h -run PowerCut ./test/virtualpi ;;
	fuzz) env HOLDFAST_FUZZ=120 "$go" test -v -count 1 -timeout 6h ./test/fuzz ;;
	mutants) env HOLDFAST_MUTANTS=1 "$go" test -v -count 1 -timeout 2h ./test/mutants ;;
	*)
		echo "chaos: no part $1: want some of named kills images damage power fuzz mutants" >&2
		return 2
		;;
	esac
}

if [ $# -eq 0 ]; then
	rm -f "$HOLDFAST_PROOF"
	set -- named kills images damage power fuzz mutants
fi
failed=
for name; do
	echo "== $name"
	begin=$(date +%s)
	part "$name" >"out/chaos-$name.log" 2>&1
	status=$?
	grep -E '^(--- |ok|FAIL)|^    --- FAIL|the promise is broken' "out/chaos-$name.log" | cut -c 1-300
	echo "== $name: $(($(date +%s) - begin)) s, status $status (out/chaos-$name.log)"
	[ $status -eq 0 ] || failed="$failed $name"
done
"$go" run ./test/report "$HOLDFAST_PROOF" docs || failed="$failed report"
[ -z "$failed" ] || { echo "chaos: failed:$failed"; exit 1; }
