#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# boto3's kms and secretsmanager against a pocket cloud. test_... BUILD
exec "$(dirname "$0")/pocket.sh" "$1/isobar" aws boto3-keys boto3
