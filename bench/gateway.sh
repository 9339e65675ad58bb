#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Requests a second through the gateway (API key, role, strict audit; and without audit) against HAProxy with one thread, keep-alive on both
# sides, a check of the same header and no log: two tiny upstreams, 32 connections, the same run on the same machine. Bottleneck: with
# audit, the disk's sync; without, system calls: one read and one write a side and request. And what a request to an endpoint in SageMaker costs
# the gateway beyond one to an open endpoint: processor time of both for the same inference of 6 KiB, its signature included.
set -eu
build=$1
program=${ISOBAR_BENCH_PROGRAM:-$build/isobar}
seconds=${ISOBAR_BENCH_SECONDS:-4}
work=$(mktemp -d)
pids=
finish() {
	for pid in $pids; do kill "$pid" 2>/dev/null || true; done
	for pid in $pids; do wait "$pid" 2>/dev/null || true; done
	rm -rf "$work"
}
trap finish EXIT INT TERM

python3 - "$work" <<'PY'
import hashlib
import hmac
import json
import os
import socket
import sys

work = sys.argv[1]
sockets = [socket.socket() for _ in range(3)]
for s in sockets:
    s.bind(("127.0.0.1", 0))
one, two, peer = [s.getsockname()[1] for s in sockets]
secret = os.urandom(32)
key = "isk_" + "A" * 12 + "_" + "b" * 43
with open(os.open(work + "/secret", os.O_WRONLY | os.O_CREAT, 0o600), "wb") as f:
    f.write(secret)
digest = hmac.new(secret, key.encode(), hashlib.sha256).hexdigest()
for name, audit in (("strict", {"mode": "strict", "folder": work + "/audit"}), ("plain", {"mode": "none"})):
    targets = [{"endpoint": "m", "cloud": c, "url": "http://127.0.0.1:%d" % p, "weight": 1} for c, p in (("a", one), ("b", two))]
    route = {"name": "m", "path": "/v2/models/m/**", "endpoint": "m", "targets": targets,
             "retry": {"attempts": 2, "idempotent": True}, "require": {"any": ["api-key"]}}
    role = {"name": "r", "members": ["api-key/bench"], "allow": [{"actions": ["model.*"], "resources": ["endpoint/m"]}]}
    snapshot = {"name": name, "generation": 1, "listen": "127.0.0.1:0", "audit": audit, "key_hash_secret_file": work + "/secret",
                "api_keys": [{"name": "bench", "id": "A" * 12, "digest": digest, "expires": ""}], "roles": [role], "routes": [route]}
    json.dump(snapshot, open("%s/%s.json" % (work, name), "w"))
clouds = [("a", one), ("b", two)]
signed = dict(snapshot, name="signed", routes=[dict(route, targets=[
    {"endpoint": "m", "cloud": c, "url": "http://127.0.0.1:%d/endpoints/m/invocations" % p, "weight": 1, "service": "sagemaker"} for c, p in clouds])])
json.dump(signed, open(work + "/signed.json", "w"))
with open(os.open(work + "/upstreams.json", os.O_WRONLY | os.O_CREAT, 0o600), "w") as f:
    json.dump({"credentials": [{"cloud": c, "endpoint": "m", "service": "sagemaker", "access_key": "AKIDEXAMPLE", "region": "us-east-1",
                                "secret": "s" * 40, "session": "t" * 700} for c, _ in clouds]}, f)
image = [float(i % 251) / 251 for i in range(784)]
body = json.dumps({"inputs": [{"name": "image", "shape": [1, 784], "datatype": "FP32", "data": [round(x, 4) for x in image]}]})
with open(work + "/infer.lua", "w") as f:
    f.write("wrk.method = 'POST'\nwrk.headers['content-type'] = 'application/json'\nwrk.body = [[%s]]\n" % body)
common = "global\n    nbthread 1\n    maxconn 4000\ndefaults\n    mode http\n    timeout connect 1s\n    timeout client 30s\n    timeout server 30s\n"
answer = '    http-request return status 200 content-type application/json string "{\\"name\\":\\"m\\"}"\n'
upstreams = common + "".join("frontend u%d\n    bind 127.0.0.1:%d\n%s" % (p, p, answer) for p in (one, two))
proxy = common + """frontend f
    bind 127.0.0.1:%d
    http-request deny deny_status 401 unless { req.hdr(authorization) -m str "Bearer %s" }
    http-request del-header authorization
    default_backend b
backend b
    balance leastconn
    http-reuse always
    server s1 127.0.0.1:%d
    server s2 127.0.0.1:%d
""" % (peer, key, one, two)
open(work + "/upstreams.cfg", "w").write(upstreams)
open(work + "/proxy.cfg", "w").write(proxy)
open(work + "/peer", "w").write("http://127.0.0.1:%d" % peer)
open(work + "/key", "w").write(key)
PY

