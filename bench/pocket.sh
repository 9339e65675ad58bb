#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A pocket cloud as an S3 server against SeaweedFS (`weed server -s3`, all in one process, the better of two settings), both checking SigV4:
# requests and processor time a request for objects of 16 KiB, over 16 connections, the same signed requests from the same client. Then how
# long a pocket cloud takes from exec to listening, and what it holds idle, against limits. Bottleneck: system calls, and hashing what is put.
set -eu
build=$1
. "$(dirname "$0")/../tests/interop/env.sh"
python=$(interop_python "$(dirname "$0")/requirements-pocket.txt") || exit $?
interop_begin
"$python" "$(dirname "$0")/pocket.py" "${ISOBAR_BENCH_PROGRAM:-$build/isobar}" "$(dirname "$python")/weed" "$interop_folder" "${ISOBAR_BENCH_SECONDS:-4}"
