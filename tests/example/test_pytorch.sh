#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# examples/pytorch as a user runs it: a program that knows nothing of Isobar becomes a version of a model; killed in the middle, it goes on
# from its checkpoint; run again, nothing is done.
. "$(dirname "$0")/../scenario/env.sh"
/usr/bin/python3 -c 'import torch, numpy' 2>/dev/null || { echo "python3-torch is not installed: make example-pytorch installs it"; exit 77; }
[ -d /usr/share/datasets/fashion-mnist ] || { echo "dataset-fashion-mnist is not installed"; exit 77; }
ws=$work/cnn
cp -R "$root/examples/pytorch" "$ws"
cd "$ws" || exit 1

# worker_pid: of the training's job while its command runs.
worker_pid() {
	/usr/bin/python3 - .isobar/local/gcp-eu/jobs/train+*/status.json <<'PYTHON'
import json, sys
with open(sys.argv[1]) as handle:
    status = json.load(handle)
print(status["worker"]["pid"] if status["state"] == "running" else "")
PYTHON
}

expect_code 0 "$isobar" validate
expect_code 0 "$isobar" apply --auto-approve
"$isobar" run pipeline/cnn >"$work/run" 2>&1 &
run=$!
tries=0
until grep -q "epoch 1" .isobar/local/gcp-eu/jobs/train+*/log 2>/dev/null; do
	tries=$((tries + 1))
	[ $tries -lt 1200 ] || { cat "$work/run" >&2; fail "the first epoch never ended"; }
	kill -0 $run 2>/dev/null || { cat "$work/run" >&2; fail "the run ended before its first epoch"; }
	sleep 0.1
done
pid=$(worker_pid)
[ -n "$pid" ] || fail "no worker runs"
kill -KILL "$pid"
wait $run || { cat "$work/run" >&2; fail "the run did not go on after its worker was killed"; }
expect "$work/run" "lost"

log=$(echo .isobar/local/gcp-eu/jobs/train+*/log)
[ "$(grep -c "epoch 1:" "$log")" = 1 ] || fail "the first epoch ran again"
expect "$log" "epoch 2:"
grep -Eq "accuracy 0\.8[4-9]" "$log" || { cat "$log" >&2; fail "the network did not learn"; }
expect_code 0 "$isobar" models
expect "$work/out" "cnn"
expect_code 0 "$isobar" data ls gcp-eu:lake/models/cnn/1/
expect "$work/out" "weights.safetensors"
expect_code 0 "$isobar" run pipeline/cnn
[ "$(ls -d .isobar/local/gcp-eu/jobs/train+* | wc -l)" = 1 ] || fail "a second run trained again"
