#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# google-cloud-aiplatform against a pocket cloud, over TLS with a private CA: its raw_predict knows no other scheme.
# test_... BUILD
set -u
here=$(cd "$(dirname "$0")" && pwd)
program=$1/isobar
. "$here/env.sh"

python=$(interop_python "$here/requirements-google-cloud-aiplatform.txt") || exit $?
interop_begin
"$python" "$here/make_certificate.py" "$interop_folder/cert.pem" "$interop_folder/key.pem" || exit 1
root=$interop_folder/pocket
interop_start "$interop_folder/log" "$program" pocket --as gcp --name interop --root "$root" --pace 600 \
	--certificate "$interop_folder/cert.pem" --key "$interop_folder/key.pem" --announce "$interop_folder/announce.json"
interop_wait_file "$interop_folder/announce.json" 10
url=$(sed -n 's/.*"url": *"\([^"]*\)".*/\1/p' "$interop_folder/announce.json")
REQUESTS_CA_BUNDLE=$interop_folder/cert.pem "$python" "$here/google_cloud_aiplatform_pocket.py" "$url" "$root/credentials.json" || {
	tail -n 20 "$interop_folder/log" >&2
	exit 1
}
