"""Dropped connections: a proxy of the rig between wallet and central that lets a seeded number of bytes through and then cuts.

It knows nothing of TLS or HTTP; it counts bytes of both directions together over the whole phase.
"""

import random
import socket
import struct
import threading

import ledgers
import trials
from actors import Trouble
from world import World


class Proxy:
    """Listens on the port that the wallet knows and passes everything on to where central really is."""

    def __init__(self, port, behind):
        self.behind, self.limit, self.passed, self.cut = behind, None, 0, False
        self._lock, self._open = threading.Lock(), set()
        self._server = socket.create_server(("127.0.0.1", port))
        self._server.settimeout(0.2)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def arm(self, limit):
        """From now on bytes are counted; after `limit` of them every connection is cut, once. Without a limit nothing is."""
        with self._lock:
            self.limit, self.passed, self.cut = limit, 0, False

    def close(self):
        self._ended.set()
        self._thread.join()
        self._server.close()
        self._cut_all()

    def _accept(self):
        while not self._ended.is_set():
            try:
                client, _ = self._server.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self.behind), 10)
            except OSError:
                client.close()
                continue
            pair = (client, server)
            for end in pair:
                end.settimeout(None)
            with self._lock:
                self._open.add(pair)
            for source, target in (pair, pair[::-1]):
                threading.Thread(target=self._pass, args=(pair, source, target), daemon=True).start()

    def _pass(self, pair, source, target):
        try:
            while data := source.recv(65536):
                with self._lock:
                    room = len(data) if self.limit is None or self.cut else max(self.limit - self.passed, 0)
                    self.passed += min(len(data), room)
                target.sendall(data[:room])
                if room < len(data):
                    with self._lock:
                        self.cut = True
                    self._cut_all()
                    return
        except OSError:
            pass
        with self._lock:
            known = pair in self._open
            self._open.discard(pair)
        if known:
            for end in pair:
                end.close()

    def _cut_all(self):
        with self._lock:
            pairs, self._open = self._open, set()
        for end in (end for pair in pairs for end in pair):
            try:
                # A reset, not an orderly end: what a lost network looks like to both sides.
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            end.close()


def run(binary, folder, seed, wanted, phases=("activation", "issuance", "sync")):
    """Cuts `wanted` times in each phase. Gives the hits as they come; `at` and `of` are bytes here."""
    rng = random.Random(f"{seed} cuts")
    world = World(binary, folder, proxied=True)
    proxy = Proxy(world.central.port, world.central.behind)
    try:
        world.prepare(phases)
        for phase in phases:
            world.restore(phase)
            world.central.start()
            proxy.arm(None)
            code, said = world.complete(phase)
            total = proxy.passed
            if code != 0:
                raise Trouble(f"{phase} does not work through the proxy: {said[-300:]}")
            for number in range(wanted):
                yield cut(world, proxy, phase, int((number + rng.random()) / wanted * total), total)
    finally:
        proxy.close()
        world.close()


def cut(world, proxy, phase, limit, total):
    world.restore(phase)
    world.central.start()
    seen = ledgers.Seen()
    before = world.before(phase)
    hit = trials.Hit(phase, "link", limit, total, fault=f"cut after {limit} of {total} bytes")
    hit.found += seen.learn(before)
    proxy.arm(limit)
    code, said = world.complete(phase)
    was_cut = proxy.cut
    proxy.arm(None)
    if not was_cut:
        hit.fault = f"no cut before {limit} of {total} bytes"
    if code not in (0, trials.SURROUNDINGS) or (code != 0 and "central could not be reached" not in said):
        hit.found.append(f"the link was cut and the wallet ended with {code}: {said.strip()[-300:]}")
    after = world.ledger()
    hit.reached = trials.reached(phase, after, world)
    hit.found += seen.learn(after)
    if code == 0:
        hit.reached = "done by itself"
    trials.finish(world, phase, hit, after["step"])
    trials.judge(world, phase, before, hit, seen)
    return hit