haproxy -db -f "$work/upstreams.cfg" >"$work/upstreams.log" 2>&1 &
pids="$pids $!"
haproxy -db -f "$work/proxy.cfg" >"$work/proxy.log" 2>&1 &
pids="$pids $!"
for name in strict plain signed; do
	"$program" gateway --snapshot "$work/$name.json" --announce "$work/$name.url" >"$work/$name.log" 2>&1 &
	pids="$pids $!"
	eval "pid_$name=$!"
done
url_of() { python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["url"])' "$work/$1.url"; }
python3 - "$work" <<'PY'
import os
import socket
import sys
import time

work = sys.argv[1]
for _ in range(200):
    try:
        socket.create_connection(("127.0.0.1", int(open(work + "/peer").read().rsplit(":", 1)[1]))).close()
        if os.path.exists(work + "/strict.url") and os.path.exists(work + "/plain.url") and os.path.exists(work + "/signed.url"):
            sys.exit(0)
    except OSError:
        pass
    time.sleep(0.05)
sys.exit("the programs did not start within 10 s")
PY
idle_kb=$(awk '/^VmRSS/ {print $2}' "/proc/$pid_plain/status")

# Prints requests a second; any answer but 200 ends the run, since it would be measured as a fast one.
measure() {
	wrk -t1 -c32 -d"${seconds}s" -H "authorization: Bearer $(cat "$work/key")" "$1/v2/models/m/ready" >"$work/wrk"
	if grep -q 'Non-2xx\|Socket errors' "$work/wrk"; then
		cat "$work/wrk" >&2
		exit 1
	fi
	awk '/^Requests\/sec/ {print $2}' "$work/wrk"
}
measure "$(cat "$work/peer")" >/dev/null # warm
peer=$(measure "$(cat "$work/peer")")
plain=$(measure "$(url_of plain)")
strict=$(measure "$(url_of strict)")
awk -v ours="$plain" -v peer="$peer" 'BEGIN {
	printf "figure=gateway.requests value=%.0f unit=1/s peer=haproxy peer_value=%.0f ratio=%.2f\n", ours, peer, ours / peer }'
awk -v ours="$strict" -v peer="$peer" 'BEGIN {
	printf "figure=gateway.audited_requests value=%.0f unit=1/s peer=haproxy_without_audit peer_value=%.0f ratio=%.2f\n", ours, peer, ours / peer }'
awk -v ours="$idle_kb" 'BEGIN { printf "figure=gateway.idle_rss value=%.1f unit=MiB peer=limit peer_value=10 ratio=%.2f\n", ours / 1024, 10240 / ours }'

# Microseconds of processor time of a gateway per inference.
cpu_ticks() { awk '{print $14 + $15}' "/proc/$1/stat"; }
measure_cpu() {
	before=$(cpu_ticks "$2")
	wrk -t1 -c32 -d"${seconds}s" -s "$work/infer.lua" -H "authorization: Bearer $(cat "$work/key")" "$1/v2/models/m/infer" >"$work/wrk"
	after=$(cpu_ticks "$2")
	if grep -q 'Non-2xx\|Socket errors' "$work/wrk"; then
		cat "$work/wrk" >&2
		exit 1
	fi
	awk -v ticks="$((after - before))" -v hz="$(getconf CLK_TCK)" '/requests in/ {printf "%.2f\n", ticks / hz * 1e6 / $1}' "$work/wrk"
}
# shellcheck disable=SC2154 # pid_signed and pid_plain come from the eval above
signed=$(measure_cpu "$(url_of signed)" "$pid_signed")
open=$(measure_cpu "$(url_of plain)" "$pid_plain")
awk -v signed="$signed" -v open="$open" 'BEGIN {
	printf "figure=gateway.signed_request_cpu value=%.1f unit=us peer=open_endpoint peer_value=%.1f ratio=%.2f\n", signed, open, open / signed }'
