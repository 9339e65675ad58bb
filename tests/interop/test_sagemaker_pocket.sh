#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC1091,SC2154
# The SageMaker driver against a pocket cloud, with real containers: workers and a model server of Isobar. test_... BUILD
here=$(cd "$(dirname "$0")" && pwd)
program=$1/isobar
. "$here/env.sh"
interop_begin
chmod 755 "$interop_folder" # jobs run under users of their own
root=$interop_folder/pocket
interop_start "$interop_folder/log" "$program" pocket --as aws --name interop --root "$root" \
	--announce "$interop_folder/announce.json"
interop_wait_file "$interop_folder/announce.json" 10
/usr/bin/python3 - "$interop_folder" << 'END'
import json, sys
folder = sys.argv[1]
url = json.load(open(folder + "/announce.json"))["url"]
own = json.load(open(folder + "/pocket/credentials.json"))
keys = {name: own[name] for name in ("access_key_id", "secret_access_key")}
json.dump({"name": "pocket", "provider": "aws", "region": "us-east-1", "store_url": url, "services_url": url, "image": "isobar",
           "job_role": own["role"], "workspace": "interop", "credentials": keys}, open(folder + "/cloud.json", "w"))
END
"$1/tests/sagemaker-driver" "$interop_folder/cloud.json" isobar-interop runs
status=$?
[ "$status" -eq 0 ] || tail -n 20 "$interop_folder/log" >&2
kill "$interop_started"
wait "$interop_started" 2> /dev/null
"$program" pocket end "$root" > /dev/null || exit 1
exit "$status"
