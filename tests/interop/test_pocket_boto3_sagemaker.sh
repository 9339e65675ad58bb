#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# boto3's sagemaker, sagemaker-runtime and logs against a pocket cloud, with a container of somebody's own on its PATH.
# test_... BUILD
set -u
here=$(cd "$(dirname "$0")" && pwd)
program=$1/isobar
. "$here/env.sh"

python=$(interop_python "$here/requirements-boto3.txt") || exit $?
interop_begin
chmod 755 "$interop_folder" # jobs run under users of their own
mkdir "$interop_folder/bin"
install -m 755 "$here/sagemaker_container.py" "$interop_folder/bin/serve"
root=$interop_folder/pocket
PATH="$interop_folder/bin:$PATH" interop_start "$interop_folder/log" "$program" pocket --as aws --name interop --root "$root" \
	--announce "$interop_folder/announce.json"
interop_wait_file "$interop_folder/announce.json" 10
url=$(sed -n 's/.*"url": *"\([^"]*\)".*/\1/p' "$interop_folder/announce.json")
"$python" "$here/boto3_sagemaker_pocket.py" "$url" "$root/credentials.json"
status=$?
[ "$status" -eq 0 ] || tail -n 20 "$interop_folder/log" >&2
kill "$interop_started"
wait "$interop_started" 2> /dev/null
"$program" pocket end "$root" > /dev/null || exit 1
exit "$status"
