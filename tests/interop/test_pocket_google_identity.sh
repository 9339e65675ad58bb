#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# google-auth against a pocket cloud. test_... BUILD
export POCKET_PROGRAM=$1/isobar
exec "$(dirname "$0")/pocket.sh" "$1/isobar" gcp google-identity google-cloud-storage
