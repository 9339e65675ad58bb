# SPDX-License-Identifier: Apache-2.0
"""The crash loop: kills the control plane at a boundary of its journal, starts the command again, and looks at everything.

What is tested is a list of acts on the small job (apply, run, train, deploy, rollback), each from a workspace that a clean run
brought to its beginning. A case is (act, boundary, mode): a mode is a fault that the pocket clouds play meanwhile (docs/pocket.md). Afterwards
- what lies in the clouds is what the state says: every object of every bucket is named by a record, every record's object is there, with
  the bytes (`bytes`) whose digest the record holds; no upload is unfinished, no bucket is unknown;
- no action is journaled as done twice, no intent is open, every job came to its end once, and what came out is what a clean run makes;
- the processes that run are those that records name, and after `down` none is;
- a second plan is empty, and the same command again has nothing to do.
"""
import collections
import glob
import json
import os
import random
import re
import shutil
import signal
import time

from scenario import CLOUDS, GOAL, Failed, need, processes_of, same, sha256_text, state_query, wait_for

# (name, what the command is); each begins where the one before it ended.
ACTS = (
    ("apply", ("apply", "--auto-approve")),
    ("run", ("run", "transform/prepared")),
    ("train", ("run", "training/classifier")),
    ("deploy", ("run", GOAL)),
    ("rollback", ("rollback", "model/classifier@champion")),
)
# Rules of faults by mode; {seed} and {n} are the case's.
MODES = {
    "kill": None,
    "lose-reply": "seed={seed}; lose-reply p=0.12",
    "act-twice": "seed={seed}; act-twice p=0.25",
    # Of what changes something. A long answer that comes twice cannot be told from the next one's by any client of HTTP/1.1.
    "answer-twice": "seed={seed}; answer-twice PUT p=0.3; answer-twice POST p=0.3; answer-twice DELETE p=0.3",
    "stall": "seed={seed}; stall 150ms p=0.1",
    "throttle": "seed={seed}; throttle 1s p=0.1 times=3",
    "error": "seed={seed}; error p=0.1",
    "cut": "seed={seed}; cut p=0.12",
    "cut-request": "seed={seed}; cut-request p=0.08",
    "partition": "partition nth={n} for=700ms",
}
# What says when something was measured is not compared with a clean run's.
VOLATILE = ("metrics.json", "_SUCCESS", "manifest.json")
UID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
MOST_RUNS = 5  # of a command, until it comes to its end under faults


def seed_given():
    """What cases are drawn with: the same every time, so that a run can be made again, unless ISOBAR_CRASH_SEED says another."""
    seed = int(os.environ.get("ISOBAR_CRASH_SEED", "20261124"))
    print("seed %d (ISOBAR_CRASH_SEED draws others)" % seed, flush=True)
    return seed


def read_json(path):
    with open(path) as file:
        return json.load(file)


def records_of(folder):
    return {key: json.loads(value) for key, value in state_query(folder, "SELECT key, value FROM record")}


# ------------------------------------------------------------------ what the clouds hold


def footer_of(path):
    """The record at the end of an object's file: JSON, magic, its length (4), checksum (4), length of the data (8)."""
    with open(path, "rb") as file:
        file.seek(0, os.SEEK_END)
        size = file.tell()
        file.seek(size - 24)
        footer = file.read(24)
        need(footer[:8] == b"isobj001", "%s is no object", path)
        length = int.from_bytes(footer[8:12], "little")
        file.seek(size - 24 - length)
        return json.loads(file.read(length))


def stored_objects(folder):
    """{CLOUD:BUCKET/KEY: size as stored}, from the pocket clouds' disks: also what no listing of ours shows."""
    found = {}
    for cloud in CLOUDS:
        for path in glob.glob(os.path.join(folder, ".isobar/pocket", cloud, "buckets/*/objects/*")):
            bucket = path.split("/")[-3]
            record = footer_of(path)
            found["%s:%s/%s" % (cloud, bucket, record["key"])] = record["size"]
    return found


def known_buckets(records):
    return {(key.rpartition(" on ")[2], value["cloud_id"]) for key, value in records.items()
            if key.startswith("resource/bucket/") and value["status"] == "ready"}


