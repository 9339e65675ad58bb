#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The small job in the clouds' own services: test_services.sh BUILD
exec "$(dirname "$0")/test_small_job.sh" "$1" services
