#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC1091,SC2154
# The SageMaker driver against moto, a server that others wrote, which keeps records and runs nothing. test_... BUILD
here=$(cd "$(dirname "$0")" && pwd)
. "$here/env.sh"
python=$(interop_python "$here/requirements-moto.txt") || exit $?
interop_begin
interop_start "$interop_folder/log" "$python" -m moto.server -H 127.0.0.1 -p 0
url=$(interop_wait_log 's/.*Running on \(http:[^ ]*\).*/\1/p' 60) || exit 1
cat > "$interop_folder/cloud.json" << END
{"name": "moto", "provider": "aws", "region": "us-east-1", "store_url": "$url", "services_url": "$url", "image": "isobar",
 "job_role": "arn:aws:iam::123456789012:role/isobar-jobs", "workspace": "interop",
 "credentials": {"access_key_id": "AKIATEST", "secret_access_key": "secret"}}
END
"$1/tests/sagemaker-driver" "$interop_folder/cloud.json" isobar-interop
