# SPDX-License-Identifier: Apache-2.0
"""A TCP relay that cuts connections: each one with a given chance, after a random number of bytes in either direction, with a reset or
with an ordinary end. Stands in front of a pocket cloud; what decides is seeded."""
import contextlib
import random
import socket
import struct
import threading


class Cutter:
    def __init__(self, target, seed, chance, most=200000):
        self.target, self.chance, self.most = target, chance, most
        self.random = random.Random(seed)
        self.lock = threading.Lock()
        self.connections = self.cuts = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                threading.Thread(target=self.relay, args=(client,), daemon=True).start()

    def budget(self):
        """Bytes until the cut (None: never), and whether it is a reset."""
        with self.lock:
            self.connections += 1
            if self.random.random() >= self.chance:
                return None, False
            self.cuts += 1
            # Small numbers as often as large ones: in a head, in a body, in an answer.
            return int(self.most ** self.random.random()), self.random.random() < 0.5

    def relay(self, client):
        # Whether the cloud is there at all is asked once, and not asked again when the answer is cut.
        left, reset = (None, False) if client.recv(13, socket.MSG_PEEK).startswith((b"GET / ", b"GET /azureeu ")) else self.budget()
        try:
            server = socket.create_connection(self.target)
        except OSError:
            client.close()
            return
        shared = {"left": left}
        ends = [threading.Thread(target=self.pump, args=(a, b, shared), daemon=True) for a, b in ((client, server), (server, client))]
        for end in ends:
            end.start()
        for end in ends:
            end.join()
        for one in (client, server):
            if reset:
                with contextlib.suppress(OSError):
                    one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            one.close()

    @staticmethod
    def pump(source, sink, shared):
        with contextlib.suppress(OSError):
            while True:
                data = source.recv(65536)
                if shared["left"] is not None:
                    data = data[:max(shared["left"], 0)]
                    shared["left"] -= len(data)
                if not data:
                    break
                sink.sendall(data)
                if shared["left"] is not None and shared["left"] <= 0:
                    break
        for one in (source, sink):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def close(self):
        self.listener.close()
