# SPDX-License-Identifier: Apache-2.0
"""A small convolutional network on images of 28 x 28, as an Isobar job.

All that this program knows of Isobar is the job contract (docs/jobs.md): it reads the safetensors files below
$ISOBAR_DATA/data, takes its settings from the JSON file $ISOBAR_WITH, keeps what it needs to go on after a kill in
$ISOBAR_CHECKPOINT, and leaves weights.safetensors and metrics.json in $ISOBAR_OUT.
"""
import json
import os
import pathlib
import time

import numpy
import torch
from torch import nn

DTYPES = {"F32": numpy.float32, "I64": numpy.int64}


def read_safetensors(path):
    """The tensors of a file by name: an 8-byte length, a JSON header, the data."""
    raw = path.read_bytes()
    size = int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8:8 + size])
    header.pop("__metadata__", None)
    data = memoryview(raw)[8 + size:]
    return {name: numpy.frombuffer(data[slice(*t["data_offsets"])], DTYPES[t["dtype"]]).reshape(t["shape"])
            for name, t in header.items()}


def write_safetensors(path, tensors):
    """32-bit floats, by name; padded so that the data begins at a multiple of 8."""
    header, at = {}, 0
    for name in sorted(tensors):
        count = int(numpy.prod(tensors[name].shape)) * 4
        header[name] = {"dtype": "F32", "shape": list(tensors[name].shape), "data_offsets": [at, at + count]}
        at += count
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as out:
        out.write(len(text).to_bytes(8, "little") + text)
        for name in sorted(tensors):
            out.write(numpy.ascontiguousarray(tensors[name], numpy.float32).tobytes())


def load_data(folder):
    parts = [read_safetensors(path) for path in sorted(folder.rglob("*.safetensors"))]
    images = numpy.concatenate([part["image"] for part in parts]).reshape(-1, 1, 28, 28)
    classes = numpy.concatenate([part["class"] for part in parts])
    return torch.from_numpy(images), torch.from_numpy(classes)


def make_network():
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(16 * 7 * 7, 10))


def train_epoch(network, optimizer, data, batch, epoch, seed):
    images, classes = data
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(seed * 1000 + epoch))
    total = 0.0
    for at in range(0, len(order), batch):
        pick = order[at:at + batch]
        loss = nn.functional.cross_entropy(network(images[pick]), classes[pick])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(pick)
    return total / len(order)


def measure(network, data):
    images, classes = data
    with torch.no_grad():
        right = sum(int((network(images[at:at + 1000]).argmax(1) == classes[at:at + 1000]).sum())
                    for at in range(0, len(images), 1000))
    return right / len(images)


def main():
    started = time.monotonic()
    with open(os.environ["ISOBAR_WITH"], encoding="utf-8") as handle:
        settings = json.load(handle)
    out = pathlib.Path(os.environ["ISOBAR_OUT"])
    checkpoint = pathlib.Path(os.environ["ISOBAR_CHECKPOINT"]) / "state.pt"
    torch.manual_seed(settings["seed"])
    images, classes = load_data(pathlib.Path(os.environ["ISOBAR_DATA"]) / "data")
    held = len(images) // 10  # the last tenth is not trained on
    data, validation = (images[:-held], classes[:-held]), (images[-held:], classes[-held:])
    network = make_network()
    optimizer = torch.optim.SGD(network.parameters(), settings["learning_rate"], momentum=0.9)
    first, loss = 0, 0.0
    if checkpoint.exists():  # an earlier run of this job was killed
        state = torch.load(checkpoint)
        network.load_state_dict(state["network"])
        optimizer.load_state_dict(state["optimizer"])
        first, loss = state["epoch"], state["loss"]
    for epoch in range(first, settings["epochs"]):
        loss = train_epoch(network, optimizer, data, settings["batch"], epoch, settings["seed"])
        print(f"epoch {epoch + 1}: loss {loss:.4f}", flush=True)
        torch.save({"network": network.state_dict(), "optimizer": optimizer.state_dict(), "epoch": epoch + 1, "loss": loss},
                   checkpoint.with_suffix(".new"))
        checkpoint.with_suffix(".new").rename(checkpoint)
    accuracy = measure(network, validation)
    print(f"accuracy {accuracy:.4f} on {held} held-out images", flush=True)
    write_safetensors(out / "weights.safetensors", {name: t.numpy() for name, t in network.state_dict().items()})
    with open(out / "metrics.json", "w", encoding="utf-8") as handle:
        json.dump({"samples": len(data[0]), "loss": loss, "accuracy": accuracy, "seconds": time.monotonic() - started}, handle)


if __name__ == "__main__":
    main()
