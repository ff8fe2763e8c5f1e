"""A small SMTP server (RFC 5321) in a thread, which refuses what it is told to. No test lives here."""

import socketserver
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager


class Conversation(socketserver.StreamRequestHandler):
    """One connection."""

    server: "SmtpServer"

    def handle(self) -> None:
        self.server.connections += 1
        self.say("220 ready")
        while line := self.rfile.readline().decode().strip():
            word, _, rest = line.partition(" ")
            match word.upper():
                case "RCPT":
                    address = rest.split("<")[1].split(">")[0]
                    self.say(self.server.refuses.get(address, "250 OK"))
                case "DATA":
                    self.say("354 go on")
                    self.server.taken.append(self.body())
                    self.say("250 taken")
                case "QUIT":
                    self.say("221 bye")
                    return
                case _:
                    self.say("250 OK")

    def body(self) -> str:
        """Return the lines up to a single dot."""
        lines = []
        while (line := self.rfile.readline().decode().rstrip("\r\n")) != ".":
            lines.append(line)
        return "\n".join(lines)

    def say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


class SmtpServer(socketserver.ThreadingTCPServer):
    """Takes mails. `refuses` has the answer to RCPT for an address."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, refuses: Mapping[str, str]) -> None:
        super().__init__(("127.0.0.1", 0), Conversation)
        self.refuses = dict(refuses)
        self.taken: list[str] = []
        self.connections = 0


@contextmanager
def serving(refuses: Mapping[str, str]) -> Iterator[SmtpServer]:
    """Run a server until the block ends."""
    with SmtpServer(refuses) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server
        finally:
            server.shutdown()
