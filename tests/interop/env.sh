# SPDX-License-Identifier: Apache-2.0
# For the interop tests, sourced: environments with the clients and servers of others, and processes that end with the test.
# Exit codes of an interop test: 0 passed, 77 skipped (the reason on standard error), 1 failed.

INTEROP_CACHE=${ISOBAR_INTEROP_CACHE:-$HOME/.cache/isobar-interop}

interop_skip() {
	echo "interop: skipped: $*" >&2
	exit 77
}

# interop_python REQUIREMENTS_FILE: prints the python of a virtual environment that holds the requirements. Made once and kept under
# the hash of the file. Skips when the packages cannot be had. Call it as python=$(interop_python FILE) || exit $?
interop_python() {
	[ -x /usr/bin/python3 ] || interop_skip "there is no /usr/bin/python3"
	folder=$INTEROP_CACHE/$(sha256sum "$1" | cut -c1-16)
	mkdir -p "$INTEROP_CACHE"
	(
		flock 9
		[ -e "$folder/complete" ] && exit 0
		rm -rf "$folder"
		/usr/bin/python3 -m venv "$folder" > "$folder.log" 2>&1 ||
			interop_skip "python3 -m venv failed (python3-venv installed?): $(tail -n 1 "$folder.log")"
		"$folder/bin/python" -m pip install --quiet --disable-pip-version-check --only-binary :all: -r "$1" >> "$folder.log" 2>&1 ||
			interop_skip "the packages of $1 cannot be installed: $(grep -v '^\[notice\]' "$folder.log" | tail -n 1)"
		touch "$folder/complete"
	) 9> "$folder.lock" || return $?
	echo "$folder/bin/python"
}

# A folder of the test's own, removed at its end together with the processes that interop_start started.
interop_pids=
interop_folder=
interop_begin() {
	interop_folder=$(mktemp -d "${TMPDIR:-/tmp}/isobar-interop-XXXXXX") || exit 1
	trap interop_end EXIT
	trap 'exit 1' INT TERM
}
interop_end() {
	for pid in $interop_pids; do
		kill "$pid" 2> /dev/null
	done
	for pid in $interop_pids; do
		wait "$pid" 2> /dev/null
	done
	rm -rf "$interop_folder"
}
# interop_record NAME PIP-PACKAGE-OR-SERVER: what makes the driver write a record for tests/records, when ISOBAR_RECORDS names that
# folder. Sets interop_record.
interop_record=()
interop_record() {
	[ -z "${ISOBAR_RECORDS:-}" ] || interop_record=(--record "$ISOBAR_RECORDS/$1.json" server "$2")
}
# interop_start LOG COMMAND...: in the background; interop_started is its process id.
interop_start() {
	interop_log=$1
	shift
	"$@" > "$interop_log" 2>&1 < /dev/null &
	interop_started=$!
	interop_pids="$interop_pids $interop_started"
}
# interop_wait_file FILE SECONDS: until the file is there (written whole, as announcements are) or the last process started has ended.
interop_wait_file() {
	tries=$(($2 * 20))
	while [ ! -e "$1" ]; do
		tries=$((tries - 1))
		if [ "$tries" -le 0 ] || ! kill -0 "$interop_started" 2> /dev/null; then
			echo "interop: $1 did not appear; the log says:" >&2
			tail -n 20 "$interop_log" >&2
			exit 1
		fi
		sleep 0.05
	done
}
# interop_wait_log SED_EXPRESSION SECONDS: prints what the expression makes of the last started process' log, as soon as it makes anything.
interop_wait_log() {
	tries=$(($2 * 10))
	while :; do
		found=$(sed -n "$1" "$interop_log" | head -n 1)
		[ -z "$found" ] || break
		tries=$((tries - 1))
		if [ "$tries" -le 0 ] || ! kill -0 "$interop_started" 2> /dev/null; then
			echo "interop: the server did not start; its log says:" >&2
			tail -n 20 "$interop_log" >&2
			return 1
		fi
		sleep 0.1
	done
	echo "$found"
}
# A port that was free a moment ago, for servers that do not say which one they got.
interop_free_port() {
	/usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}
# interop_npm NAME@VERSION: prints the node_modules folder that holds the package. Made once, like interop_python's environments.
interop_npm() {
	command -v node > /dev/null && command -v npm > /dev/null || interop_skip "there is no node or no npm"
	folder=$INTEROP_CACHE/npm-$(echo "$1" | tr -c 'a-zA-Z0-9.\n' -)
	mkdir -p "$INTEROP_CACHE"
	(
		flock 9
		[ -e "$folder/complete" ] && exit 0
		rm -rf "$folder"
		npm install --ignore-scripts --no-audit --no-fund --prefix "$folder" "$1" > "$folder.log" 2>&1 ||
			interop_skip "$1 cannot be installed: $(tail -n 1 "$folder.log")"
		touch "$folder/complete"
	) 9> "$folder.lock" || return $?
	echo "$folder/node_modules"
}
