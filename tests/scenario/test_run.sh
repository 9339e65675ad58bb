#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The small job, whole: run makes a champion and its endpoints, a second run makes nothing, a changed setting makes what depends on it; what is
# made is listed, read back, and told in a report that loads nothing.
. "$(dirname "$0")/env.sh"
ws=$work/small
small "$ws"
cd "$ws" || exit 1

expect_code 5 "$isobar" run model/classifier@champion
expect "$work/err" "run \`isobar apply\` first"
expect_code 0 "$isobar" apply --auto-approve
expect_code 0 "$isobar" run --dry-run model/classifier@champion
[ "$(grep -c 'never made' "$work/out")" = 4 ] || fail "not four steps to make"
expect_code 0 "$isobar" run model/classifier@champion
expect "$work/err" "round 3 of 3: 3 of 3 clouds, 2500 samples"
expect "$work/err" "version 1 is champion"
expect_code 0 "$isobar" run model/classifier@champion
grep -q "round" "$work/err" && fail "a second run trained again"

# The files of the version are the same bytes on every cloud, and what isobar models says.
for cloud in aws-us gcp-eu azure-eu; do
	expect_code 0 "$isobar" data cat "$cloud:lake/models/classifier/1/weights.safetensors"
	sha256sum "$work/out" | cut -d' ' -f1
done | sort -u >"$work/digests"
[ "$(wc -l <"$work/digests")" = 1 ] || fail "the weights differ between clouds"
expect_code 0 "$isobar" models -o json
expect "$work/out" "$(cat "$work/digests")"

# Objects of an encrypted bucket are not readable where they lie.
python3 - <<'PY'
import pathlib
for path in pathlib.Path(".isobar/pocket").rglob("*"):
    if path.is_file() and b"layer0.weight" in path.read_bytes():
        raise SystemExit("%s holds weights in the clear" % path)
PY

expect_code 0 "$isobar" endpoints -o json
python3 - "$work/out" <<'PY'
import json, sys, urllib.request
endpoints = json.load(open(sys.argv[1]))["endpoints"]
assert len(endpoints) == 3 and all(e["state"] == "ready" and e["version"] == "1" for e in endpoints), endpoints
for e in endpoints:
    with urllib.request.urlopen(e["url"] + "/v2/health/ready") as answer:
        assert answer.status == 200
PY
expect_code 0 "$isobar" plan --detailed-exitcode

# Another setting: the training and what comes of it, not the data.
sed -i 's/seed: 1/seed: 2/' isobar.yaml
expect_code 0 "$isobar" apply --auto-approve
expect_code 0 "$isobar" run --dry-run model/classifier@champion -o json
python3 - "$work/out" <<'PY'
import json, sys
steps = {s["step"]: s["up_to_date"] for s in json.load(open(sys.argv[1]))["steps"]}
assert steps == {"dataset/images": True, "transform/prepared": True, "training/classifier": False, "model/classifier@champion": False}, steps
PY
expect_code 0 "$isobar" run model/classifier@champion
expect "$work/err" "version 2 is champion"

expect_code 0 "$isobar" cost -o json
python3 - "$work/out" <<'PY'
import json, sys
cost = json.load(open(sys.argv[1]))
assert cost["bytes_moved"] > 0 and cost["price"] > 0 and cost["currency"] == "USD", cost
PY
expect_code 0 "$isobar" report --file "$work/report.html"
expect "$work/report.html" "training loss"
if grep -E 'src=|href=|url\(|https?://' "$work/report.html" >/dev/null; then fail "the report loads something"; fi
expect_code 0 "$isobar" audit verify
expect_code 3 "$isobar" overrides end "endpoint/classify on aws-us"
expect_code 3 "$isobar" run pipeline/nothing

# A cloud that is down: the plan goes by the record and says so; down ends everything.
pid=$(python3 -c 'import json; print(json.load(open(".isobar/pocket/gcp-eu/announce.json"))["pid"])')
expect_code 0 "$isobar" down
if grep -q '^State:[[:space:]]*[A-Y]' "/proc/$pid/status" 2>/dev/null; then fail "down left a pocket cloud"; fi
expect_code 0 "$isobar" status
expect "$work/out" "cloud/gcp-eu"
