#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# azure-storage-blob against a pocket cloud. test_... BUILD
exec "$(dirname "$0")/pocket.sh" "$1/isobar" azure azure-storage-blob