def explained_objects(records):
    """{CLOUD:BUCKET/KEY: sha256 of its bytes, or None where the record does not say} of what the state says there is."""
    found = {}

    def add(cloud, bucket, key, digest=None):
        found["%s:%s/%s" % (cloud, bucket, key)] = digest

    for cloud, bucket in known_buckets(records):
        add(cloud, bucket, ".isobar/data-key.json")
    for part in records.get("made/dataset/images", {}).get("outputs", {}).get("parts", []):
        add(part["cloud"], part["bucket"], part["prefix"] + "manifest.json", part["manifest"])
        for name in ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"):
            add(part["cloud"], part["bucket"], "%s%s-ubyte" % (part["prefix"], name))
    for part in records.get("made/transform/prepared", {}).get("outputs", {}).get("parts", []):
        run = part["splits"]["train"]["prefix"].rsplit("/", 2)[0]
        add(part["cloud"], part["bucket"], run + "/_SUCCESS")
        for split in part["splits"].values():
            for name, digest in split["files"].items():
                add(part["cloud"], part["bucket"], split["prefix"] + name, digest)
    for key, value in records.items():
        words = key.split("/")
        if key.startswith("action/train/") and words[4] == "final" and words[-1] == "finish" and value["state"] == "done":
            add(words[5], "small-lake", "trainings/%s/%s/final/weights.safetensors" % (words[2], words[3]), value["output"]["sha256"])
        if key.startswith("model-version/"):
            for cloud in value["clouds"]:
                prefix = "models/%s/%s/" % (words[1], words[2])
                add(cloud, "small-lake", prefix + "weights.safetensors", value["sha256"])
                add(cloud, "small-lake", prefix + "model.json")
        if key.startswith("action/measure/") and words[6] == "submit" and value["state"] == "done":
            for name in ("_SUCCESS", "metrics.json"):
                add(words[5], "small-lake", "models/%s/%s/measured/%s/%s" % (words[2], words[3], words[4], name))
    return found


def object_bytes(s, folder, where):
    cloud, _, rest = where.partition(":")
    process = s.start("data", "cat", "%s:lake/%s" % (cloud, rest.partition("/")[2]), folder=folder)
    process.stdout.reconfigure(encoding="latin-1", newline="")
    text = process.stdout.read()
    words = process.stderr.read()
    same(process.wait(), 0, "exit code of data cat %s (%s)" % (where, words))
    process.stderr.close()
    process.stdout.close()
    return text.encode("latin-1")


def check_objects(s, folder, records, sample):
    """sample: how many objects' bytes are read (None: all)."""
    stored, explained = stored_objects(folder), explained_objects(records)
    same(sorted(set(stored) - set(explained)), [], "objects that no record explains")
    same(sorted(set(explained) - set(stored)), [], "objects that a record names and that are gone")
    buckets = {tuple(path.split("/")[-3::2]) for path in glob.glob(os.path.join(folder, ".isobar/pocket/*/buckets/*"))}
    same(buckets, known_buckets(records), "buckets")
    same(glob.glob(os.path.join(folder, ".isobar/pocket/*/buckets/*/uploads/*")), [], "uploads that nobody ended")
    digests = sorted(where for where, digest in explained.items() if digest)
    for where in digests if sample is None else sample(digests):
        same(sha256_text(object_bytes(s, folder, where)), explained[where], "digest of %s" % where)
    return {where: "any" if where.endswith(VOLATILE) else size for where, size in stored.items()}


# ------------------------------------------------------------------ what the journal and the machine hold


def jobs_of(folder):
    """{CLOUD/JOB: how many times its program came to its end}"""
    found = {}
    for path in glob.glob(os.path.join(folder, ".isobar/local/*/jobs/*")):
        state = read_json(os.path.join(path, "status.json"))["state"]
        with open(os.path.join(path, "log")) as file:
            log = file.read()
        name = "/".join(path.split("/")[-3::2])
        need(state == "succeeded", "job %s is %s; its log: %s", name, state, log[-600:])
        found[name] = sum(line.endswith(": done") for line in log.splitlines())
    return found


