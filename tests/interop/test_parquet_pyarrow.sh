#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Our Parquet against Apache Arrow's, both ways. test_parquet_pyarrow.sh BUILD
. "$(dirname "$0")/env.sh"
python=$(interop_python "$(dirname "$0")/requirements-pyarrow.txt") || exit $?
interop_begin
[ -x "$1/tests/parquet-driver" ] || ninja -C "$1" tests/parquet-driver > "$interop_folder/ninja.log" 2>&1 || { tail -5 "$interop_folder/ninja.log" >&2; exit 1; }
"$python" "$(dirname "$0")/parquet_pyarrow.py" "$1/tests/parquet-driver" "$interop_folder"
