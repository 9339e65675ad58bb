#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC1091,SC2154
# The drivers of KMS and Secrets Manager against moto, a server that others wrote. test_... BUILD
here=$(cd "$(dirname "$0")" && pwd)
. "$here/env.sh"
python=$(interop_python "$here/requirements-moto.txt") || exit $?
interop_begin
interop_start "$interop_folder/log" "$python" -m moto.server -H 127.0.0.1 -p 0
url=$(interop_wait_log 's/.*Running on \(http:[^ ]*\).*/\1/p' 60) || exit 1
cat > "$interop_folder/cloud.json" << END
{"name": "moto", "provider": "aws", "region": "eu-central-1", "workspace": "interop", "services_url": "$url",
 "credentials": {"access_key_id": "AKIATEST", "secret_access_key": "secret"}}
END
"$1/tests/keys-driver" "$interop_folder/cloud.json" disabled
