# SPDX-License-Identifier: Apache-2.0
"""What bench/pocket.sh measures. Python 3 alone; the load comes from wrk, whose requests are signed here beforehand."""
import datetime
import hashlib
import hmac
import http.client
import json
import os
import re
import signal
import socket
import statistics
import subprocess
import sys
import time

SIZE, KEYS, CONNECTIONS, ROUNDS = 16 << 10, 256, 16, 3
BUCKET = "bench"
TICK = os.sysconf("SC_CLK_TCK")


class Server:
    """A process that speaks S3, and the key to ask it with."""

    def __init__(self, name, process, host, access_key, secret):
        self.name, self.process, self.host, self.access_key, self.secret = name, process, host, access_key, secret

    def sign(self, method, path, body):
        """The head of a request, good for a quarter of an hour."""
        now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
        digest = hashlib.sha256(body).hexdigest()
        names = "host;x-amz-content-sha256;x-amz-date"
        canonical = "\n".join([method, path, "", "host:" + self.host, "x-amz-content-sha256:" + digest, "x-amz-date:" + now, "", names, digest])
        scope = now[:8] + "/us-east-1/s3/aws4_request"
        text = "\n".join(["AWS4-HMAC-SHA256", now, scope, hashlib.sha256(canonical.encode()).hexdigest()])
        key = ("AWS4" + self.secret).encode()
        for part in scope.split("/"):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
        authorization = "AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%s, Signature=%s" % (self.access_key, scope, names, signature)
        return {"Host": self.host, "x-amz-date": now, "x-amz-content-sha256": digest, "Authorization": authorization}

    def ask(self, method, path, body=b""):
        link = http.client.HTTPConnection(self.host, timeout=30)
        headers = self.sign(method, path, body)
        link.request(method, path, body or None, headers)
        answer = link.getresponse()
        text = answer.read()
        link.close()
        return answer.status, text

    def cpu_s(self):
        with open("/proc/%d/stat" % self.process.pid) as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def rss_mib(self):
        with open("/proc/%d/status" % self.process.pid) as file:
            return int(re.search(r"VmRSS:\s+(\d+)", file.read()).group(1)) / 1024

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def free_ports(count):
    """Such that each plus 10000, which SeaweedFS takes for gRPC, is free as well."""
    sockets, found = [], []
    port = 20000 + os.getpid() % 5000
    while len(found) < count:
        port += 1
        try:
            pair = [socket.socket(), socket.socket()]
            sockets += pair
            pair[0].bind(("127.0.0.1", port))
            pair[1].bind(("127.0.0.1", port + 10000))
            found.append(port)
        except OSError:
            continue
    for one in sockets:
        one.close()
    return found


def wait_for(what, probe, seconds=30, told=None):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found = probe()
        if found:
            return found
        time.sleep(0.05)
    sys.exit("%s: not within %d s: %s" % (what, seconds, told[-1] if told else ""))


