#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC1091,SC2154
# SigV4 against botocore on random requests. test_... BUILD
here=$(cd "$(dirname "$0")" && pwd)
. "$here/env.sh"
python=$(interop_python "$here/requirements-boto3.txt") || exit $?
exec "$python" "$here/sigv4_botocore.py" "$1/tests/sigv4-driver"
