#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Our safetensors against the format's reference implementation, both ways. test_safetensors.sh BUILD
. "$(dirname "$0")/env.sh"
python=$(interop_python "$(dirname "$0")/requirements-safetensors.txt") || exit $?
interop_begin
[ -x "$1/tests/tool-safetensors" ] || ninja -C "$1" tests/tool-safetensors > "$interop_folder/ninja.log" 2>&1 || { tail -5 "$interop_folder/ninja.log" >&2; exit 1; }
"$python" "$(dirname "$0")/safetensors_reference.py" "$1/tests/tool-safetensors" "$interop_folder"
