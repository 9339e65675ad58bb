#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Bad input and bad surroundings: each gives one clear message that names what and where, the right exit code, and leaves nothing
half-written: once the cause is gone the same command works. Full disks need root (a small tmpfs); without it that part is left out."""
import contextlib
import glob
import gzip
import json
import os
import shutil
import signal
import socket
import subprocess
import time

from scenario import CLOUDS, GOAL, Failed, is_alive, need, run_test, same, sha256_text, state_query, wait_for

INVALID, NOT_FOUND, IN_USE, UNAVAILABLE, CORRUPT, IO = 2, 3, 5, 7, 9, 10  # exit codes, see docs/commands.md


def told(ended, code, *texts):
    """The command ended with the code, and said so in one line that holds the texts."""
    same(ended.code, code, "exit code of %s" % ended)
    lines = [line for line in ended.err.splitlines() if line.startswith("isobar") or " error isobar" in line]
    same(len(lines), 1, "messages of %s" % ended)
    for text in texts:
        need(text in lines[0], "the message does not say %r: %s", text, lines[0])


def objects_below(s, folder, prefix):
    found = []
    for cloud in CLOUDS:
        listed = s.run("data", "ls", "--recursive", "-o", "json", "%s:lake/%s" % (cloud, prefix), folder=folder).json()
        found += ["%s:%s" % (cloud, one["name"]) for one in listed["objects"]]
    return found


def stored_at(folder, cloud, key):
    """Where a pocket cloud keeps an object of the lake."""
    return os.path.join(folder, ".isobar/pocket", cloud, "buckets/small-lake/objects", sha256_text(key.encode()))


def damage(path, at):
    """Other bytes in the middle of a file; returns what stood there."""
    with open(path, "r+b") as file:
        file.seek(at)
        before = file.read(4)
        file.seek(at)
        file.write(bytes(byte ^ 255 for byte in before))
    return before


def replace_text(path, old, new):
    with open(path) as file:
        text = file.read()
    need(old in text, "%s has no %r", path, old)
    with open(path, "w") as file:
        file.write(text.replace(old, new))


# ------------------------------------------------------------------ data


def truncated_data(s):
    folder = s.workspace("truncated")
    s.apply(folder)
    data = os.path.join(folder, "data")
    plain, packed = os.path.join(data, "train-images-idx3-ubyte"), os.path.join(data, "train-images-idx3-ubyte.gz")
    whole = open(plain, "rb").read()
    with open(packed, "wb") as file:
        file.write(gzip.compress(whole, 1))
    os.unlink(plain)
    os.truncate(packed, os.path.getsize(packed) // 2)
    told(s.make(folder, "dataset/images", expect=None), CORRUPT, packed, "it is cut")
    same(objects_below(s, folder, "datasets/"), [], "objects of a data set that could not be read")
    os.unlink(packed)
    with open(plain, "wb") as file:
        file.write(whole[:-1])
    told(s.make(folder, "dataset/images", expect=None), CORRUPT, plain, "1960000 bytes", "it is cut")
    labels = os.path.join(data, "train-labels-idx1-ubyte")
    os.rename(labels, labels + ".away")
    told(s.make(folder, "dataset/images", expect=None), NOT_FOUND, data, "has no train-labels-idx1-ubyte")
    same(objects_below(s, folder, "datasets/"), [], "objects of a data set that could not be read")
    same(state_query(folder, "SELECT key FROM record WHERE key LIKE 'made/%'"), [], "steps that count as made")
    os.rename(labels + ".away", labels)
    with open(plain, "wb") as file:
        file.write(whole)
    s.make(folder, "dataset/images")
    s.run("down", folder)


# ------------------------------------------------------------------ weights


def stop_in_round_1(s, folder):
    """(control plane, run): stopped until all jobs of the run's round 1 have ended."""
    pattern = folder + "/.isobar/local/%s/jobs/train+classifier+%s+round-1+*/status.json"
    earlier = set(glob.glob(pattern % ("*", "*")))
    process = s.start("run", "training/classifier", folder=folder)

    def begun():  # on all clouds: one that is not submitted when the control plane stops never would be
        new = set(glob.glob(pattern % ("*", "*"))) - earlier
        return new if len(new) == 3 else None

    found = wait_for("the jobs of round 1", begun, seconds=60, pause=0.002)
    os.kill(process.pid, signal.SIGSTOP)
    run = found.pop().split("+")[2]

    def ended():
        paths = glob.glob(pattern % ("*", run))
        return len(paths) == 3 and all(json.load(open(path))["state"] == "succeeded" for path in paths)

    wait_for("the end of the jobs of round 1", ended, seconds=60)
    return process, run


