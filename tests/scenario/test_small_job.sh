#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The small job from nothing to nothing, as a user types it: test_small_job.sh BUILD [services]. On the local engine (tools/sanitize runs it so
# with the builds that have sanitizers), or, with `services`, in the clouds' own: SageMaker, Vertex AI, Azure ML, and their key services.
. "$(dirname "$0")/env.sh"
ws=$work/small
small "$ws"
cd "$ws" || exit 1
where=${2:-local}
if [ "$where" = services ]; then
	sed -i 's/, [a-z]*: {engine: local}//g' isobar.yaml
	! grep -q "{engine" isobar.yaml || fail "the local engine is still named"
fi

expect_code 0 "$isobar" validate
expect "$work/out" "The workspace small is valid"
expect_code 0 "$isobar" plan
expect "$work/out" "Plan: 20 to create, 0 to change, 0 to replace, 0 to delete."
[ ! -e .isobar/pocket ] || fail "a plan started clouds"

began=$(date +%s%N)
expect_code 0 "$isobar" apply --auto-approve
expect "$work/out" "Apply complete: 20 done, 3 waiting."
expect_code 0 "$isobar" run model/classifier@champion
ended=$(date +%s%N)
echo "apply and run: $(((ended - began) / 1000000)) ms"

# Nothing is to do twice.
expect_code 0 "$isobar" plan --detailed-exitcode
expect "$work/out" "No changes"
expect_code 0 "$isobar" run model/classifier@champion
[ "$(grep -c ' up to date$' "$work/err")" = 4 ] || fail "a second run found something to do: $(cat "$work/err")"

expect_code 0 "$isobar" models -o json
python3 - "$work/out" <<'PY'
import json, sys
model, = json.load(open(sys.argv[1]))["models"]
version, = model["versions"]
assert model["name"] == "classifier" and version["version"] == "1", model
assert model["aliases"]["champion"]["version"] == "1", model
assert version["metrics"]["accuracy on prepared/test"] >= 0.5, version
assert sorted(version["clouds"]) == ["aws-us", "azure-eu", "gcp-eu"], version
PY

# The endpoints answer through the gateway, and every answer is recorded, after the start of the gateway.
expect_code 0 helper infer "$ws" 5
expect "$work/out" "200 ["
expect_code 0 "$isobar" audit verify
expect "$work/out" "gateway/edge: 2 records, complete and unaltered"
expect_code 0 python3 "$root/docs/verify.py" .isobar/gateways/edge/audit
expect "$work/out" "intact, complete: 2 records"

# A role that is taken away holds at once, though no control plane runs.
sed -i 's/model.predict/model.read/' isobar.yaml
expect_code 0 "$isobar" apply --auto-approve
expect_code 1 helper infer "$ws" 1
expect "$work/out" "403 "

expect_code 0 "$isobar" destroy --objects --auto-approve
expect "$work/out" "Destroy complete: 20 done"
expect_code 0 "$isobar" status -o json
python3 - "$work/out" <<'PY'
import json, sys
status = json.load(open(sys.argv[1]))
assert status["resources"]["total"] == 0, status["resources"]
assert not [g for g in status["gateways"] if g["up"]], status["gateways"]
PY
for cloud in aws-us gcp-eu azure-eu; do
	buckets=$(ls ".isobar/pocket/$cloud/buckets")
	if [ "$where" = services ]; then
		buckets=$(echo "$buckets" | sed '/^azureml$/d') # Azure ML keeps the logs of its jobs in a container of its own
		! grep -l '"kind": "server"' ".isobar/pocket/$cloud/engine"/*/spec.json 2>/dev/null || fail "an endpoint is left on $cloud"
		[ -z "$(ls ".isobar/local/$cloud/jobs" ".isobar/local/$cloud/endpoints" ".isobar/local/$cloud/keys" 2>/dev/null)" ] ||
			fail "the local engine worked for $cloud"
	else
		[ -z "$(ls ".isobar/local/$cloud/endpoints")" ] || fail "an endpoint is left on $cloud"
	fi
	[ -z "$buckets" ] || fail "a bucket is left on $cloud"
done
helper leftovers "$work" || fail "destroy left processes"
