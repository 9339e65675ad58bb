#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# All reconcilers under virtual time (tests/simulate): ISOBAR_SIMULATE_SEEDS seeds (300) from ISOBAR_SIMULATE_FIRST (1), and the same seed
# plays the same run twice. test_simulation.sh BUILD
set -eu
simulate=$(cd "$1" && pwd)/tests/simulate
first=${ISOBAR_SIMULATE_FIRST:-1} count=${ISOBAR_SIMULATE_SEEDS:-300}
work=$(mktemp -d "${TMPDIR:-/tmp}/isobar-simulate-XXXXXX")
states=$work
if [ -d /dev/shm ] && [ -w /dev/shm ]; then states=$(mktemp -d /dev/shm/isobar-XXXXXX); fi # they need not outlive the run
export TMPDIR="$states"
trap 'rm -rf "$work" "$states"' EXIT

# Two processes, one for each processor: the worlds cost about the same on both sides.
"$simulate" --world make --seeds "$first:$count" >"$work/make" 2>&1 &
other=$!
failed=0
for world in apply deploy ingest replicas; do
	"$simulate" --world "$world" --seeds "$first:$count" || failed=1
done
wait $other || failed=1
cat "$work/make"
[ $failed = 0 ] || exit 1

for world in apply deploy ingest replicas make; do
	"$simulate" --world $world --seeds 77:3 >"$work/once"
	"$simulate" --world $world --seeds 77:3 >"$work/twice"
	cmp -s "$work/once" "$work/twice" || { echo "FAILED: the same seeds play another run of $world"; cat "$work/once" "$work/twice"; exit 1; }
done
