#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# boto3 against STS and IAM of a pocket cloud. test_... BUILD
export POCKET_PROGRAM=$1/isobar
exec "$(dirname "$0")/pocket.sh" "$1/isobar" aws boto3-identity boto3
