# SPDX-License-Identifier: Apache-2.0
"""Reads an OCI archive as the specification says and unpacks it: package_image.py FILE ROOT. Every digest and size is checked."""
import hashlib
import io
import json
import os
import sys
import tarfile
import zlib

archive, root = sys.argv[1:]
with tarfile.open(archive) as tar:
    files = {member.name: tar.extractfile(member).read() for member in tar.getmembers() if member.isfile()}
assert json.loads(files.pop("oci-layout")) == {"imageLayoutVersion": "1.0.0"}
index = json.loads(files.pop("index.json"))


def blob(descriptor):
    kind, digest = descriptor["digest"].split(":")
    data = files.pop("blobs/%s/%s" % (kind, digest))
    assert kind == "sha256" and hashlib.sha256(data).hexdigest() == digest, descriptor
    assert len(data) == descriptor["size"], descriptor
    return data


manifest = json.loads(blob(index["manifests"][0]))
config = json.loads(blob(manifest["config"]))
layer, = manifest["layers"]
plain = zlib.decompress(blob(layer), 31)
assert config["rootfs"]["diff_ids"] == ["sha256:" + hashlib.sha256(plain).hexdigest()]
assert not files, "files that nothing names: %s" % sorted(files)
assert config["config"]["Entrypoint"] == ["/usr/bin/isobar"] and config["config"]["User"] == "65532:65532", config
os.makedirs(root)
with tarfile.open(fileobj=io.BytesIO(plain)) as tar:
    assert all(member.uid == member.gid == 0 and member.mtime == 0 for member in tar.getmembers())
    tar.extractall(root)
print(index["manifests"][0]["annotations"]["org.opencontainers.image.ref.name"])