def check_records(folder, records):
    same([key for key in records if key.startswith("intent/")], [], "intents that are still open")
    states = {value["status"] for key, value in records.items() if key.startswith("resource/")}
    need(states <= {"ready", "waiting"}, "states of resources: %s", states)
    done = collections.Counter(json.loads(data)["action"] for data, in
                               state_query(folder, "SELECT data FROM event WHERE type = 'action.done'"))
    same({name: count for name, count in done.items() if count > 1}, {}, "actions that were done more than once")
    steps = collections.Counter(address for address, in state_query(folder, "SELECT address FROM event WHERE type = 'step.done'"))
    return {"actions": set(done), "steps": dict(steps)}


def running_of(s, folder):
    status = s.status(folder)
    known = {c["pid"] for c in status["clouds"] if c.get("up")} | {g["pid"] for g in status["gateways"]}
    for endpoint in status["endpoints"]:
        need(endpoint["state"] in ("ready", "waiting"), "%s is %s", endpoint["address"], endpoint)
        known |= set(endpoint.get("pids") or [])
    return known


def check_processes(s, folder):
    """Workers end by themselves a moment after their job; nothing else may be there."""
    known = running_of(s, folder)
    give_up = time.monotonic() + 20
    while True:
        running = processes_of(folder)
        if set(running) == known:
            return
        need(time.monotonic() < give_up, "processes that run (%s) against those that records name (%s)", running, known)
        time.sleep(0.05)


def outcome(s, folder, sample):
    records = records_of(folder)
    found = check_records(folder, records)
    found["objects"] = check_objects(s, folder, records, sample)
    found["jobs"] = jobs_of(folder)
    found["versions"] = {key: (value["sha256"], value["lineage"], value["metrics"]) for key, value in records.items()
                         if key.startswith("model-version/")}
    found["aliases"] = {key: value["version"] for key, value in records.items() if key.startswith("model-alias/")}
    found["serving"] = {key: value["version"] for key, value in records.items() if key.startswith("endpoint-status/")}
    return found


def plain(name, retried):
    """Jobs that were lost are submitted again as acts of another name; so are, when that may be (retried), those that failed."""
    if "/again-" in name:
        return None
    name = UID.sub("UID", name)
    head, submit, number = name.rpartition("/submit/")
    return head + submit + "1" if retried and number.isdigit() else name


def compare(got, wanted, retried=False):
    for what, value in wanted.items():
        other = got[what]
        if what == "actions":
            other = {plain(name, retried) for name in other} - {None}
            value = {plain(name, retried) for name in value}
        if isinstance(value, dict) and other != value:
            keys = {key for key in set(value) | set(other) if value.get(key) != other.get(key)}
            raise Failed("%s differ from the clean run's: %s" % (what, {k: (value.get(k), other.get(k)) for k in sorted(keys)}))
        if isinstance(value, set):
            need(other == value, "%s differ from the clean run's: more %s, fewer %s", what, sorted(other - value), sorted(value - other))
        same(other, value, what)


# ------------------------------------------------------------------ the cases


