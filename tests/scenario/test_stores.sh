#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC1091,SC2154
# The three drivers against the three pocket clouds, in the clear and encrypted: the same suite that runs against the servers of
# others in tests/interop. test_... BUILD
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../interop/env.sh"
interop_begin

run() { # PROVIDER REGION POCKET-OPTIONS...
	provider=$1 region=$2
	shift 2
	folder=$interop_folder/$provider${1:+-tls}
	mkdir "$folder"
	interop_start "$folder/log" "$build/isobar" pocket --as "$provider" --name "pocket-$provider" --root "$folder/root" \
		--announce "$folder/announce.json" "$@"
	interop_wait_file "$folder/announce.json" 10
	python3 - "$provider" "$region" "$folder" "${certificate:-}" << 'END' || exit 1
import json, os, sys
provider, region, folder, ca_file = sys.argv[1:]
cloud = {"name": "pocket-" + provider, "provider": provider, "region": region,
         "store_url": json.load(open(folder + "/announce.json"))["url"],
         "credentials": json.load(open(folder + "/root/credentials.json"))}
if cloud["store_url"].startswith("https:"):
    cloud["ca_file"] = ca_file
unknown = {name: cloud[name] for name in cloud if name != "ca_file"}
sealed = dict(cloud, local_root=folder + "/local", sealed=[{"bucket": "isobar-sealed", "key": "lake"}])
for name, config in ("plain", cloud), ("sealed", sealed), ("unknown", unknown):
    with open(f"{folder}/{name}.json", "w", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
        json.dump(config, file)
END
	echo "# $provider${1:+ over TLS}"
	"$build/tests/store-driver" "$folder/plain.json" isobar-plain || failed=1
	echo "# $provider${1:+ over TLS}, encrypted"
	"$build/tests/store-driver" "$folder/sealed.json" isobar-sealed || failed=1
}

build=$1
failed=0
run aws us-east-1
run gcp europe-west4
run azure westeurope
# Over TLS bodies go unsigned, proved by their checksum.
certificate=$interop_folder/certificate.pem
openssl req -x509 -newkey rsa:2048 -nodes -keyout "$interop_folder/key.pem" -out "$certificate" -days 1 -subj /CN=pocket \
	-addext subjectAltName=IP:127.0.0.1 2> /dev/null || exit 1
run aws us-east-1 --certificate "$certificate" --key "$interop_folder/key.pem"
# Without the authority that signed it, a certificate is worth nothing.
if ! "$build/tests/store-driver" "$folder/unknown.json" isobar-unknown | grep -q "of 127.0.0.1 is not trusted"; then
	echo "not ok - a certificate of an unknown authority was taken"
	failed=1
fi
exit $failed
