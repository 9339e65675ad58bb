#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# pocket.sh PROGRAM PROVIDER CLIENT [REQUIREMENTS]: starts a pocket cloud (PROGRAM pocket --as PROVIDER) in a folder of its own and runs
# CLIENT_pocket.py, an official client library, against it. PROGRAM: isobar, or any program with its pocket command.
set -u
here=$(cd "$(dirname "$0")" && pwd)
program=$1 provider=$2 client=$3
. "$here/env.sh"

python=$(interop_python "$here/requirements-${4:-$client}.txt") || exit $?
interop_begin
root=$interop_folder/pocket
interop_start "$interop_folder/log" "$program" pocket --as "$provider" --name interop --root "$root" \
	--announce "$interop_folder/announce.json"
interop_wait_file "$interop_folder/announce.json" 10
url=$(sed -n 's/.*"url": *"\([^"]*\)".*/\1/p' "$interop_folder/announce.json")
"$python" "$here/$(echo "$client" | tr - _)_pocket.py" "$url" "$root/credentials.json" || {
	tail -n 20 "$interop_folder/log" >&2
	exit 1
}
