#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC1091,SC2154
# The Blob driver against Azurite, Microsoft's emulator. test_... BUILD
here=$(cd "$(dirname "$0")" && pwd)
. "$here/env.sh"
modules=$(interop_npm azurite@3.37.0) || exit $?
interop_begin
interop_start "$interop_folder/log" node "$modules/azurite/dist/src/blob/main.js" --blobHost 127.0.0.1 --blobPort 0 \
	--inMemoryPersistence --disableTelemetry
url=$(interop_wait_log 's/.*successfully listens on \(http:[^ ]*\).*/\1/p' 60) || exit 1
# A range behind the end is answered with an empty one. The account and key of every storage emulator, as documented.
cat > "$interop_folder/cloud.json" << END
{"name": "azurite", "provider": "azure", "region": "westeurope", "store_url": "$url/devstoreaccount1",
 "credentials": {"account": "devstoreaccount1",
  "key": "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="}}
END
interop_record azure-azurite "azurite 3.37.0"
"$1/tests/store-driver" "$interop_folder/cloud.json" isobar-interop "${interop_record[@]}" range-errors
