#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# azure-mgmt-machinelearningservices and azure-identity against a pocket Azure, over TLS with a private CA, as they insist.
# test_... BUILD
set -u
here=$(cd "$(dirname "$0")" && pwd)
program=$1/isobar
. "$here/env.sh"

command -v openssl > /dev/null || interop_skip "there is no openssl to make a certificate with"
python=$(interop_python "$here/requirements-azure-ml.txt") || exit $?
interop_begin
chmod 755 "$interop_folder" # jobs run under users of their own
root=$interop_folder/pocket
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=pocket \
	-addext subjectAltName=IP:127.0.0.1 -keyout "$interop_folder/key.pem" -out "$interop_folder/ca.pem" 2> /dev/null ||
	interop_skip "openssl req failed"
interop_start "$interop_folder/log" "$program" pocket --as azure --name interop --root "$root" \
	--certificate "$interop_folder/ca.pem" --key "$interop_folder/key.pem" --announce "$interop_folder/announce.json"
interop_wait_file "$interop_folder/announce.json" 10
url=$(sed -n 's/.*"url": *"\([^"]*\)".*/\1/p' "$interop_folder/announce.json")
"$python" "$here/azure_ml_pocket.py" "$url" "$root/credentials.json" "$interop_folder/ca.pem" "$program" || {
	tail -n 20 "$interop_folder/log" >&2
	exit 1
}
