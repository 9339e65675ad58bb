#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A plan without changes over COUNT resources (100,000): the whole command, comparing alone, and memory. The workspace and its state are
# made first, in memory where there is room, and by apply itself. No other tool of the trade is packaged for Debian, so the peer is the
# limit that was set beforehand. Bottleneck: reading YAML (half), reading the records, cache misses while comparing.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
isobar=$(cd "$1" && pwd)/isobar
count=${COUNT:-100000}
base=${TMPDIR:-/tmp}
[ -d /dev/shm ] && [ -w /dev/shm ] && base=/dev/shm
work=$(mktemp -d "$base/isobar-bench-plan-XXXXXX")
unset ISOBAR_ENV ISOBAR_WORKSPACE || true
cleanup() {
	"$isobar" down "$work/large" >/dev/null 2>&1 || true
	rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 1' INT TERM
python3 "$here/plan_workspace.py" "$work/large" "$count"
"$isobar" apply --auto-approve "$work/large" >/dev/null 2>"$work/log" || { tail -5 "$work/log" >&2; exit 1; }
python3 - "$isobar" "$work/large" "$count" <<'PY'
import json
import os
import subprocess
import sys
import time

isobar, folder, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
totals, diffs, peaks = [], [], []
for _ in range(5):
    start = time.monotonic()
    process = subprocess.Popen([isobar, "plan", "-o", "json", folder], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    plan = json.loads(process.stdout.read())
    _, status, used = os.wait4(process.pid, 0)
    totals.append(time.monotonic() - start)
    assert status == 0 and plan["empty"] and plan["resources"] == count, (status, plan["digest"], plan["resources"])
    diffs.append(plan["timing"]["diff_ms"])
    peaks.append(used.ru_maxrss / 1024)


def figure(name, value, unit, limit):
    print("figure=%s value=%.2f unit=%s peer=limit peer_value=%.2f ratio=%.2f" % (name, value, unit, limit, limit / value))


figure("plan.total_s", sorted(totals)[2], "s", 1.5)
figure("plan.diff_ms", sorted(diffs)[2], "ms", 150)
figure("plan.rss_mib", sorted(peaks)[2], "MiB", 300)
PY
