#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Isobar makes no call that was not declared. Everything runs in a network namespace whose only way out is a tunnel device that this
test reads: each packet that would leave the machine is seen, name lookups included (the namespace has a name server of its own that is
never there). Commands that need no network must send none, also for a hostile workspace; a pocket environment stays on loopback; a
command that is given a host calls that one and no other. That the watch sees what is sent is shown first.
"""
import fcntl
import os
import select
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

from scenario import ROOT, Skipped, free_port, need, run_test, same

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
NAME_SERVER = "192.0.2.53"
INSIDE = "ISOBAR_TEST_INSIDE"


class Watch:
    """Reads what leaves: (protocol, address, port)."""

    def __init__(self):
        self.fd = os.open("/dev/net/tun", os.O_RDWR)
        fcntl.ioctl(self.fd, TUNSETIFF, struct.pack("16sH", b"watch0", IFF_TUN | IFF_NO_PI))
        for line in ("link set lo up", "addr add 192.0.2.1/24 dev watch0", "link set watch0 up", "route add default dev watch0"):
            done = subprocess.run(["ip", *line.split()], capture_output=True, text=True, check=False)
            if done.returncode:
                raise Skipped("ip %s: %s" % (line, done.stderr.strip()))
        self.seen, self.lock, self.ending = [], threading.Lock(), False
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        while not self.ending:
            if select.select([self.fd], [], [], 0.05)[0]:
                packet = os.read(self.fd, 65536)
                found = self.parse(packet)
                if found:
                    with self.lock:
                        self.seen.append(found)

    @staticmethod
    def parse(packet):
        if packet[0] >> 4 != 4:  # what the kernel says for itself over IPv6 (router solicitations) is nobody's call
            return None if packet[0] >> 4 == 6 and packet[6] in (0, 58) else ("ip%d" % (packet[0] >> 4), packet.hex()[:80], 0)
        size, protocol = (packet[0] & 15) * 4, packet[9]
        port = struct.unpack(">H", packet[size + 2:size + 4])[0] if protocol in (6, 17) else 0
        return ({6: "tcp", 17: "udp"}.get(protocol, str(protocol)), socket.inet_ntoa(packet[16:20]), port)

    def take(self):
        """What was seen since the last time, after a packet of our own came through behind it."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as marker:
            marker.sendto(b"marker", ("192.0.2.250", 9))
        give_up = time.monotonic() + 20
        while time.monotonic() < give_up:
            with self.lock:
                if ("udp", "192.0.2.250", 9) in self.seen:
                    found, self.seen = self.seen, []
                    return {one for one in found if one != ("udp", "192.0.2.250", 9)}
            time.sleep(0.005)
        raise Skipped("the tunnel device carries nothing")


def enter():
    """Runs this very test in a namespace of its own."""
    folder = tempfile.mkdtemp(prefix="isobar-test-resolv-")
    resolv = os.path.join(folder, "resolv.conf")
    with open(resolv, "w") as file:
        file.write("nameserver %s\noptions timeout:1 attempts:1\n" % NAME_SERVER)
    flags = ["-n", "-m"] if os.geteuid() == 0 else ["-r", "-n", "-m"]
    probe = subprocess.run(["unshare", *flags, "true"], capture_output=True, text=True, check=False)
    if probe.returncode or not os.access("/dev/net/tun", os.R_OK | os.W_OK):
        print("skipped: no namespace of our own, or no /dev/net/tun: %s" % probe.stderr.strip())
        shutil.rmtree(folder)
        return 77
    script = 'mount --bind "$1" /etc/resolv.conf && shift && exec "$@"'
    done = subprocess.run(["unshare", *flags, "sh", "-c", script, "sh", resolv, sys.executable, *sys.argv],
                          env=dict(os.environ, **{INSIDE: "1"}), check=False)
    shutil.rmtree(folder)
    return done.returncode


HOSTILE = """isobar: 1
workspace: hostile
environments: {production: {}}
clouds:
  aws-us: {provider: aws, region: us-east-1}
  hall: {provider: site, location: DE, operator: {law: EU}, store: {engine: s3, api: "https://192.0.2.66:9000"}}
buckets:
  lake: {clouds: [aws-us]}
channels:
  oncall: {webhook: "https://192.0.2.67/alerts"}
"""


