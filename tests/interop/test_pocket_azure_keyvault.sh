#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC1091,SC2154
# azure-keyvault-keys and azure-keyvault-secrets against a pocket cloud, over TLS under a CA of the test's own (the clients send no token
# over plain http). test_... BUILD
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd)
. "$here/env.sh"
python=$(interop_python "$here/requirements-azure-keyvault.txt") || exit $?
interop_begin
cd "$interop_folder" || exit 1
{
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=interop-ca -keyout ca.key -out ca.pem &&
		openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=localhost -keyout server.key -out server.csr &&
		printf 'subjectAltName=IP:127.0.0.1,DNS:localhost\n' > extensions &&
		openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile extensions -out server.pem
} > openssl.log 2>&1 || {
	cat openssl.log >&2
	exit 1
}
chmod 600 server.key
interop_start "$interop_folder/log" "$build/isobar" pocket --as azure --name interop --root "$interop_folder/pocket" \
	--certificate server.pem --key server.key --announce "$interop_folder/announce.json"
interop_wait_file "$interop_folder/announce.json" 10
url=$(sed -n 's/.*"url": *"\([^"]*\)".*/\1/p' announce.json)
"$python" "$here/azure_keyvault_pocket.py" "${url%/*}" pocket/credentials.json ca.pem || {
	tail -n 20 "$interop_folder/log" >&2
	exit 1
}
