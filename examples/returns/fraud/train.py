# SPDX-License-Identifier: Apache-2.0
"""A classifier of returns that are likely to be fraud, as an Isobar job.

All that this program knows of Isobar is the job contract (docs/jobs.md): tables below $ISOBAR_DATA/data, a checkpoint
folder that survives a machine being taken away ($ISOBAR_CHECKPOINT: the job runs on spot machines), and weights and
metrics in $ISOBAR_OUT. MLflow's client finds its server in $MLFLOW_TRACKING_URI by itself.
"""
import json
import os
import pathlib
import time

import numpy
import pyarrow.parquet
import torch
from torch import nn

NUMBERS = ["amount", "price", "amount_of_price", "ordered_before", "return_rate", "hour"]
EPOCHS = 20


def load(folder):
    table = pyarrow.parquet.ParquetDataset(folder).read()
    columns = [numpy.nan_to_num(table[name].to_numpy(zero_copy_only=False).astype(numpy.float32)) for name in NUMBERS]
    inputs = numpy.stack(columns, axis=1)
    labels = table["label"].to_numpy(zero_copy_only=False).astype(numpy.float32)
    scale = numpy.abs(inputs).max(axis=0) + 1e-6
    return torch.from_numpy(inputs / scale), torch.from_numpy(labels), scale


def auc(scores, labels):
    """The chance that a fraud scores higher than an honest return: by ranks, ties shared."""
    order = torch.argsort(scores)
    ranks = torch.empty_like(scores)
    ranks[order] = torch.arange(1, len(scores) + 1, dtype=scores.dtype)
    positive = labels.sum()
    negative = len(labels) - positive
    return float((ranks[labels == 1].sum() - positive * (positive + 1) / 2) / (positive * negative).clamp(min=1))


def main():
    started = time.monotonic()
    out = pathlib.Path(os.environ["ISOBAR_OUT"])
    saved = pathlib.Path(os.environ["ISOBAR_CHECKPOINT"]) / "state.pt"
    torch.manual_seed(1)
    inputs, labels, scale = load(pathlib.Path(os.environ["ISOBAR_DATA"]) / "data")
    network = nn.Sequential(nn.Linear(len(NUMBERS), 32), nn.ReLU(), nn.Linear(32, 1))
    optimizer = torch.optim.Adam(network.parameters())
    first = 0
    if saved.exists():
        state = torch.load(saved, weights_only=True)
        network.load_state_dict(state["network"])
        optimizer.load_state_dict(state["optimizer"])
        first = state["epoch"]
    for epoch in range(first, EPOCHS):
        loss = nn.functional.binary_cross_entropy_with_logits(network(inputs).squeeze(1), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        part = saved.with_suffix(".part")
        torch.save({"network": network.state_dict(), "optimizer": optimizer.state_dict(), "epoch": epoch + 1}, part)
        part.replace(saved)
        print(f"epoch {epoch + 1} of {EPOCHS}: loss {loss.item():.4f}", flush=True)
    with torch.no_grad():
        scores = network(inputs).squeeze(1)
    torch.save({"network": network.state_dict(), "scale": torch.from_numpy(scale)}, out / "weights.pt")
    (out / "metrics.json").write_text(json.dumps(
        {"samples": len(labels), "auc": auc(scores, labels), "seconds": time.monotonic() - started}))


main()
