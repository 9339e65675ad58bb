#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What shells and manual readers make of what is generated for them: bash, zsh and fish complete; mandoc and groff find no mistake in a
# page. test_shells.sh BUILD
. "$(dirname "$0")/env.sh"
for program in bash zsh fish mandoc; do
	command -v $program >/dev/null || { echo "$program is not installed: make deps-test"; exit 77; }
done
interop_begin
PATH=$(cd "$1" && pwd):$PATH
root=$(cd "$(dirname "$0")/../.." && pwd)
failed=0
check() { # check NAME GOT WANTED
	[ "$2" = "$3" ] || { echo "$1: got [$2], wanted [$3]" >&2; failed=1; }
}

isobar reference --man "$interop_folder/man"
for page in "$interop_folder"/man/man*/*; do
	told=$(mandoc -T lint -W warning "$page" | grep -v "missing date")
	check "mandoc $page" "$told" ""
done

isobar completion bash >"$interop_folder/isobar.bash"
cat >"$interop_folder/try.bash" <<'TRY'
source "$1"
shift
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
_isobar 2>/dev/null
(IFS='|'; echo "${COMPREPLY[*]}")
TRY
in_bash() { (cd "$root/examples/fashion" && bash "$interop_folder/try.bash" "$interop_folder/isobar.bash" isobar "$@"); }
check "bash command" "$(in_bash valid)" "validate"
check "bash group" "$(in_bash audit "")" "verify"
check "bash option" "$(in_bash plan --detailed)" "--detailed-exitcode"
check "bash choice" "$(in_bash plan -o js)" "json"
check "bash address" "$(in_bash run route/cl)" "route/classify"

isobar completion zsh >"$interop_folder/_isobar"
cat >"$interop_folder/try.zsh" <<'TRY'
autoload -Uz compinit && compinit -u -d "$1/zcompdump"
source "$1/_isobar"
shift
[[ $_comps[isobar] == *_isobar* ]] || echo "not registered: $_comps[isobar]"
try() { # as zsh itself calls functions that were written for bash
	emulate -L sh
	setopt ksh_arrays ksh_glob brace_expand
	COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
	_isobar 2>/dev/null
	(IFS='|'; echo "${COMPREPLY[*]}")
}
try "$@"
TRY
# zsh itself drops what does not begin like the word, so the list is whole here.
offers() { # offers NAME LIST WANTED
	case "|$2|" in
	*"|$3|"*) ;;
	*) check "$1" "$2" "$3" ;;
	esac
}
in_zsh() { (cd "$root/examples/fashion" && zsh -f "$interop_folder/try.zsh" "$interop_folder" isobar "$@"); }
offers "zsh command" "$(in_zsh valid)" "validate"
offers "zsh group" "$(in_zsh audit "")" "verify"
offers "zsh option" "$(in_zsh plan --detailed)" "--detailed-exitcode"
offers "zsh choice" "$(in_zsh plan -o js)" "json"
offers "zsh address" "$(in_zsh run route/cl)" "route/classify"

mkdir -p "$interop_folder/home"
isobar completion fish >"$interop_folder/isobar.fish"
in_fish() { (cd "$root/examples/fashion" && HOME=$interop_folder/home fish --no-config -c "source $interop_folder/isobar.fish; complete -C '$1'" | cut -f 1 | paste -s -d '|'); }
check "fish command" "$(in_fish 'isobar valid')" "validate"
check "fish group" "$(in_fish 'isobar audit ')" "verify"
check "fish option" "$(in_fish 'isobar plan --detailed')" "--detailed-exitcode"
check "fish choice" "$(in_fish 'isobar plan -o js')" "json"
check "fish address" "$(in_fish 'isobar run route/cl')" "route/classify"
exit $failed
