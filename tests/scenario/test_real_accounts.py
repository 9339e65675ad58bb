#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""An environment of real accounts (no `pocket: true`): the small job on three clouds whose addresses and credentials stand in
an operator's file. The accounts are played by `isobar pocket` processes that the test starts by hand, as others' servers would be:
nothing in the workspace says so. Credentials come in every form there is: a secret of the operator's file, a private file, the
provider's ordinary variables and profile. Afterwards no secret stands in what Isobar wrote or said.
"""
import json
import os
import re
import signal

from scenario import GOAL, Client, free_port, image_pixels, need, run_test, same, wait_for

PROVIDERS = {"aws-us": "aws", "gcp-eu": "gcp", "azure-eu": "azure"}
HIDDEN = ("AWS_", "AZURE_", "GOOGLE_", "ISOBAR_OPERATOR", "XDG_CONFIG_HOME")


def start_accounts(s):
    """{cloud: (process, url, credentials)}"""
    accounts = {}
    for cloud, provider in PROVIDERS.items():
        root, announced = os.path.join(s.folder, "accounts", cloud), os.path.join(s.folder, cloud + ".json")
        process = s.start("pocket", "--as", provider, "--name", cloud, "--root", root, "--announce", announced)
        wait_for("the account of " + cloud, lambda path=announced: os.path.exists(path))
        with open(announced) as file:
            url = json.load(file)["url"]
        with open(os.path.join(root, "credentials.json")) as file:
            accounts[cloud] = (process, url, json.load(file))
    return accounts


def write(path, text, mode=0o600):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", opener=lambda name, flags: os.open(name, flags, mode)) as file:
        file.write(text)
    os.chmod(path, mode)
    return path


def host_of(url):
    return re.match(r"https?://([^/]+)", url).group(1)


def operator_text(accounts, aws_hosts):
    """Credentials of AWS as a secret, of Google Cloud as a private file, of Azure from the environment."""
    return """secrets:
  aws: {from: "keyring:aws", hosts: %s}
clouds:
  aws-us:
    credentials: {access_key_id: %s, secret_access_key: secret/aws}
    endpoints: {store: "%s"}
  gcp-eu:
    credentials: {file: "%s"}
    endpoints: {store: "%s"}
  azure-eu:
    endpoints: {store: "%s"}
