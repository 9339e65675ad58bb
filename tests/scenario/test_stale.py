#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Announcements that outlived their process, as after a restart of the machine: their numbers belong to somebody else's program by now, and
their ports, too. Nothing of somebody else's is used, and nothing is ended."""
import http.server
import json
import os
import subprocess
import threading

from scenario import CLOUDS, need, run_test, same


class Other(http.server.BaseHTTPRequestHandler):
    """Answers whatever it is asked."""
    asked = []

    def do_GET(self):
        self.asked.append(self.path)
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    do_PUT = do_HEAD = do_POST = do_GET

    def log_message(self, *_):
        pass


def read(path):
    with open(path) as file:
        return json.load(file)


def test(s):
    folder = s.workspace()
    s.apply(folder)
    paths = [os.path.join(folder, ".isobar/pocket", cloud, "announce.json") for cloud in CLOUDS]
    told = {path: read(path) for path in [*paths, os.path.join(folder, ".isobar/gateways/edge/announce.json")]}
    s.run("down", folder=folder)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Other)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    stranger = subprocess.Popen(["/bin/sleep", "600"], start_new_session=True)
    try:
        url = "http://127.0.0.1:%d" % server.server_address[1]
        for path, announced in told.items():
            with open(path, "w") as file:
                json.dump({**announced, "url": url, "pid": stranger.pid}, file)
        status = s.status(folder)
        same([cloud["up"] for cloud in status["clouds"]], [False] * 3, "clouds that are up")
        same([gateway["up"] for gateway in status["gateways"]], [False], "gateways that are up")
        s.run("down", folder=folder)
        same(stranger.poll(), None, "the end of a program that is not ours")
        s.apply(folder)  # starts its own
        need(s.plan_is_empty(folder), "the plan is not empty")
        need(stranger.pid not in {cloud["pid"] for cloud in s.status(folder)["clouds"]}, "a stranger is taken for a cloud")
        s.run("down", folder=folder)
        same(stranger.poll(), None, "the end of a program that is not ours")
        same(Other.asked, [], "requests to somebody else's server")
    finally:
        stranger.kill()
        stranger.wait()
        server.shutdown()
        server.server_close()


run_test(test)
