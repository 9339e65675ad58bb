#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A workspace with 21 different mistakes: each is told, once, at its place, with the field and what to write instead.
. "$(dirname "$0")/env.sh"

expect_code 2 "$isobar" validate "$root/tests/scenario/mistakes"
sed "s|^$root/tests/scenario/mistakes/||" "$work/err" >"$work/told"
diff -u "$root/tests/scenario/mistakes/expected" "$work/told" >&2 || fail "the mistakes are told differently"
[ "$(grep -c '^isobar.yaml:[0-9]*:[0-9]*: [a-z]' "$work/told")" = 21 ] || fail "not 21 lines with file, line, column and field"

# The same for programs.
expect_code 2 "$isobar" validate -o json "$root/tests/scenario/mistakes"
python3 - "$work/out" <<'PY'
import json, sys
answer = json.load(open(sys.argv[1]))
assert answer["valid"] is False and len(answer["findings"]) == 21, answer
assert all(f["file"] == "isobar.yaml" and f["line"] and f["column"] and f["field"] and f["problem"] for f in answer["findings"])
PY
[ ! -e "$root/tests/scenario/mistakes/.isobar" ] || fail "validate left something behind"

# Plan refuses it in the same words, and does nothing.
expect_code 2 "$isobar" plan "$root/tests/scenario/mistakes"
expect "$work/err" "has 21 mistakes"

# Nothing there, not YAML, another environment.
expect_code 3 "$isobar" validate "$work"
expect "$work/err" "has no isobar.yaml"
expect_code 3 "$isobar" validate "$work/nothing"
mkdir "$work/broken"
printf 'isobar: 1\nclouds: {a: [\n' >"$work/broken/isobar.yaml"
expect_code 2 "$isobar" validate "$work/broken"
expect "$work/err" "$work/broken/isobar.yaml:"
expect "$work/err" "not YAML"
expect_code 0 "$isobar" validate "$root/examples/fashion"
expect_code 2 "$isobar" validate --env pocked "$root/examples/fashion"
expect "$work/err" 'did you mean "pocket"?'

# What only shows once `all` is a list of clouds: where records would lie, and how many clouds a quorum counts.
mkdir "$work/spread"
sed 's/class: public/class: internal/; s/residency: anywhere/residency: [EU]/; s/quorum: 2 of 3/quorum: 3 of 4/' \
	"$root/examples/fashion/isobar.yaml" >"$work/spread/isobar.yaml"
expect_code 2 "$isobar" validate "$work/spread"
expect "$work/err" "isobar.yaml:27:45: datasets.images.partition.clouds: dataset/images may lie in [EU] only (class internal, as it declares); aws-us lies in US (leave aws-us out, or declare a transfer of dataset/images to US)"
expect "$work/err" "isobar.yaml:59:13: endpoints.classify.clouds: model/classifier may lie in [EU] only (class internal, from dataset/images); aws-us lies in US"
expect "$work/err" "routes.classify.to: route/classify may lie in [EU] only"
expect "$work/err" "trainings.classifier.federated.quorum: the quorum counts another number of clouds"
expect "$work/err" "5 mistakes"

# What is made on several clouds has a bucket on each: told by validate, not by a run that is half done. A bucket that is only
# used (`existing: keep`) is no place for it.
mkdir "$work/parts"
parts() {
	cat >"$work/parts/isobar.yaml" <<WORKSPACE
isobar: 1
workspace: parts
clouds: {a: {provider: aws, region: us-east-1}, g: {provider: gcp, region: europe-west4}}
buckets: {$1}
datasets:
  d:
    {source: "file:///usr/share/datasets/d", format: idx, class: public, residency: anywhere,
     partition: {by: hash of record, clouds: $2}}
WORKSPACE
}
parts 'x: {clouds: [a]}, k: {clouds: [g], existing: keep, name: theirs}' all
expect_code 2 "$isobar" validate "$work/parts"
expect "$work/err" "isobar.yaml:8:46: datasets.d.partition.clouds: g: what is made there has no place: bucket/x does not lie there"
parts 'x: {clouds: [a]}, k: {clouds: [g], existing: keep, name: theirs}' '[a]'
expect_code 0 "$isobar" validate "$work/parts"
parts 'x: {clouds: [a]}, y: {clouds: [g]}, k: {clouds: [g], existing: keep, name: theirs}' all
expect_code 0 "$isobar" validate "$work/parts"

# Somebody else's workspace may bring a .isobar that leads elsewhere: nothing is written there.
mkdir "$work/theirs" "$work/elsewhere"
printf 'isobar: 1\nworkspace: t\nenvironments: {p: {pocket: true}}\n' >"$work/theirs/isobar.yaml"
ln -s "$work/elsewhere" "$work/theirs/.isobar"
expect_code 4 "$isobar" plan --untrusted "$work/theirs"
expect "$work/err" ".isobar is a link"
rm "$work/theirs/.isobar"
mkdir "$work/theirs/.isobar"
ln -s "$work/elsewhere/state" "$work/theirs/.isobar/state.db"
expect_code 4 "$isobar" plan --untrusted "$work/theirs"
[ -z "$(ls -A "$work/elsewhere")" ] || fail "an untrusted workspace wrote through a link"
rm -r "$work/theirs/.isobar"
expect_code 0 "$isobar" plan --untrusted "$work/theirs"