def damage_weights_of_gcp(s, folder):
    """A training one of whose sites has damaged weights; returns (exit code, words, undo)."""
    process, run = stop_in_round_1(s, folder)
    path = stored_at(folder, "gcp-eu", "trainings/classifier/%s/round-1/gcp-eu/weights.safetensors" % run)
    before = damage(path, 5000)
    os.kill(process.pid, signal.SIGCONT)
    _, words = process.communicate(timeout=120)
    return process.returncode, words, lambda: damage(path, 5000) and same(read(path, 5000), before, "the byte that was damaged")


def read(path, at):
    with open(path, "rb") as file:
        file.seek(at)
        return file.read(4)


def damaged_site(s):
    folder = s.workspace("site")
    settings = os.path.join(folder, "isobar.yaml")
    replace_text(settings, "local_epochs: 1", "local_epochs: 20")  # time to stop it in between
    replace_text(settings, "      quorum: 2 of 3\n", "")
    s.apply(folder)
    s.make(folder, "transform/prepared")
    code, words, undo = damage_weights_of_gcp(s, folder)
    need(code == 1, "all sites are needed and one is damaged, but the training ended with %d: %s", code, words)
    lines = [line for line in words.splitlines() if line.startswith("isobar: ")]
    need(len(lines) == 1 and "round 1" in lines[0] and "gcp-eu: " in lines[0] and "weights.safetensors" in lines[0], "said: %s", words)
    same(state_query(folder, "SELECT key FROM record WHERE key LIKE 'made/training%'"), [], "trainings that count as made")
    undo()
    s.make(folder, "training/classifier")
    replace_text(settings, "      deadline: 60s", "      quorum: 2 of 3\n      deadline: 60s")
    replace_text(settings, "seed: 1", "seed: 2")
    s.apply(folder)
    code, words, _ = damage_weights_of_gcp(s, folder)
    need(code == 0, "two of three sites are enough, but the training ended with %d: %s", code, words)
    need("round 1 goes on without gcp-eu: " in words and "round 1 of 3: 2 of 3 clouds" in words, "said: %s", words)
    s.run("down", folder)


def damaged_model(s):
    folder = s.workspace("model")
    s.apply(folder)
    s.make(folder)
    # The object as it lies in the cloud.
    key = "models/classifier/1/weights.safetensors"
    path = stored_at(folder, "aws-us", key)
    before = damage(path, 100000)
    told(s.run("data", "cat", "aws-us:lake/" + key, folder=folder, expect=None), CORRUPT, "aws-us:lake/" + key, "it was altered")
    copied = os.path.join(folder, "copy")
    told(s.run("data", "cp", "aws-us:lake/" + key, copied, folder=folder, expect=None), CORRUPT, key, "it was altered")
    need(not os.path.exists(copied), "a damaged object was copied")
    s.run("down", folder)
    shutil.rmtree(os.path.join(folder, ".isobar/local/aws-us/endpoints/classify"))
    words = s.run("deploy", folder=folder, expect=UNAVAILABLE).err
    need("endpoint/classify on aws-us is " in words and "it was altered" in words, "said: %s", words)
    with open(path, "r+b") as file:
        file.seek(100000)
        file.write(before)
    s.run("deploy", folder=folder)
    # The folder that the model server reads, damaged while it is down.
    model, = glob.glob(folder + "/.isobar/local/aws-us/endpoints/classify/*/model")
    os.kill(next(e for e in s.status(folder)["endpoints"] if e["address"].endswith("aws-us"))["pids"][0], signal.SIGKILL)
    os.truncate(os.path.join(model, "weights.safetensors"), 5000)
    serve = ("serve", "--model", model, "--name", "m", "--version", "1", "--listen", "127.0.0.1:0", "--announce", s.folder + "/no.json")
    told(s.run(*serve, expect=None), CORRUPT, model + "/weights.safetensors", "it is cut")
    need(not os.path.exists(s.folder + "/no.json"), "a server without a model announced itself")
    s.run("deploy", folder=folder)
    need(all(e["state"] == "ready" for e in s.status(folder)["endpoints"]), "not all endpoints are up again")
    ports(s, folder, model)
    s.run("down", folder)


# ------------------------------------------------------------------ ports


def ports(s, folder, model):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = "127.0.0.1:%d" % taken.getsockname()[1]
        announce = os.path.join(s.folder, "port.json")
        told(s.run("serve", "--model", model, "--name", "m", "--version", "1", "--listen", address, "--announce", announce, expect=None),
             IN_USE, address, "another process has this port")
        told(s.run("pocket", "--as", "aws", "--name", "c", "--root", s.folder + "/c", "--listen", address, "--announce", announce,
                   expect=None), IN_USE, address, "another process has this port")
        told(s.run("up", "--listen", address, folder, expect=None), IN_USE, address, "another process has this port")
        told(s.run("up", "--foreground", "--listen", address, folder, expect=None), IN_USE, address, "another process has this port")
        need(not os.path.exists(announce) and not os.path.exists(folder + "/.isobar/control.json"), "who cannot listen announced itself")
        # A pocket workspace's gateway takes a free port instead, and says which.
        replace_text(os.path.join(folder, "isobar.yaml"), "127.0.0.1:8443", address)
        s.apply(folder)
        url = next(g["url"] for g in s.status(folder)["gateways"])
        need(address not in url, "the gateway says %s, which somebody else has", url)


