#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# rclone, and with it the Go SDKs of the three providers, against pocket clouds: copies of a tree there, between clouds, and back
# must be the same files. test_... BUILD
set -u
here=$(cd "$(dirname "$0")" && pwd)
. "$here/env.sh"
python=$(interop_python "$here/requirements-rclone.txt") || exit $?
interop_begin
export RCLONE_CONFIG=$interop_folder/rclone.conf

rclone() {
	"$(dirname "$python")/rclone" --retries 1 --low-level-retries 2 --stats 0 "$@" || {
		echo "rclone $* failed" >&2
		exit 1
	}
}
field() { # FILE MEMBER
	"$python" -c 'import json, sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' "$1" "$2"
}

for provider in aws gcp azure; do
	root=$interop_folder/$provider
	interop_start "$root.log" "$1/isobar" pocket --as $provider --name $provider --root "$root" --announce "$root.json"
	interop_wait_file "$root.json" 20
	url=$(field "$root.json" url)
	case $provider in
	aws) printf '[aws]\ntype = s3\nprovider = Other\nregion = eu-central-1\nendpoint = %s\naccess_key_id = %s\nsecret_access_key = %s\nchunk_size = 5Mi\nupload_cutoff = 5Mi\n' \
		"$url" "$(field "$root/credentials.json" access_key_id)" "$(field "$root/credentials.json" secret_access_key)" ;;
	gcp) printf '[gcp]\ntype = google cloud storage\nproject_number = 1\nendpoint = %s/storage/v1/\nservice_account_file = %s\nbucket_policy_only = true\n' \
		"$url" "$root/credentials.json" ;;
	azure) printf '[azure]\ntype = azureblob\naccount = %s\nkey = %s\nendpoint = %s\nchunk_size = 4Mi\n' \
		"$(field "$root/credentials.json" account)" "$(field "$root/credentials.json" key)" "$url" ;;
	esac >> "$RCLONE_CONFIG"
done

tree=$interop_folder/tree
mkdir -p "$tree/deep/er" "$tree/a b+c"
head -c 300000 /dev/urandom > "$tree/some"
head -c 20000003 /dev/urandom > "$tree/deep/large"
: > "$tree/deep/er/empty"
echo text > "$tree/a b+c/é#?&.txt"
for i in $(seq 30); do echo "$i" > "$tree/deep/er/n$i"; done

for provider in aws gcp azure; do
	rclone mkdir $provider:lake
	rclone copy "$tree" $provider:lake/tree
	rclone check --download "$tree" $provider:lake/tree
	rclone check "$tree" $provider:lake/tree # by the checksums that the cloud tells
	[ "$(rclone lsf -R $provider:lake | grep -vc '/$')" = 34 ] || exit 1
	rclone copyto $provider:lake/tree/some $provider:lake/copied # on the server
	rclone moveto $provider:lake/copied $provider:lake/moved
	rclone check --download --one-way $provider:lake/tree "$tree"
	[ "$(rclone cat --offset 100 --count 5 $provider:lake/tree/deep/large | md5sum)" = "$(tail -c +101 "$tree/deep/large" | head -c 5 | md5sum)" ] || exit 1
	echo "ok $provider"
done
rclone sync aws:lake/tree gcp:lake/tree
rclone sync gcp:lake/tree azure:lake/two
rclone copy azure:lake/two "$interop_folder/back"
diff -r "$tree" "$interop_folder/back" || exit 1
for provider in aws gcp azure; do
	rclone purge $provider:lake
	[ -z "$(rclone lsf $provider:)" ] || exit 1
done
echo "ok from cloud to cloud and back"
