"""Many keep-alive connections in one thread: each sends its next request when its answer has come."""

import select
import socket
import time


class Client:
    def __init__(self, port, request):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self.request = request
        self.data = b""

    def send(self):
        self.socket.sendall(self.request)

    def is_answered(self):
        """Reads what has come; true when the answer is whole."""
        self.data += self.socket.recv(65536)
        head = self.data.find(b"\r\n\r\n")
        if head < 0:
            return False
        if not self.data.startswith(b"HTTP/1.1 201"):
            raise RuntimeError(f"submit refused: {self.data[:300]!r}")
        at = self.data.lower().find(b"content-length:")
        length = int(self.data[at + 15 : self.data.index(b"\r\n", at)])
        if len(self.data) < head + 4 + length:
            return False
        self.data = b""
        return True


def submit_request(daemon, body):
    head = (
        f"POST /api/v1/jobs HTTP/1.1\r\nHost: 127.0.0.1:{daemon.instance['port']}\r\n"
        f"Authorization: {daemon.authorization}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def submit_times(daemon, body, count, between):
    """`count` submits over one connection, one after the other, with `between()` after each; gives the
    seconds of each. A bare socket: Python's own HTTP client takes longer for a request than the daemon."""
    client = Client(daemon.instance["port"], submit_request(daemon, body))
    client.socket.setblocking(True)
    times = []
    for _ in range(count):
        start = time.perf_counter()
        client.send()
        while not client.is_answered():
            pass
        times.append(time.perf_counter() - start)
        between()
    client.socket.close()
    return times


def drive(daemon, body, connections, count):
    """`count` submits over `connections`; gives the seconds that they took together."""
    request = submit_request(daemon, body)
    clients = {}
    poll = select.epoll()
    for _ in range(connections):
        client = Client(daemon.instance["port"], request)
        clients[client.socket.fileno()] = client
        poll.register(client.socket.fileno(), select.EPOLLIN)
    start = time.perf_counter()
    sent = answered = 0
    for client in clients.values():
        client.send()
        sent += 1
    while answered < count:
        for descriptor, _ in poll.poll(60):
            if not clients[descriptor].is_answered():
                continue
            answered += 1
            if sent < count:
                clients[descriptor].send()
                sent += 1
    took = time.perf_counter() - start
    for client in clients.values():
        client.socket.close()
    poll.close()
    return took
