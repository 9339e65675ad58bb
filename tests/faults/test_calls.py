#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every call of the drivers that changes something, under every fault, against pocket clouds: nothing doubled, nothing lost, nothing left
behind. test_calls.py BUILD [PROVIDER [OPERATION|ROW|FAULT...]]"""
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.parse

REGIONS = {"aws": "eu-central-1", "gcp": "europe-west4", "azure": "westeurope"}
build = os.path.abspath(sys.argv[1])
folder = tempfile.mkdtemp(prefix="isobar-faults-")


def start(provider):
    """A pocket cloud whose waiting times pass quickly, and the config of its driver."""
    root, announce = os.path.join(folder, provider), os.path.join(folder, provider + ".json")
    with open(os.path.join(folder, provider + ".log"), "w") as log:
        process = subprocess.Popen([build + "/isobar", "pocket", "--as", provider, "--name", "matrix", "--root", root, "--announce", announce,
                                    "--pace", "3600"], stdout=log, stderr=log)
    deadline = time.monotonic() + 30
    while not os.path.exists(announce):
        assert time.monotonic() < deadline and process.poll() is None, "the pocket cloud of %s did not start" % provider
        time.sleep(0.02)
    with open(announce) as f:
        url = json.load(f)["url"]
    with open(root + "/credentials.json") as f:
        owner = json.load(f)
    config = {"name": "matrix-" + provider, "provider": provider, "region": REGIONS[provider], "workspace": "matrix", "image": "isobar",
              "store_url": url, "services_url": "http://" + urllib.parse.urlsplit(url).netloc, "credentials": owner}
    known = {"account": "account", "project": "project_id", "subscription": "subscription", "resource_group": "resource_group",
             "ml_workspace": "workspace", "vault_url": "vault_url", "job_role": "role"}
    config.update({name: owner[member] for name, member in known.items() if member in owner})
    config.setdefault("job_role", owner.get("client_email", ""))
    path = os.path.join(folder, provider + "-cloud.json")
    with open(path, "w") as f:
        json.dump(config, f)
    return process, [build + "/tests/calls-driver", path, root, *sys.argv[3:]]


def main():
    providers = sys.argv[2:3] or list(REGIONS)
    pockets, drivers = [], []
    try:
        for provider in providers:
            pocket, command = start(provider)
            pockets.append(pocket)
            with open(os.path.join(folder, provider + ".out"), "w") as out:
                drivers.append(subprocess.Popen(command, stdout=out, stderr=out))
        codes = [driver.wait(timeout=300) for driver in drivers]
        for provider in providers:
            with open(os.path.join(folder, provider + ".out")) as f:
                print(f.read(), end="", flush=True)
        if any(codes):
            print("the drivers of", providers, "ended with", codes)
        return 1 if any(codes) else 0
    finally:
        for process in drivers:
            if process.poll() is None:
                process.kill()
        for pocket in pockets:
            pocket.send_signal(signal.SIGTERM)
            pocket.wait(timeout=30)
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
