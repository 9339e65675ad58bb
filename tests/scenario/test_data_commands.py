#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`isobar data` without a workspace: ls, cp, sync, mv, rm, du, cat and verify on s3://, gs://, az:// and folders, with the
credentials of the environment, against three accounts played by `isobar pocket` processes. What lies there afterwards is compared
file by file; failures, what is refused and exit codes are looked at as well. The buckets come from a workspace elsewhere.
"""
import hashlib
import json
import os
import signal

from scenario import need, run_test, same, wait_for

PROVIDERS = {"s3": "aws", "gs": "gcp", "az": "azure"}
FILES = {"a/one.txt": b"1\n", "a/deep/two.bin": bytes(range(256)) * 5000, "b/three.csv": b"x,y\n1,2\n", "b/note.tmp": b"tmp",
         "empty": b"", "name with spaces & 100%.txt": "Gr\u00fc\u00dfe".encode()}


def start_accounts(s):
    env, processes = {}, []
    for scheme, provider in PROVIDERS.items():
        root, announced = os.path.join(s.folder, "accounts", scheme), os.path.join(s.folder, scheme + ".json")
        processes.append(s.start("pocket", "--as", provider, "--name", scheme, "--root", root, "--announce", announced))
        wait_for("the account " + scheme, lambda path=announced: os.path.exists(path))
        with open(announced) as file:
            url = json.load(file)["url"]
        with open(os.path.join(root, "credentials.json")) as file:
            credentials = json.load(file)
        if scheme == "s3":
            env.update(AWS_ACCESS_KEY_ID=credentials["access_key_id"], AWS_SECRET_ACCESS_KEY=credentials["secret_access_key"],
                       AWS_ENDPOINT_URL_S3=url, AWS_REGION="us-east-1")
        elif scheme == "gs":
            env["GOOGLE_APPLICATION_CREDENTIALS"] = os.path.join(root, "credentials.json")
            gcs = url
        else:
            env["AZURE_STORAGE_CONNECTION_STRING"] = "AccountName=%s;AccountKey=%s;BlobEndpoint=%s" % (
                credentials["account"], credentials["key"], url)
            azure = url
    operator = os.path.join(s.folder, "operator.yaml")
    with open(operator, "w") as file:  # Google Cloud has no variable for an address of its own
        file.write("clouds:\n  gs: {endpoints: {store: \"%s\"}}\n"
                   "  aws: {endpoints: {store: \"%s\"}}\n  gcp: {endpoints: {store: \"%s\"}}\n  azure: {endpoints: {store: \"%s\"}}\n"
                   "  named: {provider: aws, region: us-east-1, endpoints: {store: \"%s\"}}\n" % (
                       gcs, env["AWS_ENDPOINT_URL_S3"], gcs, azure, env["AWS_ENDPOINT_URL_S3"]))
    os.chmod(operator, 0o600)
    env["ISOBAR_OPERATOR"] = operator
    return env, processes


def make_buckets(s):
    folder = os.path.join(s.folder, "elsewhere")
    os.mkdir(folder)
    with open(os.path.join(folder, "isobar.yaml"), "w") as file:
        file.write("isobar: 1\nworkspace: elsewhere\nenvironments: {accounts: {}}\n"
                   "clouds:\n  aws: {provider: aws, region: us-east-1}\n  gcp: {provider: gcp, region: europe-west4}\n"
                   "  azure: {provider: azure, region: westeurope}\nbuckets:\n  things: {clouds: all, name: isobar-things}\n")
    s.run("apply", "--auto-approve", folder=folder)


def make_tree(folder, files):
    for name, data in files.items():
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(data)


def read_tree(folder):
    found = {}
    for where, _, names in os.walk(folder):
        for name in names:
            with open(os.path.join(where, name), "rb") as file:
                found[os.path.relpath(os.path.join(where, name), folder)] = file.read()
    return found


def test(s):
    for name in [name for name in os.environ if name.startswith(("AWS_", "AZURE_", "GOOGLE_", "ISOBAR_WORKSPACE", "ISOBAR_ENV"))]:
        del os.environ[name]
    env, processes = start_accounts(s)
    os.environ.update(env)
    make_buckets(s)
    here = os.path.join(s.folder, "here")
    os.mkdir(here)
    make_tree(os.path.join(here, "tree"), FILES)
    total = sum(map(len, FILES.values()))

    def data(*arguments, **more):
        return s.run("data", *arguments, folder=here, **more)

    def names(place):
        return sorted(one["name"] for one in data("ls", "-r", "-o", "json", place).json()["objects"])

    # Up, from cloud to cloud, down: the same tree, and nothing twice.
    need("would copy" in data("sync", "-n", "tree", "s3://isobar-things/p").out, "a dry run says nothing")
    same(names("s3://isobar-things/"), [], "objects after a dry run")
    same(data("sync", "-o", "json", "tree", "s3://isobar-things/p").json(),
         {"objects": len(FILES), "skipped": 0, "deleted": 0, "bytes": total}, "first sync")
    same(data("sync", "-o", "json", "tree", "s3://isobar-things/p").json()["objects"], 0, "second sync")
    same(names("s3://isobar-things/"), sorted("p/" + name for name in FILES), "names on s3")
    same(data("sync", "-o", "json", "s3://isobar-things/p", "gs://isobar-things/q/").json()["objects"], len(FILES), "s3 to gs")
    same(data("cp", "-r", "-o", "json", "gs://isobar-things/q", "az://isobar-things/").json()["objects"], len(FILES), "gs to az")
    same(data("cp", "-r", "-u", "--checksum", "-o", "json", "gs://isobar-things/q", "az://isobar-things/").json()["skipped"], len(FILES),
         "gs to az again, by checksum")
    data("sync", "az://isobar-things/", "back")
    same(read_tree(os.path.join(here, "back")), FILES, "the tree that came back")
    same(data("verify", "-o", "json", "back", "az://isobar-things/").json(),
         {"objects": len(FILES), "skipped": 0, "deleted": 0, "bytes": total}, "verify of both sides")
    same(data("verify", "-o", "json", "gs://isobar-things/q").json()["objects"], len(FILES), "verify by the store's checksums")

    # Bytes, ranges, sums.
    same(data("cat", "s3://isobar-things/p/b/three.csv").out, "x,y\n1,2\n", "cat")
    same(data("cat", "--offset", "4", "--length", "3", "gs://isobar-things/q/b/three.csv").out, "1,2", "a range")
    same(data("cat", "--offset", "4", "tree/b/three.csv").out, "1,2\n", "a range of a file")
    usage = data("du", "-o", "json", "az://isobar-things/").json()
    same((usage["objects"], usage["bytes"]), (len(FILES), total), "usage")
    same([one["name"] for one in usage["below"]], ["a/", "b/", "empty", "name with spaces & 100%.txt"], "usage by folder")
    same(data("du", "-o", "json", "--include", "*.txt", "tree").json()["objects"], 2, "usage of a selection")

    # One object, and where it goes.
    one = data("cp", "-o", "json", "tree/a/deep/two.bin", "named:isobar-things/single/").json()
    same((one["bytes"], one["sha256"]), (len(FILES["a/deep/two.bin"]), hashlib.sha256(FILES["a/deep/two.bin"]).hexdigest()), "cp")
    data("mv", "s3://isobar-things/single/two.bin", "moved.bin")
    same(names("s3://isobar-things/single/"), [], "the source of a move")
    with open(os.path.join(here, "moved.bin"), "rb") as file:
        same(file.read(), FILES["a/deep/two.bin"], "the target of a move")
    same(data("mv", "-r", "-o", "json", "back", "s3://isobar-things/m").json()["objects"], len(FILES), "a tree moved")
    same(read_tree(os.path.join(here, "back")), {}, "the source of a moved tree")

    data("cp", "gs://isobar-things/q/b/three.csv", ".")
    need(os.path.exists(os.path.join(here, "three.csv")), "a copy into a folder keeps the name")
    need("--recursive" in data("cp", "tree", "s3://isobar-things/", expect=2).err, "a folder needs --recursive")
    need("both folders" in data("sync", "tree", "other", expect=8).err, "folders of this machine")

    # A mirror deletes, by choice, what the source has not; patterns say what is meant.
    os.unlink(os.path.join(here, "tree/b/note.tmp"))
    make_tree(os.path.join(here, "tree"), {"b/three.csv": b"changed, and longer\n"})
    need("would delete s3://isobar-things/p/b/note.tmp" in data("sync", "--delete", "-n", "tree", "s3://isobar-things/p").out,
         "a dry run names what goes")
    same(data("sync", "--delete", "-o", "json", "tree", "s3://isobar-things/p").json(),
         {"objects": 1, "skipped": len(FILES) - 2, "deleted": 1, "bytes": 20}, "a mirror")
    same(data("cat", "s3://isobar-things/p/b/three.csv").out, "changed, and longer\n", "what changed")
    same(data("rm", "-r", "-n", "--include", "*.txt", "s3://isobar-things/p").out.splitlines()[-1], "2 would be removed", "rm -n")
    data("rm", "-r", "--include", "*.txt", "--exclude", "name*", "s3://isobar-things/p")
    need("p/a/one.txt" not in names("s3://isobar-things/p/"), "what was removed is there")
    need("p/name with spaces & 100%.txt" in names("s3://isobar-things/p/"), "what was left out is gone")
    data("rm", "-r", "s3://isobar-things/m")
    same(names("s3://isobar-things/m/"), [], "rm -r")

    # What is wrong is said, with a code of its own.
    need("a/one.txt" in data("verify", "tree", "s3://isobar-things/p", expect=3).err, "what lacks is not told")
    need("CRC-32C" in data("verify", "tree/b", "gs://isobar-things/q/b", expect=9).err, "a difference is not told")
    same(data("cat", "s3://isobar-things/none", expect=3).code, 3, "code of what is not there")
    same(data("cp", "tree/none", "s3://isobar-things/", expect=3).code, 3, "code of a file that is not there")
    need("s3://" in data("ls", "nowhere:bucket/", expect=3).err, "a cloud that nobody knows")
    need("schemes are" in data("ls", "ftp://x/y", expect=2).err, "a scheme that is none")
    same(data("rm", "s3://isobar-things", expect=2).code, 2, "a whole bucket needs --recursive")
    os.mkdir(os.path.join(here, "locked"), 0o755)
    with open(os.path.join(here, "locked/a"), "w") as file:
        file.write("in the way of a folder")
    failed = data("sync", "az://isobar-things/", "locked", expect=None)
    need(failed.code != 0 and "of %d objects failed" % len(FILES) in failed.err, "failures of some: %s", failed)
    need(os.path.exists(os.path.join(here, "locked/empty")), "the others were not copied")
    need(not os.path.exists(os.path.join(here, ".isobar")), "a folder of a workspace was made")

    for process in processes:
        process.send_signal(signal.SIGTERM)
        same(process.wait(timeout=20), 0, "end of an account")


run_test(test)
