#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A model server of somebody's own, as SageMaker starts it: with the word "serve". It answers with its TAG."""
import http.server
import os
import sys

tag = os.environ["TAG"]
if tag == "dies":
    sys.exit("no model here")


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, body, **headers):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.answer(200 if self.path == "/ping" else 404, b"")

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if body == b"fail":
            self.answer(500, b"it broke")
            return
        attributes = self.headers.get("X-Amzn-SageMaker-Custom-Attributes", "")
        self.answer(200, tag.encode() + b":" + body, Content_Type=self.headers["Content-Type"],
                    X_Amzn_SageMaker_Custom_Attributes=attributes + "!")

    def log_message(self, *_):
        pass


print("serving", tag, flush=True)
http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["SAGEMAKER_BIND_TO_PORT"])), Handler).serve_forever()
