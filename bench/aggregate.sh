#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The weighted mean of three models of 200 MB each, from files to a file, against Flower's own aggregation (numpy) between the reference
# reader and writer of safetensors. Both results must agree to the last bits of a float. Bottleneck: memory and, for ours, SHA-256 of the result.
set -eu
build=$1
. "$(dirname "$0")/../tests/interop/env.sh"
python=$(interop_python "$(dirname "$0")/requirements-aggregate.txt") || exit $?
ninja -C "$build" tests/tool-safetensors >/dev/null
interop_begin
"$python" - "$build/tests/tool-safetensors" "$interop_folder" <<'PY'
import os
import resource
import subprocess
import sys
import time

import numpy
import safetensors.numpy
from flwr.server.strategy.aggregate import aggregate

tool, folder = sys.argv[1:3]
random = numpy.random.default_rng(1)
samples = [20011, 19876, 20113]
files = [os.path.join(folder, "site-%d" % i) for i in range(3)]
for file in files:
    safetensors.numpy.save_file({"layer%d.weight" % i: random.standard_normal((1250, 4000), dtype="float32") for i in range(10)}, file)
names = ["layer%d.weight" % i for i in range(10)]


def theirs():
    models = []
    for file in files:
        tensors = safetensors.numpy.load_file(file)
        models.append([tensors[name] for name in names])
    mean = aggregate(list(zip(models, samples)))
    safetensors.numpy.save_file(dict(zip(names, mean)), os.path.join(folder, "theirs"))


def ours():
    arguments = [tool, "mean", os.path.join(folder, "ours")]
    for count, file in zip(samples, files):
        arguments += [str(count), file]
    subprocess.run(arguments, check=True)


def best(run):
    times = []
    for _ in range(3):
        for name in ("ours", "theirs"):
            if os.path.exists(os.path.join(folder, name)) and name == run.__name__:
                os.unlink(os.path.join(folder, name))
        started = time.monotonic()
        run()
        times.append(time.monotonic() - started)
    return min(times)


our_s, their_s = best(ours), best(theirs)
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
a, b = (safetensors.numpy.load_file(os.path.join(folder, name)) for name in ("ours", "theirs"))
worst = max(float(numpy.max(numpy.abs(a[name] - b[name]))) for name in names)
assert worst < 1e-6, worst
print("figure=aggregate.3x200MB_s value=%.2f unit=s peer=flwr+numpy peer_value=%.2f ratio=%.2f" % (our_s, their_s, their_s / our_s))
print("figure=aggregate.peak_mb value=%.0f unit=MB peer=flwr+numpy peer_value=%.0f ratio=%.2f" % (*peak, peak[1] / peak[0]))
PY
