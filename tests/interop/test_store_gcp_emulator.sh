#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC1091,SC2154
# The Cloud Storage driver against gcp-storage-emulator, a server that others wrote. test_... BUILD
here=$(cd "$(dirname "$0")" && pwd)
. "$here/env.sh"
python=$(interop_python "$here/requirements-gcp-storage-emulator.txt") || exit $?
command -v openssl > /dev/null || interop_skip "there is no openssl to make a key with"
interop_begin
interop_start "$interop_folder/token-log" "$python" "$here/token_server.py"
token_url=$(interop_wait_log 's/^listening on \(http:.*\)/\1/p' 20) || exit 1
port=$(interop_free_port)
interop_start "$interop_folder/log" "$(dirname "$python")/gcp-storage-emulator" start --host 127.0.0.1 --port "$port" --in-memory
interop_wait_log 's/.*\(All services started\).*/\1/p' 60 > /dev/null || exit 1
openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$interop_folder/key.pem" 2> /dev/null || exit 1
"$python" - "$token_url" "http://127.0.0.1:$port" "$interop_folder" << 'END' || exit 1
import json, sys
token_url, url, folder = sys.argv[1:]
credentials = {"type": "service_account", "client_email": "isobar@emulator.test", "private_key": open(folder + "/key.pem").read(),
               "private_key_id": "1", "token_uri": token_url + "/token", "project_id": "emulated"}
cloud = {"name": "emulator", "provider": "gcp", "region": "europe-west4", "store_url": url, "credentials": credentials}
json.dump(cloud, open(folder + "/cloud.json", "w"))
END
# It checks no tokens, knows no preconditions, gives all in one page, and answers a range behind the end with an empty one.
interop_record gcp-storage-emulator "$(sed -n 's/^gcp-storage-emulator==/gcp-storage-emulator /p' "$here/requirements-gcp-storage-emulator.txt")"
"$1/tests/store-driver" "$interop_folder/cloud.json" isobar-interop "${interop_record[@]}" credentials conditions identity paging range-errors
