#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Start-up of the core binary against other command-line programs of the trade. Bottleneck: the dynamic loader (libraries and relocations).
set -eu
build=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
hyperfine -N --warmup 20 --runs 200 --export-json "$work/times.json" "$build/isobar --version" "haproxy -v" >/dev/null 2>&1
python3 - "$work/times.json" <<'PY'
import json
import sys

ours, peer = [1000 * result["median"] for result in json.load(open(sys.argv[1]))["results"]]
print("figure=start.version_ms value=%.2f unit=ms peer=haproxy peer_value=%.2f ratio=%.2f" % (ours, peer, peer / ours))
PY