def start_pocket(program, root, announce):
    return subprocess.Popen([program, "pocket", "--as", "aws", "--name", "bench", "--root", root, "--announce", announce],
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def pocket(program, folder):
    root, announce = os.path.join(folder, "pocket"), os.path.join(folder, "announce.json")
    process = start_pocket(program, root, announce)
    wait_for("the pocket cloud", lambda: os.path.exists(announce))
    url = json.load(open(announce))["url"]
    keys = json.load(open(os.path.join(root, "credentials.json")))
    return Server("isobar", process, url.split("/")[2], keys["access_key_id"], keys["secret_access_key"])


def weed(program, folder, name, more, environment):
    root = os.path.join(folder, name)
    os.makedirs(root)
    master, volume, filer, s3 = free_ports(4)
    config = {"identities": [{"name": "bench", "credentials": [{"accessKey": "BENCHKEY", "secretKey": "benchsecret"}], "actions": ["Admin"]}]}
    with open(os.path.join(root, "s3.json"), "w") as file:
        json.dump(config, file)
    arguments = [program, "server", "-dir=" + root, "-ip=127.0.0.1", "-master.port=%d" % master, "-volume.port=%d" % volume,
                 "-filer.port=%d" % filer, "-s3", "-s3.port=%d" % s3, "-s3.config=" + os.path.join(root, "s3.json"), "-volume.max=20", "-s3.port.iceberg=0",
                 "-s3.port.lance=0", *more]
    with open(os.path.join(root, "log"), "w") as log:
        process = subprocess.Popen(arguments, stdout=log, stderr=log, env={**os.environ, **environment}, cwd=root)
    server = Server(name, process, "127.0.0.1:%d" % s3, "BENCHKEY", "benchsecret")

    told = []

    def ready():
        try:
            told.append(server.ask("PUT", "/" + BUCKET))
            if told[-1][0] in (200, 409):
                told.append(server.ask("PUT", "/%s/first" % BUCKET, b"x"))
            return told[-1][0] == 200
        except (OSError, http.client.HTTPException) as error:
            told.append(error)
            return False

    wait_for("SeaweedFS", ready, told=told)
    return server


def write_script(server, path, method, body):
    """A Lua program for wrk: the requests, one after the other."""
    with open(path + ".body", "wb") as file:
        file.write(body)
    with open(path, "w") as file:
        file.write('local f = io.open("%s.body", "rb")\nlocal body = f:read("*a")\nf:close()\nlocal all = {\n' % path)
        for i in range(KEYS):
            target = "/%s/key-%d" % (BUCKET, i)
            lines = ["%s %s HTTP/1.1" % (method, target)]
            lines += ["%s: %s" % one for one in server.sign(method, target, body).items()]
            if body:
                lines.append("Content-Length: %d" % len(body))
            file.write('"%s\\r\\n\\r\\n" .. body,\n' % "\\r\\n".join(lines))
        file.write("}\nlocal i = 0\nfunction request()\n  i = i % #all + 1\n  return all[i]\nend\n")


def measure(server, folder, method, seconds):
    """(requests a second, microseconds of processor time a request); any answer but 200 ends the run."""
    script = os.path.join(folder, "%s-%s.lua" % (server.name, method))
    write_script(server, script, method, os.urandom(SIZE) if method == "PUT" else b"")
    before = server.cpu_s()
    out = subprocess.run(["wrk", "-t1", "-c%d" % CONNECTIONS, "-d%ds" % seconds, "-s", script, "http://%s/" % server.host],
                         capture_output=True, text=True, check=True).stdout
    used = server.cpu_s() - before
    if "Non-2xx" in out or "Socket errors" in out:
        sys.exit("%s, %s:\n%s" % (server.name, method, out))
    count = int(re.search(r"(\d+) requests in", out).group(1))
    return float(re.search(r"Requests/sec:\s+([\d.]+)", out).group(1)), used / count * 1e6


def fill(server):
    body = os.urandom(SIZE)
    status, text = server.ask("PUT", "/" + BUCKET)
    if status not in (200, 409):
        sys.exit("%s: creating a bucket: %d %r" % (server.name, status, text))
    for i in range(KEYS):
        status, text = server.ask("PUT", "/%s/key-%d" % (BUCKET, i), body)
        if status != 200:
            sys.exit("%s: putting an object: %d %r" % (server.name, status, text))


def start_ms(program, folder):
    """From exec to the announcement, on a folder that has its keys already."""
    root, announce, times = os.path.join(folder, "quick"), os.path.join(folder, "quick.json"), []
    rss = 0
    for _ in range(11):
        if os.path.exists(announce):
            os.unlink(announce)
        began = time.monotonic()
        process = start_pocket(program, root, announce)
        while not os.path.exists(announce):
            time.sleep(0.0002)
        times.append((time.monotonic() - began) * 1000)
        server = Server("isobar", process, "", "", "")
        time.sleep(0.1)
        rss = max(rss, server.rss_mib())
        server.end()
    return statistics.median(times), rss


def say(figure, value, unit, peer, peer_value, ratio):
    print("figure=%s value=%.2f unit=%s peer=%s peer_value=%.2f ratio=%.2f" % (figure, value, unit, peer, peer_value, ratio), flush=True)


def main():
    program, weed_program, folder, seconds = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
    servers = [pocket(program, folder)]
    try:
        quiet = {"GOGC": "400"}  # less of its time goes into collecting garbage
        servers.append(weed(weed_program, folder, "weed-volumes", [], quiet))
        servers.append(weed(weed_program, folder, "weed-inline", ["-filer.saveToFilerLimit=%d" % (SIZE + 1)], quiet))
        for server in servers:
            fill(server)
        for method in ("GET", "PUT"):
            seen = {server.name: [] for server in servers}
            for server in servers:
                measure(server, folder, method, 1)  # warm
            for _ in range(ROUNDS):  # by turns: what else the machine does meets all alike
                for server in servers:
                    seen[server.name].append(measure(server, folder, method, seconds))
            rps = {name: statistics.median(one[0] for one in all) for name, all in seen.items()}
            cpu = {name: statistics.median(one[1] for one in all) for name, all in seen.items()}
            if os.environ.get("ISOBAR_BENCH_VERBOSE"):
                print(method, rps, cpu, file=sys.stderr)
            peers = [server.name for server in servers[1:]]
            best_rps, best_cpu = max(rps[name] for name in peers), min(cpu[name] for name in peers)
            word = method.lower()
            say("pocket.s3_%s_rps" % word, rps["isobar"], "1/s", "seaweedfs", best_rps, rps["isobar"] / best_rps)
            say("pocket.s3_%s_cpu_us" % word, cpu["isobar"], "us", "seaweedfs", best_cpu, best_cpu / cpu["isobar"])
    finally:
        for server in servers:
            server.end()
    start, rss = start_ms(program, folder)
    say("pocket.start_ms", start, "ms", "limit", 50, 50 / start)
    say("pocket.rss_idle_mib", rss, "MiB", "limit", 10, 10 / rss)


main()