class Crashes:
    """Workspaces at the beginning of each act, how many boundaries an act has, and what a clean run of it leaves."""

    def __init__(self, s, acts=ACTS):
        self.s, self.acts = s, acts
        self.start, self.clean, self.boundaries, self.commands = {}, {}, {}, {}

    def prepare(self):
        s = self.s
        folder = s.workspace("clean")
        for name, command in self.acts:
            if name == "rollback":
                self.second_version(folder)
            self.commands[name] = command
            if os.path.exists(os.path.join(folder, ".isobar")):
                s.run("down", folder=folder)
            self.start[name] = os.path.join(s.folder, "before-" + name)
            shutil.copytree(folder, self.start[name], symlinks=True)
            log = os.path.join(s.folder, name + ".boundaries")
            s.run(*command, folder=folder, env={"ISOBAR_CRASH_LOG": log})
            with open(log) as lines:
                numbers = sorted(int(line.split()[0]) for line in lines)
            same(numbers, list(range(1, len(numbers) + 1)), "numbers of boundaries")
            self.boundaries[name] = len(numbers)
            check_processes(s, folder)
            self.clean[name] = outcome(s, folder, lambda all_of_them: all_of_them[:3])
            need(s.plan_is_empty(folder), "a plan after a clean %s has something to do", name)
        s.run("down", folder=folder)
        shutil.rmtree(folder)

    def second_version(self, folder):
        path = os.path.join(folder, "isobar.yaml")
        with open(path) as file:
            text = file.read()
        with open(path, "w") as file:
            file.write(text.replace("seed: 1}", "seed: 2}"))
        self.s.apply(folder)
        self.s.make(folder)

    def places(self):
        return [(act, number) for act, _ in self.acts for number in range(1, self.boundaries[act] + 1)]

    def run_case(self, slot, case, sample):
        """case: (act, boundary, mode, seed). Returns how often the command was started again."""
        act, number, mode, seed = case
        folder = os.path.join(self.s.folder, "%s-%s-%s-%s" % (slot, act, number, mode))
        shutil.copytree(self.start[act], folder, symlinks=True)
        self.set_faults(folder, mode, seed)
        first = self.s.run(*self.commands[act], folder=folder, env={"ISOBAR_CRASH_AT": number}, expect=None, seconds=120)
        need(first.code in (-signal.SIGKILL, 0) or mode != "kill", "it was to be killed, but %s", first)
        runs = self.run_to_end(folder, act, mode)
        self.end_faults(folder, mode)
        if mode != "kill" and act in ("deploy", "rollback"):
            self.s.run("deploy", folder=folder)  # an endpoint whose cloud did not answer is said to be pending
        check_processes(self.s, folder)
        compare(outcome(self.s, folder, sample), self.clean[act])
        need(self.s.plan_is_empty(folder), "a second plan has something to do")
        self.s.run("down", folder=folder)
        left = processes_of(folder)
        same(left, {}, "processes after down")
        shutil.rmtree(folder)
        return first.code == -signal.SIGKILL, runs

    def set_faults(self, folder, mode, seed):
        if not MODES[mode]:
            return
        for i, cloud in enumerate(CLOUDS):
            root = os.path.join(folder, ".isobar/pocket", cloud)
            os.makedirs(root, mode=0o700, exist_ok=True)
            os.chmod(os.path.join(folder, ".isobar"), 0o700)
            with open(os.path.join(root, "faults"), "w") as file:
                file.write(MODES[mode].format(seed=seed + i, n=3 + (seed + 7 * i) % 25))

    def run_to_end(self, folder, act, mode):
        for runs in range(1, MOST_RUNS + 1):
            again = self.s.run(*self.commands[act], folder=folder, expect=None, seconds=180)
            if again.code == 0:
                return runs
            need(mode != "kill", "the second run did not come to its end: %s", again)
        raise Failed("it did not come to its end in %d runs: %s" % (MOST_RUNS, again))

    def end_faults(self, folder, mode):
        for cloud in CLOUDS if MODES[mode] else ():
            self.s.run("pocket", "faults", os.path.join(folder, ".isobar/pocket", cloud), "--off")


def choose(places, modes, count, seed):
    """`count` cases, spread over acts, boundaries and modes."""
    chance = random.Random(seed)
    by_act = collections.defaultdict(list)
    for act, number in places:
        by_act[act].append(number)
    acts = list(by_act)
    chosen = []
    for i in range(count):
        act = acts[i % len(acts)]
        mode = modes[i % len(modes)] if i < len(modes) else chance.choice(modes)
        chosen.append((act, chance.choice(by_act[act]), mode, chance.randrange(1 << 30)))
    return chosen


def report(case, began, verdict, why=""):
    print("%s at boundary %d, %s (seed %d): %s %.1f s %s" % (*case, verdict, time.monotonic() - began, why), flush=True)


def try_case(crashes, slot, case, sample):
    """True when it held."""
    began = time.monotonic()
    try:
        killed, runs = crashes.run_case(slot, case, sample)
    except Failed as why:
        report(case, began, "FAILED", str(why))
        return False
    report(case, began, ("killed" if killed else "ended before") + (", %d runs" % runs if runs > 1 else ""))
    return True


def wait_until_gone(folder):
    wait_for("the end of all processes of %s" % folder, lambda: not processes_of(folder))
