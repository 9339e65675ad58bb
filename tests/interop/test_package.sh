#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What `make package` makes is whole: the demo runs from the .deb, from the tarball and from the OCI image; the image is what its
# specification and skopeo expect, and comes out the same when it is made again. test_package.sh BUILD
. "$(dirname "$0")/env.sh"
for program in skopeo dpkg-deb; do
	command -v $program >/dev/null || { echo "$program is not installed: make deps-test"; exit 77; }
done
[ "$(id -u)" = 0 ] || { echo "needs root, for a chroot"; exit 77; }
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
build=$(cd "$1" && pwd)
interop_begin
fail() { echo "FAILED: $*" >&2; exit 1; }

"$root/tools/package" "$build" || fail "tools/package"
cd "$build/package" && sha256sum --quiet -c SHA256SUMS || fail "sums"
deb=$(echo "$PWD"/*.deb) tarball=$(echo "$PWD"/*.tar.gz) image=$(echo "$PWD"/*.oci.tar)
cd "$interop_folder" || exit 1

# held FOLDER: what the demo proves by itself, and a summary that says so.
held() {
	python3 - "$1/summary.json" <<'PY' || fail "the summary of $1"
import json, sys
s = json.load(open(sys.argv[1]))
assert s["accuracy"] >= 0.87 and s["failed_requests"] == 0 and s["audit"]["records"] > 10000, s
PY
}

dpkg-deb -x "$deb" deb
for library in $(ldd deb/usr/bin/isobar | sed -n 's/.*=> \(\/[^ ]*\).*/\1/p'); do
	real=$(readlink -f "$library")
	package=$( (dpkg -S "$real" 2>/dev/null || dpkg -S "${real#/usr}") | cut -d : -f 1)
	dpkg-deb -f "$deb" Depends | tr , '\n' | grep -q "^ *$package\( \|$\)" || fail "$package ($library) is no dependency"
done
for unit in deb/usr/lib/systemd/system/*.service; do
	sed "s|/usr/bin/isobar|$PWD/deb/usr/bin/isobar|" "$unit" >"./${unit##*/}"
	told=$(systemd-analyze verify "./${unit##*/}" 2>&1 | grep -F "${unit##*/}" || true)
	[ -z "$told" ] || fail "systemd-analyze: $told"
done
deb/usr/bin/isobar demo --out demo-deb >deb.log 2>&1 || { tail -20 deb.log >&2; fail "the demo of the .deb"; }
held demo-deb

tar -xzf "$tarball"
program=$(echo "$PWD"/isobar-*/bin/isobar)
needed=$(objdump -p "$program" | awk '$1 == "NEEDED" { print $2 }' | grep -vE '^(libc|libm|ld-linux.*)\.so' || true)
[ -z "$needed" ] || fail "the tarball's program needs $needed"
"$program" demo --out demo-tarball >tarball.log 2>&1 || { tail -20 tarball.log >&2; fail "the demo of the tarball"; }
held demo-tarball

skopeo inspect --config "oci-archive:$image" >config.json || fail "skopeo inspect"
skopeo copy --quiet "oci-archive:$image" dir:copied || fail "skopeo copy"
python3 "$here/package_image.py" "$image" image >name.txt || fail "the image"
"$program" image image --out again.tar --name "$(cat name.txt)" --user 65532:65532 --entrypoint /usr/bin/isobar \
	--variable PATH=/usr/bin --variable HOME=/work >/dev/null
cmp again.tar "$image" || fail "another image from the same files"
mkdir -p image/usr/share/datasets image/proc image/dev
cp -rL /usr/share/datasets/fashion-mnist image/usr/share/datasets
chown 65532:65532 image/work image/tmp
unshare --mount --pid --fork sh -c '
	mount -t proc proc image/proc && mount --rbind /dev image/dev &&
	chroot --userspec=65532:65532 image /usr/bin/isobar demo --out /work/demo' >image.log 2>&1 ||
	{ tail -20 image.log >&2; fail "the demo of the image"; }
held image/work/demo
