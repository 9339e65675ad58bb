# SPDX-License-Identifier: Apache-2.0
"""The reference implementation (package safetensors) reads what we write and we what it writes, byte for byte, and both refuse the
same broken files. safetensors_reference.py TOOL FOLDER"""
import hashlib
import json
import os
import struct
import subprocess
import sys

import numpy
import safetensors
import safetensors.numpy

TOOL, FOLDER = sys.argv[1:3]
random = numpy.random.default_rng(1)


def path(name):
    return os.path.join(FOLDER, name)


def tool(*arguments):
    return subprocess.run([TOOL, *arguments], capture_output=True, text=True)


def read(name):
    with open(path(name), "rb") as file:
        return file.read()


def models():
    dtypes = ["float64", "float32", "float16", "int64", "uint64", "int32", "uint32", "int16", "uint16", "int8", "uint8", "bool"]
    every = {"t." + name: (random.standard_normal((3, 5)) * 50).astype(name) for name in dtypes}
    yield "every dtype", every, None
    yield "perceptron", {"layer0.weight": random.standard_normal((20, 7)).astype("float32"),
                         "layer0.bias": numpy.zeros(20, "float32")}, {"format": "np"}
    yield "scalars and nothing", {"s": numpy.array(2.5, "float32"), "none": numpy.zeros((0, 4), "int64"), "one": numpy.ones(1, "uint8")}, None
    yield "names", {name: numpy.arange(3, dtype="int16") for name in ("b", "a", "B", "Ünï \"quoted\" \\ /", "tab\t\x01", "z" * 300)}, \
        {"note": "line\nbreak / \"x\" \u20ac"}
    yield "no tensors", {}, None
    yield "many", {"block.%d.weight" % i: random.standard_normal(11).astype("float32") for i in range(500)}, None


def check_same(what, tensors, metadata):
    safetensors.numpy.save_file(tensors, path("theirs"), metadata=metadata)
    done = tool("rewrite", path("theirs"), path("ours"))
    assert done.returncode == 0, (what, done.stderr)
    assert read("theirs") == read("ours"), "%s: our bytes are not those of the reference" % what
    back = safetensors.numpy.load_file(path("ours"))
    assert set(back) == set(tensors)
    for name, tensor in tensors.items():
        assert back[name].dtype == tensor.dtype and back[name].shape == tensor.shape and numpy.array_equal(back[name], tensor), (what, name)
    lines = tool("show", path("theirs")).stdout.splitlines() if all(" " not in n and "\t" not in n for n in tensors) else None
    for line in lines or []:
        name, _, shape, digest = line.split(" ")
        assert tuple(int(n) for n in shape.split("x") if n) == tensors[name].shape
        assert digest == hashlib.sha256(tensors[name].tobytes()).hexdigest(), (what, name)


def entry(dtype, shape, begin, end):
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


def broken():
    def file(header, data=b"", length=None):
        text = header if isinstance(header, bytes) else json.dumps(header).encode()
        return struct.pack("<Q", len(text) if length is None else length) + text + data

    yield "nothing", b""
    yield "cut length", b"\x02\0\0"
    yield "length past the end", file({}, length=100)
    yield "length past the limit", file({}, length=100000001)
    yield "no JSON", file(b"{\"a\":")
    yield "no object", file(b"[]")
    yield "space first", file(b" {}")
    yield "no UTF-8", file(b"{\"\xff\":1}")
    yield "unknown dtype", file({"a": entry("F31", [1], 0, 4)}, bytes(4))
    yield "negative shape", file({"a": entry("F32", [-1], 0, 4)}, bytes(4))
    yield "hole", file({"a": entry("U8", [1], 1, 2)}, bytes(2))
    yield "overlap", file({"a": entry("U8", [2], 0, 2), "b": entry("U8", [2], 1, 3)}, bytes(3))
    yield "backwards", file({"a": entry("U8", [0], 1, 0)}, bytes(1))
    yield "size", file({"a": entry("F32", [2], 0, 4)}, bytes(4))
    yield "overflow", file({"a": entry("F32", [2 ** 32, 2 ** 32], 0, 0)})
    yield "cut data", file({"a": entry("U8", [4], 0, 4)}, bytes(3))
    yield "trailing", file({"a": entry("U8", [4], 0, 4)}, bytes(5))
    yield "metadata of a number", file({"__metadata__": {"a": 1}})
    yield "half a byte", file({"a": entry("F4", [3], 0, 2)}, bytes(2))


# The format's description forbids it ("MUST begin with a { character"), this implementation lets it pass.
STRICTER = {"space first"}


def check_refused(what, data):
    with open(path("broken"), "wb") as out:
        out.write(data)
    try:
        safetensors.numpy.load_file(path("broken"))
        theirs = False
    except Exception:
        theirs = True
    done = tool("show", path("broken"))
    assert (theirs or what in STRICTER) and done.returncode == 1 and done.stderr, "%s: the reference %s, we %s" % (
        what, "refuses" if theirs else "accepts", "refuse" if done.returncode else "accept")


count = 0
for model in models():
    check_same(*model)
    count += 1
for case in broken():
    check_refused(*case)
    count += 1
print("%d cases agree with safetensors %s" % (count, safetensors.__version__))
