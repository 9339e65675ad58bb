#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The store drivers against the pocket clouds: all that the suite of store_ops asks, nothing left out. test_... BUILD
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../interop/env.sh"
interop_begin
failed=0
for place in aws/eu-central-1 gcp/europe-west4 azure/westeurope; do
	provider=${place%/*}
	root=$interop_folder/$provider
	interop_start "$interop_folder/$provider.log" "$1/isobar" pocket --as $provider --name $provider --root "$root" \
		--announce "$root.json"
	interop_wait_file "$root.json" 20
	url=$(sed -n 's/.*"url": *"\([^"]*\)".*/\1/p' "$root.json")
	cat > "$root.cloud.json" << END
{"name": "$provider", "provider": "$provider", "region": "${place#*/}", "store_url": "$url",
 "credentials": $(cat "$root/credentials.json")}
END
	echo "== $provider"
	"$1/tests/store-driver" "$root.cloud.json" isobar-scenario || failed=1
done
exit $failed
