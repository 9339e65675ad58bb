# SPDX-License-Identifier: Apache-2.0
# What scenario tests in shell share: sourced with the build folder as $1. Gives $isobar, a folder $work that is removed at the end, and
# fail, expect, expect_code, small, helper. At the end the workspaces in $work are taken down; a test fails when a process of it runs
# even then, or when a sanitizer wrote into a log.
# shellcheck shell=sh
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
isobar=$(cd "${1:?usage: $0 BUILD-FOLDER}" && pwd)/isobar
work=$(mktemp -d "${TMPDIR:-/tmp}/isobar-scenario-XXXXXX")
unset ISOBAR_ENV ISOBAR_WORKSPACE ISOBAR_CRASH_AT || true
export NO_COLOR=1

helper() {
	python3 "$root/tests/scenario/scenario.py" "$@"
}

cleanup() {
	code=$?
	trap - EXIT
	cd /
	for hidden in "$work"/*/.isobar "$work"/.isobar; do
		[ -d "$hidden" ] && "$isobar" down "$(dirname "$hidden")" >/dev/null 2>&1 || true
	done
	told=$(helper reports "$work") || { echo "$told" && code=1; }
	told=$(helper leftovers "$work") || [ "$code" -ne 0 ] || { echo "$told" && code=1; }
	if [ "$code" -ne 0 ] && [ -n "${ISOBAR_KEEP:-}" ]; then
		echo "kept: $work"
	else
		rm -rf "$work"
	fi
	exit "$code"
}
trap cleanup EXIT
trap 'exit 1' INT TERM

fail() {
	echo "FAILED: $*" >&2
	exit 1
}

# expect FILE TEXT: the file holds the text.
expect() {
	grep -qF -- "$2" "$1" || { cat "$1" >&2; fail "expected: $2"; }
}

# expect_code CODE COMMAND...: runs it; output in $work/out, errors in $work/err.
expect_code() {
	wanted=$1
	shift
	code=0
	"$@" >"$work/out" 2>"$work/err" </dev/null || code=$?
	[ "$code" = "$wanted" ] || { cat "$work/out" "$work/err" >&2; fail "exit code $code instead of $wanted: $*"; }
}

# small FOLDER: a workspace of 3,000 images and 3 rounds (tests/scenario/small).
small() {
	[ -e /usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz ] || { echo "dataset-fashion-mnist is not installed"; exit 77; }
	mkdir "$1"
	cp "$root/tests/scenario/small/isobar.yaml" "$1"
	helper data "$1/data"
}
