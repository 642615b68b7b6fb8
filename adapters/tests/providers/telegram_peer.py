"""A telegram server that behaves as the transaction code says: six letters, a serial number of
eight digits, then anything. It prints its port and serves until killed. Written from the
description of the framings, sharing nothing with the gateway.
"""

import socket
import ssl
import struct
import sys
import threading

LOCK = threading.Lock()
DONE = []


class Gone(Exception):
    pass


def exactly(connection, count):
    data = b""
    while len(data) < count:
        part = connection.recv(count - len(data))
        if not part:
            raise Gone
        data += part
    return data


def upto(connection, mark):
    data = b""
    while not data.endswith(mark):
        data += exactly(connection, 1)
    return data[: -len(mark)]


class Ascii4:
    def read(self, connection):
        return exactly(connection, int(exactly(connection, 4)))

    def write(self, telegram):
        return b"%04d" % len(telegram) + telegram

    lie = b"9999"


class Ascii6Inclusive(Ascii4):
    def read(self, connection):
        return exactly(connection, int(exactly(connection, 6)) - 6)

    def write(self, telegram):
        return b"%06d" % (len(telegram) + 6) + telegram

    lie = b"999999"


class Binary2:
    def read(self, connection):
        return exactly(connection, struct.unpack(">H", exactly(connection, 2))[0])

    def write(self, telegram):
        return struct.pack(">H", len(telegram)) + telegram

    lie = b"\xff\xff"


class Binary4(Binary2):
    def read(self, connection):
        return exactly(connection, struct.unpack(">I", exactly(connection, 4))[0])

    def write(self, telegram):
        return struct.pack(">I", len(telegram)) + telegram

    lie = b"\xff\xff\xff\xff"


class StxEtx:
    def read(self, connection):
        assert exactly(connection, 1) == b"\x02"
        return upto(connection, b"\x03")

    def write(self, telegram):
        return b"\x02" + telegram + b"\x03"

    lie = b"\x02" + b"x" * 5000


class Newline:
    def read(self, connection):
        return upto(connection, b"\n")

    def write(self, telegram):
        return telegram + b"\n"

    lie = b"x" * 5000


FRAMINGS = {
    "ascii4": Ascii4(),
    "ascii6": Ascii6Inclusive(),
    "binary2": Binary2(),
    "binary4": Binary4(),
    "stx": StxEtx(),
    "newline": Newline(),
}


class Session:
    def __init__(self, connection, framing):
        self.connection, self.framing, self.held = connection, framing, []

    def run(self):
        try:
            while True:
                telegram = self.framing.read(self.connection)
                code, serial = telegram[:6].decode(), telegram[6:14]
                getattr(self, "on_" + code.strip().lower())(code.encode() + serial, telegram[14:])
        except (Gone, OSError):
            pass
        finally:
            self.connection.close()

    def say(self, head, text):
        self.connection.sendall(self.framing.write(head + text))

    def on_query(self, head, body):
        self.say(head, b"you said " + body)

    def on_submit(self, head, body):
        with LOCK:
            DONE.append(head[6:])
        self.say(head, b"done")

    def on_status(self, head, body):
        with LOCK:
            self.say(head, b"known" if body in DONE else b"unknown")

    def on_count(self, head, _body):
        with LOCK:
            self.say(head, str(len(DONE)).encode())

    def on_test(self, head, _body):
        self.say(head, b"")

    def on_mute(self, _head, _body):
        # From now on not even test telegrams are answered.
        self.on_test = lambda _head, _body: None

    def on_refuse(self, head, _body):
        self.say(head, b"refused")

    def on_slow(self, _head, _body):
        pass

    def on_hold(self, head, _body):
        self.held.append(head)

    def on_free(self, head, _body):
        self.say(head, b"first")
        for held in self.held:
            self.say(held, b"second")
        self.held = []

    def on_lose(self, head, _body):
        with LOCK:
            DONE.append(head[6:])
        raise Gone

    def on_wrong(self, head, _body):
        self.say(head[:6] + b"00000000", b"an answer to nobody")

    def on_large(self, _head, _body):
        self.connection.sendall(self.framing.lie)

    def on_cut(self, head, _body):
        self.connection.sendall(self.framing.write(head + b"not all of it")[:-3])
        raise Gone

    def on_noise(self, _head, _body):
        self.connection.sendall(b"\x15\x15 this is noise \n")
        raise Gone


def main():
    listener = socket.create_server(("127.0.0.1", int(sys.argv[2])))
    framing = FRAMINGS[sys.argv[1]]
    context = None
    if len(sys.argv) > 3:
        certificate, key, authority = sys.argv[3:6]
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        context.load_verify_locations(authority)
        context.verify_mode = ssl.CERT_REQUIRED
    print(listener.getsockname()[1], flush=True)
    while True:
        connection, _ = listener.accept()

        def serve(connection=connection):
            try:
                if context:
                    connection = context.wrap_socket(connection, server_side=True)
            except (OSError, ssl.SSLError):
                return
            Session(connection, framing).run()

        threading.Thread(target=serve, daemon=True).start()


main()
