#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The three drivers against the three pocket clouds, in the clear and encrypted: the same suite that runs against the servers of
# others in tests/interop. test_... BUILD
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../interop/env.sh"
interop_begin

run() { # PROVIDER REGION
	folder=$interop_folder/$1
	mkdir "$folder"
	interop_start "$folder/log" "$build/isobar" pocket --as "$1" --name "pocket-$1" --root "$folder/root" --announce "$folder/announce.json"
	interop_wait_file "$folder/announce.json" 10
	python3 - "$1" "$2" "$folder" << 'END' || exit 1
import json, os, sys
provider, region, folder = sys.argv[1:]
cloud = {"name": "pocket-" + provider, "provider": provider, "region": region,
         "store_url": json.load(open(folder + "/announce.json"))["url"],
         "credentials": json.load(open(folder + "/root/credentials.json"))}
sealed = dict(cloud, local_root=folder + "/local", sealed=[{"bucket": "isobar-sealed", "key": "lake"}])
for name, config in ("plain", cloud), ("sealed", sealed):
    with open(f"{folder}/{name}.json", "w", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
        json.dump(config, file)
END
	echo "# $1"
	"$build/tests/store-driver" "$folder/plain.json" isobar-plain || failed=1
	echo "# $1, encrypted"
	"$build/tests/store-driver" "$folder/sealed.json" isobar-sealed || failed=1
}

build=$1
failed=0
run aws us-east-1
run gcp europe-west4
run azure westeurope
exit $failed
