#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# google-cloud-kms and google-cloud-secret-manager against a pocket cloud. test_... BUILD
exec "$(dirname "$0")/pocket.sh" "$1/isobar" gcp google-cloud-kms
