#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Plan and apply on pocket clouds: what is declared is made once, a second plan is empty, changes are planned by field, what fails is told and
# tried again, what is destroyed is gone.
. "$(dirname "$0")/env.sh"
ws=$work/small
small "$ws"
cd "$ws" || exit 1

expect_code 0 "$isobar" plan
expect "$work/out" "Plan: 20 to create, 0 to change, 0 to replace, 0 to delete."
expect "$work/out" "endpoint/classify on gcp-eu: model/classifier has no version with the alias champion"
[ ! -e .isobar/pocket ] || fail "a first plan started something"
expect_code 2 "$isobar" plan --detailed-exitcode

# Nobody approves.
expect_code 2 "$isobar" apply
expect "$work/err" "--auto-approve"
expect_code 0 "$isobar" apply --auto-approve
expect "$work/out" "Apply complete: 20 done, 3 waiting."
expect "$work/err" "endpoint/classify on aws-us: waiting: model/classifier has no version with the alias champion"
expect_code 0 "$isobar" plan --detailed-exitcode
expect "$work/out" "No changes."
expect_code 0 "$isobar" apply --auto-approve -o json
expect_code 0 "$isobar" events --type revision. -o json
[ "$(grep -c '"revision.committed"' "$work/out")" = 1 ] || fail "an apply without changes made a revision"

# A change in place, as JSON.
sed -i 's/rounds: 3/rounds: 4/' isobar.yaml
expect_code 0 "$isobar" plan -o json
python3 - "$work/out" <<'PY'
import json, sys
plan = json.load(open(sys.argv[1]))
todo = [c for c in plan["changes"] if c["action"] != "nothing"]
assert [c["address"] for c in todo] == ["training/classifier"] and todo[0]["action"] == "update", todo
assert todo[0]["fields"] == [{"path": "federated.rounds", "before": 3, "after": 4, "replaces": False}], todo
PY
expect_code 0 "$isobar" apply --auto-approve
sed -i 's/rounds: 4/rounds: 3/' isobar.yaml
expect_code 0 "$isobar" apply --auto-approve

# A bucket that somebody deleted is made again.
python3 - <<'PY'
import glob, shutil
found = glob.glob(".isobar/pocket/aws-us/buckets/*lake*")
assert found, "where does the pocket cloud keep its buckets?"
for path in found:
    shutil.rmtree(path)
PY
"$isobar" down
expect_code 2 "$isobar" plan --detailed-exitcode
expect "$work/out" "bucket/lake on aws-us will be created: was deleted outside of Isobar"
expect_code 0 "$isobar" apply --auto-approve
expect_code 0 "$isobar" plan --detailed-exitcode

# Two at once: the second one says so.
expect_code 0 "$isobar" up
expect_code 0 "$isobar" plan
expect "$work/out" "No changes."
expect_code 5 "$isobar" up --foreground
expect "$work/err" "another isobar works on this workspace"
expect_code 0 "$isobar" status -o json
python3 - "$work/out" <<'PY'
import json, sys
status = json.load(open(sys.argv[1]))
assert status["serving"] and [c["up"] for c in status["clouds"]] == [True] * 3, status
PY

# A cloud that does not answer: the plan goes by the record and says so, a run says which cloud and where.
kill -9 "$(python3 -c 'import json; print(json.load(open(".isobar/pocket/azure-eu/announce.json"))["pid"])')"
expect_code 0 "$isobar" plan
expect "$work/out" "bucket/lake on azure-eu: its cloud did not answer, so the plan goes by the record"
expect "$work/out" "No changes."
expect_code 7 "$isobar" run dataset/images
expect "$work/err" "isobar: dataset/images: "
expect "$work/err" "cannot be reached"

# The API answers nobody without the token.
url=$(python3 -c 'import json; print(json.load(open(".isobar/control.json"))["url"])')
python3 - "$url" <<'PY'
import sys, urllib.error, urllib.request
try:
    urllib.request.urlopen(sys.argv[1] + "/v1/health")
    raise SystemExit("answered without a token")
except urllib.error.HTTPError as error:
    assert error.code == 401, error
PY
[ "$(stat -c %a .isobar/control.token)" = 600 ] || fail "the token can be read by others"
expect_code 0 "$isobar" down
[ ! -e .isobar/control.json ] || fail "down left control.json"

# Destroy: a bucket with objects is not deleted by accident.
expect_code 0 "$isobar" data cp isobar.yaml gcp-eu:lake/kept/
expect_code 5 "$isobar" destroy --auto-approve
expect "$work/err" "still hold objects, so nothing is done"
expect "$work/err" "bucket/lake on gcp-eu"
expect_code 0 "$isobar" data cat gcp-eu:lake/kept/isobar.yaml
cmp -s "$work/out" isobar.yaml || fail "the object is another one"
expect_code 0 "$isobar" destroy --auto-approve --objects
expect_code 0 "$isobar" status -o json
python3 - "$work/out" <<'PY'
import json, sys
assert json.load(open(sys.argv[1]))["resources"]["total"] == 0
PY
"$isobar" down