# ------------------------------------------------------------------ full disks


def full_disk_of_state(s):
    folder = s.workspace("full")
    if not s.mount_small("full/.isobar", 40 << 20):
        print("full disks: left out, since nothing can be mounted here")
        return
    s.apply(folder)
    filler = os.path.join(folder, ".isobar/filler")
    fill(filler)
    told(s.make(folder, expect=None), IO, folder + "/.isobar/state.db", "No space left", "free some space")
    told(s.apply(folder, expect=None), IO, folder + "/.isobar/state.db", "No space left")
    os.unlink(filler)
    need(s.plan_is_empty(folder), "a full disk changed something")
    s.make(folder, "dataset/images")
    s.run("down", folder)


def full_disk_of_a_cloud(s):
    folder = s.workspace("cloud")
    small = s.mount_small("cloud/.isobar/pocket/gcp-eu", 300 << 10)
    if not small:
        return
    s.apply(folder)
    told(s.make(folder, "dataset/images", expect=None), IO, "gcp-eu", "train-images-idx3-ubyte", "The disk of this pocket cloud is full")
    same(os.listdir(os.path.join(small, "tmp")), [], "files that a full disk left")
    same(glob.glob(small + "/buckets/*/uploads/*") + glob.glob(small + "/buckets/*/pieces/*"), [], "uploads that a full disk left")
    same(state_query(folder, "SELECT key FROM record WHERE key LIKE 'made/%'"), [], "steps that count as made")
    subprocess.run(["mount", "-o", "remount,size=%d" % (40 << 20), small], check=True)
    s.make(folder, "dataset/images")
    s.run("down", folder)


def fill(path):
    with open(path, "wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(bytes(4096)) == 4096:
            pass


# ------------------------------------------------------------------ clouds that cannot be reached


def kill_cloud(s, folder, cloud):
    pid = s.pocket_pid(folder, cloud)
    os.kill(pid, signal.SIGKILL)
    wait_for("the end of %s" % cloud, lambda: not is_alive(pid))


def without_gcp(s, folder, moment, *command):
    """(code, words) of a command whose cloud dies for good once it has said the line that begins with `moment`."""
    process = s.start(*command, folder=folder, stdout=subprocess.DEVNULL)
    for line in process.stderr:
        if line.startswith(moment):
            kill_cloud(s, folder, "gcp-eu")
            words = process.communicate(timeout=60)[1]
            return process.returncode, words
    raise Failed("%s did not say %s" % (command, moment))


def unreachable_cloud(s):
    folder = s.workspace("unreachable")
    code, words = without_gcp(s, folder, "cloud/gcp-eu: created", "apply", "--auto-approve")
    same(code, UNAVAILABLE, "exit code of an apply one of whose clouds is away: %s" % words)
    need("bucket/lake on gcp-eu: failed: " in words and "bucket/lake on aws-us: created" in words, "said: %s", words)
    need("1 of 20 changes failed" in words.splitlines()[-1] and "cannot be reached" in words.splitlines()[-1], "said: %s", words)
    need("Apply complete: 9 done" in s.apply(folder).out, "the second apply did not do the rest, and only that")
    need(s.plan_is_empty(folder), "a plan after it has something to do")
    s.make(folder, "dataset/images")
    # A run finds its cloud gone for good, and for a moment.
    code, words = without_gcp(s, folder, "transform/prepared is made of", "run", "transform/prepared")
    same(code, UNAVAILABLE, "exit code of a run one of whose clouds is away: %s" % words)
    told_last = words.splitlines()[-1]
    need(told_last.startswith("isobar: ") and "gcp-eu: its store does not answer" in told_last, "said: %s", words)
    s.make(folder, "transform/prepared")
    process = s.start("run", GOAL, folder=folder)
    wait_for("round 1", lambda: glob.glob(folder + "/.isobar/local/gcp-eu/jobs/train+*round-1*"), pause=0.005)
    kill_cloud(s, folder, "gcp-eu")
    time.sleep(0.5)
    revive(s, folder)
    words = process.communicate(timeout=60)[1]
    same(process.returncode, 0, "exit code of a run whose cloud was away for a moment: %s" % words)
    s.run("down", folder)


def revive(s, folder):
    root = os.path.join(folder, ".isobar/pocket/gcp-eu")
    s.start("pocket", "--as", "gcp", "--name", "gcp-eu", "--root", root, "--listen", "127.0.0.1:0", "--announce", root + "/announce.json",
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)


def test(s):
    for case in (truncated_data, damaged_site, damaged_model, full_disk_of_state, full_disk_of_a_cloud, unreachable_cloud):
        began = time.monotonic()
        case(s)
        print("%s: %.1f s" % (case.__name__, time.monotonic() - began), flush=True)


run_test(test)