def check_quiet(s, watch, here):
    """Commands that have nothing to call, whatever stands in a workspace and in the environment."""
    hostile = os.path.join(s.folder, "hostile")
    os.mkdir(hostile)
    with open(os.path.join(hostile, "isobar.yaml"), "w") as file:
        file.write(HOSTILE)
    environment = {"AWS_ACCESS_KEY_ID": "AK", "AWS_SECRET_ACCESS_KEY": "SK", "HTTPS_PROXY": "http://192.0.2.68:3128",
                   "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://169.254.170.2/x", "AWS_ENDPOINT_URL": "https://192.0.2.69"}
    commands = [("--version",), ("help",), ("explain",), ("explain", "operator"), ("schema",), ("reference",), ("reference", "--api"),
                ("validate",), ("plan",), ("plan", "--untrusted"), ("validate", "--untrusted"), ("status",), ("data", "ls", here), ("data", "du", here),
                ("models",), ("cost",), ("events",), ("overrides",), ("permissions", "aws-us"), ("guards",),
                ("init", "fresh"), ("init", "looked", "--from", "kubernetes,slurm")]
    for command in commands:
        ended = s.run(*command, folder=hostile, env=environment, expect=None)
        need(ended.code in (0, 2, 3), "%s", ended)
        same(watch.take(), set(), "what `isobar %s` sent" % " ".join(command))
    for example in sorted(os.listdir(os.path.join(ROOT, "examples"))):
        folder = os.path.join(s.folder, "example-" + example)
        if not os.path.exists(os.path.join(ROOT, "examples", example, "isobar.yaml")):
            continue
        shutil.copytree(os.path.join(ROOT, "examples", example), folder, ignore=shutil.ignore_patterns(".isobar"))
        for command in (("validate",), ("validate", "--untrusted"), ("plan", "--untrusted", "--env", "pocket")):
            s.run(*command, folder=folder, env=environment, expect=None)
            same(watch.take(), set(), "what `isobar %s` of %s sent" % (" ".join(command), example))


def test(s):
    for name in [name for name in os.environ if name.startswith(("AWS_", "GOOGLE_", "AZURE_")) or name.lower().endswith("_proxy")]:
        del os.environ[name]
    os.environ["HOME"] = s.folder
    watch = Watch()
    here = os.path.join(s.folder, "here")
    os.mkdir(here)

    # The watch sees a lookup, and a call to an address.
    keys = {"AWS_ACCESS_KEY_ID": "AK", "AWS_SECRET_ACCESS_KEY": "SK"}
    process = s.start("data", "ls", "s3://bucket/", folder=here, env=keys)
    give_up, seen = time.monotonic() + 30, set()
    while not seen and time.monotonic() < give_up:
        seen = watch.take()
    process.kill()
    process.communicate()
    same({one[1:] for one in seen}, {(NAME_SERVER, 53)}, "a name is looked up and nothing else")
    process = s.start("data", "ls", "s3://bucket/", folder=here, env=dict(keys, AWS_ENDPOINT_URL_S3="https://192.0.2.70:9000"))
    give_up, seen = time.monotonic() + 30, set()
    while not seen and time.monotonic() < give_up:
        seen = watch.take()
    process.kill()
    process.communicate()
    watch.take()
    same(seen, {("tcp", "192.0.2.70", 9000)}, "the host that was named is called, and no other")
    process = s.start("data", "ls", "s3://bucket/", folder=here, env=dict(keys, HTTPS_PROXY="http://192.0.2.71:3128"))
    give_up, seen = time.monotonic() + 30, set()
    while not seen and time.monotonic() < give_up:
        seen = watch.take()
    process.kill()
    process.communicate()
    watch.take()
    same(seen, {("tcp", "192.0.2.71", 3128)}, "through a proxy, the proxy alone is called: it resolves the name")

    check_quiet(s, watch, here)

    # A whole job in a pocket environment stays on this machine, its gateway and endpoints included.
    folder = s.workspace("small")
    path = os.path.join(folder, "isobar.yaml")
    with open(path) as file:
        text = file.read()
    with open(path, "w") as file:
        file.write(text.replace("127.0.0.1:8443", "127.0.0.1:%d" % free_port()))
    for command in (("validate",), ("plan",), ("apply", "--auto-approve"), ("run", "model/classifier@champion"), ("status",),
                    ("data", "ls", "-r", "aws-us:lake/"), ("up",), ("status",), ("down",), ("destroy", "--objects", "--auto-approve"), ("down",)):
        s.run(*command, folder=folder, expect=None if command[0] == "down" else 0)
        same(watch.take(), set(), "what `isobar %s` of a pocket environment sent" % " ".join(command))
    watch.ending = True
    watch.thread.join()


if os.environ.get(INSIDE):
    run_test(test)
else:
    sys.exit(enter())
