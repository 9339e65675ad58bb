#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC1091,SC2154
# The drivers of keys and secrets of all three providers against pocket clouds. test_... BUILD
here=$(cd "$(dirname "$0")" && pwd)
. "$here/env.sh"
interop_begin
failed=0
for provider in aws gcp azure; do
	root=$interop_folder/$provider
	interop_start "$interop_folder/log-$provider" "$1/isobar" pocket --as "$provider" --name interop --root "$root" \
		--announce "$interop_folder/$provider.json"
	interop_wait_file "$interop_folder/$provider.json" 10
	url=$(sed -n 's/.*"url": *"\(http:..[^/"]*\).*/\1/p' "$interop_folder/$provider.json")
	case $provider in
	aws) region=eu-central-1 ;;
	gcp) region=europe-west4 ;;
	azure) region=westeurope ;;
	esac
	cat > "$interop_folder/cloud.json" << END
{"name": "pocket-$provider", "provider": "$provider", "region": "$region", "workspace": "interop", "services_url": "$url",
 "vault_url": "$url", "credentials": $(cat "$root/credentials.json")}
END
	echo "# $provider"
	"$1/tests/keys-driver" "$interop_folder/cloud.json" || {
		failed=1
		tail -n 5 "$interop_folder/log-$provider" >&2
	}
done
exit $failed