""" % (json.dumps(aws_hosts), accounts["aws-us"][2]["access_key_id"], accounts["aws-us"][1],
       accounts["gcp-eu"][3], accounts["gcp-eu"][1], accounts["azure-eu"][1])


def values_of(accounts):
    """What must stand nowhere."""
    private = accounts["gcp-eu"][2]["private_key"].splitlines()
    return [accounts["aws-us"][2]["secret_access_key"], accounts["azure-eu"][2]["key"], private[len(private) // 2]]


def check_hidden(folder, secrets):
    """No secret in any file of the workspace, but in the private file that a job of the local engine opens its cloud with."""
    for where, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(where, name)
            if name == "cloud.json":
                same(os.stat(path).st_mode & 0o777, 0o600, "mode of " + path)
                continue
            with open(path, "rb") as file:
                data = file.read()
            for secret in secrets:
                need(secret.encode() not in data, "a secret stands in %s", path)


def make_workspace(s):
    folder = s.workspace()
    path = os.path.join(folder, "isobar.yaml")
    with open(path) as file:
        text = file.read()
    with open(path, "w") as file:
        text = text.replace("environments:\n  pocket: {pocket: true}", "environments:\n  production: {}")
        file.write(text.replace("127.0.0.1:8443", "127.0.0.1:%d" % free_port()))
    return folder


def check_site_and_account(s, home, operator, accounts):
    """A hall whose address the workspace says, and an account that has to be the one that the workspace says."""
    folder, path = os.path.join(s.folder, "hall"), os.path.join(s.folder, "hall", "isobar.yaml")
    host, credentials = host_of(accounts["aws-us"][1]), accounts["aws-us"][2]

    def declare(clouds):
        write(path, "isobar: 1\nworkspace: hall\nenvironments: {production: {}}\nclouds:\n  %s\n"
                    "buckets:\n  things: {clouds: all, name: isobar-hall-things}\n" % clouds)

    def apply(expect):
        return s.run("apply", "--auto-approve", folder=folder, expect=expect)

    declare('munich: {provider: site, location: DE, operator: {law: EU}, store: {engine: s3, api: "%s"}}' % accounts["aws-us"][1])
    entry = "clouds:\n  munich:\n    credentials: {access_key_id: %s, secret_access_key: secret/aws}\n" % credentials["access_key_id"]
    secret = "secrets:\n  aws: {from: \"keyring:aws\", hosts: [\"%s\"]}\n"
    write(operator, secret % host + entry)
    need("credentials go there only if the operator's file says so" in apply(4).err, "an address of the workspace got credentials")
    write(operator, secret % "127.0.0.1:1" + entry + "    hosts: [\"%s\"]\n" % host)
    need("may not be sent to " + host in apply(4).err, "a secret went where it may not")
    write(operator, secret % host + entry + "    hosts: [\"%s\"]\n" % host)
    apply(0)
    need(s.run("plan", "-o", "json", folder=folder).json()["empty"], "a second plan of the hall is not empty")
    write(os.path.join(home, "note"), "hello")
    s.run("data", "cp", os.path.join(home, "note"), "munich:things/note", folder=folder)
    same(s.run("data", "cat", "munich:things/note", folder=folder).out, "hello", "an object in the hall")
    s.run("destroy", "--objects", "--auto-approve", folder=folder)

    def account(number):
        declare('aws-us: {provider: aws, region: us-east-1, account: "%s"}' % number)

    write(operator, operator_text(accounts, [host]))
    account("999999999999")
    refused = apply(4).err
    belongs = re.search(r'belong to "(\d{12})"', refused)
    need(belongs, "another account than the workspace says: %s", refused)
    account(belongs.group(1))
    apply(0)
    # Other people's state is read from a store, by the credentials of the cloud that the input names.
    write(os.path.join(home, "net.tfstate"), json.dumps({"version": 4, "terraform_version": "1.9.0", "outputs": {"bucket": {"value": "isobar-hall-things", "type": "string"}}}))
    s.run("data", "cp", os.path.join(home, "net.tfstate"), "aws-us:things/", folder=folder)
    declare('aws-us: {provider: aws, region: us-east-1}\ninputs: {net: {terraform: "s3://isobar-hall-things/net.tfstate", cloud: aws-us}}')
    with open(path) as file:
        text = file.read()
    write(path, text.replace("name: isobar-hall-things", 'name: "${inputs.net.bucket}"'))
    s.run("validate", folder=folder)
    planned = s.run("plan", "-o", "json", folder=folder).json()
    need("isobar-hall-things" in json.dumps(planned) or not any(
        change.get("address", "").startswith("bucket/") for change in planned["changes"]), "a plan with an input from a store: %s", planned)
    account(belongs.group(1))
    s.run("data", "rm", "aws-us:things/net.tfstate", folder=folder)
    s.run("destroy", "--auto-approve", folder=folder)
    write(operator, operator_text(accounts, [host]).replace("  aws-us:\n", "  aws-us:\n    account: \"888888888888\"\n"))
    need("no call was made" in apply(4).err, "the operator's file says another account than the workspace")


def check_roots(s, operator):
    """`file:` paths lead below the folders that the operator lists, and nowhere else."""
    folder, data = os.path.join(s.folder, "rooted"), os.path.join(s.folder, "srv", "data")
    os.makedirs(data)
    write(os.path.join(folder, "isobar.yaml"), "isobar: 1\nworkspace: rooted\nenvironments: {pocket: {pocket: true}}\n"
          "clouds:\n  aws-us: {provider: aws, region: us-east-1}\nbuckets:\n  lake: {clouds: all}\n"
          "datasets:\n  d: {source: \"file://%s\", format: idx, bucket: lake, class: public, residency: anywhere}\n" % data)
    write(operator, "roots: [/usr/share/datasets]\n")
    need("isobar.yaml:9:15" in s.run("validate", folder=folder, expect=2).err, "a path outside of the roots has no place")
    write(operator, "roots: [%s]\n" % os.path.dirname(data))
    s.run("validate", folder=folder)
    need("isobar.yaml:9:15" in s.run("validate", "--untrusted", folder=folder, expect=2).err, "roots hold for a stranger's workspace")


def test(s):
    for name in [name for name in os.environ if name.startswith(HIDDEN)]:
        del os.environ[name]
    home = os.path.join(s.folder, "home")
    os.makedirs(home)
    os.environ["HOME"] = home
    folder, accounts = make_workspace(s), start_accounts(s)
    said = []

    def run(*arguments, **more):
        ended = s.run(*arguments, folder=folder, **more)
        said.append(ended.out + ended.err)
        return ended

    # A plan needs no credentials; an apply says where to put them.
    need("20 to create" in run("plan").out, "a plan without credentials")
    need("AWS_ACCESS_KEY_ID" in run("apply", "--auto-approve", expect=3).err, "where credentials are missing is not said")

    gcp = write(os.path.join(home, "gcp.json"), json.dumps(accounts["gcp-eu"][2]))
    accounts["gcp-eu"] += (gcp,)
    operator = os.path.join(home, ".config/isobar/operator.yaml")
    write(os.path.join(home, ".config/isobar/keyring/aws"), accounts["aws-us"][2]["secret_access_key"] + "\n")
    azure = {"AZURE_STORAGE_ACCOUNT": accounts["azure-eu"][2]["account"], "AZURE_STORAGE_KEY": accounts["azure-eu"][2]["key"]}

    # A secret goes nowhere but to the hosts that stand beside it; others may not write there.
    write(operator, operator_text(accounts, ["127.0.0.1:1"]))
    need("may not be sent to %s" % host_of(accounts["aws-us"][1]) in run("apply", "--auto-approve", env=azure, expect=4).err,
         "a secret went to a host that is not listed")
    write(operator, operator_text(accounts, [host_of(accounts["aws-us"][1])]), 0o666)
    need("chmod go-w" in run("apply", "--auto-approve", env=azure, expect=4).err, "a file that all may write to was read")
    write(operator, operator_text(accounts, [host_of(accounts["aws-us"][1])]), 0o644)
    need("clouds.aws-us" in run("validate", env={"ISOBAR_OPERATOR": write(os.path.join(home, "wrong.yaml"), "clouds: {aws-us: {acount: x}}\n")},
                                expect=2).err, "a mistake in the operator's file has no place")
    os.chmod(gcp, 0o644)
    need("may be read by other users" in run("apply", "--auto-approve", env=azure, expect=4).err, "an open file was taken for a secret")
    os.chmod(gcp, 0o600)

    # The whole job.
    need("Apply complete: 20 done, 3 waiting." in run("apply", "--auto-approve", env=azure).out, "apply")
    run("run", GOAL, env=azure)
    need(not os.path.exists(os.path.join(folder, ".isobar/pocket")), "pocket clouds were started")
    need(run("plan", "-o", "json", env=azure).json()["empty"], "a second plan is not empty")
    client = Client(folder)
    status, answer = client.infer(image_pixels(folder, 0, 3))
    client.close()
    same(status, 200, "the gateway's answer: " + answer)
    for cloud in PROVIDERS:
        listed = run("data", "ls", "-r", "-o", "json", cloud + ":lake/models/classifier/1/", env=azure).json()["objects"]
        same(sorted(os.path.basename(one["name"]) for one in listed),
             ["_SUCCESS", "metrics.json", "model.json", "weights.safetensors"], "the model on " + cloud)

    # The keys of another account are refused by the account itself, in its own words.
    other = dict(azure, AZURE_STORAGE_KEY="AAAA" + accounts["azure-eu"][2]["key"][4:])
    need("azure-eu" in run("data", "ls", "azure-eu:lake/", env=other, expect=4).err, "a wrong key")

    # The provider's own files do as well: a profile instead of the operator's secret.
    write(os.path.join(home, ".aws/credentials"), "[lumen]\naws_access_key_id = %s\naws_secret_access_key = %s\n" % (
        accounts["aws-us"][2]["access_key_id"], accounts["aws-us"][2]["secret_access_key"]))
    write(operator, re.sub(r"credentials: \{access_key_id.*", "credentials: {profile: lumen}",
                           operator_text(accounts, ["127.0.0.1:1"])))
    need(run("plan", "-o", "json", env=azure).json()["empty"], "a plan with a profile is not empty")

    # A control plane that stays has what the command had.
    run("up", env=azure)
    status = run("status", "-o", "json").json()
    need(all(not cloud.get("pocket") for cloud in status["clouds"]), "a real account passes for a pocket cloud")
    need("Destroy complete: 20 done" in run("destroy", "--objects", "--auto-approve").out, "destroy")
    run("down")

    check_site_and_account(s, home, operator, accounts)
    check_roots(s, operator)

    secrets = values_of(accounts)
    check_hidden(folder, secrets)
    for text in said:
        need(not any(secret in text for secret in secrets), "a secret was printed: %s", text)
    for process, _, _, *_ in accounts.values():
        process.send_signal(signal.SIGTERM)
        same(process.wait(timeout=20), 0, "end of an account")


run_test(test)
