"""The resident register's telegram server: four length digits, a header of 50 bytes, EUC-KR. It
prints its port and serves until killed. Written from the register's README, sharing nothing with
the gateway.
"""

import socket
import threading

PEOPLE = {"9001011234567": ("홍길동", "서울특별시 중구 세종대로 110")}
LOCK = threading.Lock()
MOVES = {}


def exactly(connection, count):
    data = b""
    while len(data) < count:
        part = connection.recv(count - len(data))
        if not part:
            raise EOFError
        data += part
    return data


def field(text, width):
    return text.encode("euc-kr").ljust(width)


def serve(connection):
    try:
        while True:
            telegram = exactly(connection, int(exactly(connection, 4)))
            answer = respond(telegram)
            if answer is None:
                return
            connection.sendall(b"%04d" % len(answer) + answer)
    except (EOFError, OSError):
        pass
    finally:
        connection.close()


def respond(telegram):
    header, body = telegram[:50], telegram[50:]
    code, serial = header[:6].decode(), header[29:37].decode()

    def say(result, content=b""):
        return header[:6] + b"R" + header[7:37] + result.encode() + header[41:] + content

    if header[6:15] != b"QNARU0001" or not serial.isdigit():
        return say("9000")
    if code == "RES009":
        with LOCK:
            receipt = MOVES.get(body.decode())
        return say("0000", receipt.encode().ljust(20)) if receipt else say("0404")
    person = PEOPLE.get(body[:13].decode())
    if person is None:
        return say("2001")
    name, address = person
    if code == "RES001":
        return say("0000", b"Y" if body[13:53].decode("euc-kr").rstrip() == name else b"N")
    if code == "RES002":
        return say("0000", field(name, 40) + field(address, 100) + b"20200302" + b"1")
    if code == "RES003":
        if body[53:153].decode("euc-kr").rstrip() == "무응답":
            return None
        with LOCK:
            MOVES[serial] = f"T-{len(MOVES) + 1}"
        lost = body[53:153].decode("euc-kr").rstrip() == "유실"
        return None if lost else say("0000", MOVES[serial].encode().ljust(20))
    return say("1000")


listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
while True:
    accepted, _ = listener.accept()
    threading.Thread(target=serve, args=(accepted,), daemon=True).start()
