"""A TCP address for a server on a unix socket, which can go away, fall silent and come back. No test lives here."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Relay:
    """Passes the bytes of each connection to 127.0.0.1:`port` on to the unix socket and back."""

    def __init__(self, target: Path) -> None:
        self.target = target
        self.port = 0
        self.listener: socket.socket | None = None
        self.open_sockets: set[socket.socket] = set()
        self.lock = threading.Lock()
        self.passes = threading.Event()
        self.passes.set()
        self.start()

    def start(self) -> None:
        """Take connections, on the same port as before."""
        self.listener = socket.create_server(("127.0.0.1", self.port))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, args=[self.listener], daemon=True).start()

    def stop(self) -> None:
        """Break off all connections and refuse new ones, as a server does that is stopped."""
        if self.listener:
            # Wakes up the thread that waits for a connection.
            self.listener.shutdown(socket.SHUT_RDWR)
            self.listener.close()
            self.listener = None
        with self.lock:
            for each in self.open_sockets:
                _break_off(each)

    def fall_silent(self) -> None:
        """Take connections and bytes and pass nothing on, as a server that is frozen, or a network that is cut."""
        self.passes.clear()

    def speak(self) -> None:
        """Pass on what has come meanwhile, and go on."""
        self.passes.set()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            far = socket.socket(socket.AF_UNIX)
            far.connect(str(self.target))
            with self.lock:
                self.open_sockets |= {near, far}
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self._pass_on, args=[source, sink], daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                self.passes.wait()
                sink.sendall(data)
        except OSError:
            pass  # broken off
        with self.lock:
            for each in (source, sink):
                _break_off(each)
            self.open_sockets.discard(source)
        source.close()


def _break_off(one: socket.socket) -> None:
    try:
        one.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass  # it has ended already


@contextmanager
def relayed(target: Path) -> Iterator[Relay]:
    """Run a relay until the block ends."""
    relay = Relay(target)
    try:
        yield relay
    finally:
        relay.speak()
        relay.stop()
