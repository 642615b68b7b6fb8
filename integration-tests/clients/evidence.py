"""Checks Naru's evidence by docs/evidence.md alone, with nothing but Python's standard library.

    evidence.py vectors FOLDER          recomputes every vector
    evidence.py receipt KEY FILE ...    verifies receipts with the verifier key in the file KEY
    evidence.py bundle KEY FILE         verifies an evidence bundle, and says what is opened in it

Prints one line of JSON. Ends with 1 and a sentence when something does not hold.
"""

import base64
import binascii
import hashlib
import hmac
import json
import sys
import uuid
from datetime import datetime, timezone
from pathlib import Path

ORDER = (
    "v exchange kind received finished configuration front service operation purpose caller"
    " decision quota violated mapping mirror route outcome losses about act destroyed commit"
).split()
PARTS = "request reply subject consent call answer ledger certificate details".split()


class Refused(Exception):
    """It does not verify."""


# Section 2: JSON in one way only.

ESCAPES = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}


def text(value: str) -> str:
    return '"' + "".join(ESCAPES.get(c) or (f"\\u{ord(c):04x}" if c < " " else c) for c in value) + '"'


def compact(value) -> str:
    match value:
        case str():
            return text(value)
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case list():
            return "[" + ",".join(map(compact, value)) + "]"
        case dict():
            return "{" + ",".join(f"{text(k)}:{compact(v)}" for k, v in value.items()) + "}"
    raise TypeError(value)


def present(**fields) -> dict:
    return {name: value for name, value in fields.items() if value is not None}


def milliseconds(moment: str) -> str:
    seconds, _, fraction = moment.removesuffix("Z").partition(".")
    return f"{seconds}.{fraction[:3]:0<3}Z"


# Section 3: the bytes of the parts.


def counted(letter: str, count: int) -> bytes:
    return letter.encode() + count.to_bytes(8, "big")


def bytes_of(value: dict) -> bytes:
    return bytes.fromhex(value["hex"]) if "hex" in value else value["text"].encode()


def typed(value: dict) -> bytes:
    [(kind, content)] = value.items()

    def plain(letter: str, data: bytes) -> bytes:
        return counted(letter, len(data)) + data

    match kind:
        case "text":
            return plain("t", content.encode())
        case "personal":
            return plain("p", content.encode())
        case "resident":
            return plain("r", content.replace("-", "").encode())
        case "integer":
            return plain("i", int(content).to_bytes(16, "big", signed=True))
        case "decimal":
            return plain("n", content.encode())
        case "flag":
            return plain("f", bytes([content]))
        case "date":
            return plain("d", content.encode())
        case "time":
            return plain("c", content.encode())
        case "moment":
            return plain("m", content.encode())
        case "bytes":
            return plain("b", bytes.fromhex(content))
        case "record":
            return b"o" + message(content)
        case "list":
            return counted("[", len(content)) + b"".join(map(message, content))
    raise TypeError(kind)


def message(fields: dict) -> bytes:
    ordered = sorted(fields.items(), key=lambda field: field[0].encode())
    out = counted("{", len(ordered))
    for name, value in ordered:
        out += counted("k", len(name.encode())) + name.encode() + typed(value)
    return out


def headers(fields) -> str:
    return "".join(f"{name}: {value}\n" for name, value in fields) + "\n"


def call(given: dict) -> bytes:
    if "arguments" in given:
        content = message(given["arguments"])
    else:
        http = given["http"]
        head = f"{http['method']} {http['path']}\n" + headers(http["headers"])
        content = (head + http["body"]).encode()
    return given["function"].encode() + b"\x1f" + content


def answer(given: dict) -> bytes:
    head = f"{given['status']}\n" + headers(sorted(given["headers"].items()))
    return (head + given["body"]).encode()


def parts_of(given: dict) -> dict[str, bytes]:
    found = {"request": bytes_of(given["request"]), "reply": bytes_of(given["reply"])}
    for name in ("subject", "certificate"):
        if name in given:
            found[name] = bytes_of(given[name])
    if consent := given.get("consent"):
        as_of = milliseconds(consent["asOf"])
        ordered = {"id": consent["id"], "items": sorted(consent["items"]), "asOf": as_of}
        found["consent"] = compact(ordered).encode()
    if "call" in given:
        found["call"] = call(given["call"])
    if "answer" in given:
        found["answer"] = answer(given["answer"])
    if ledger := given.get("ledger"):
        keys = ("network", "transaction", "block", "blockHash")
        found["ledger"] = compact({key: ledger[key] for key in keys if key in ledger}).encode()
    quota = given.get("quota")
    if quota:
        order = ("policy", "limit", "window", "remaining", "violated", "shadow")
        quota = [{key: one[key] for key in order if key in one} for one in quota]
    details = present(
        requestBytes=len(found["request"]),
        replyBytes=len(found["reply"]),
        key=given["key"]["hex"] if "key" in given else None,
        quota=quota,
    )
    found["details"] = compact(details).encode()
    return {name: found[name] for name in PARTS if name in found}


# Section 4: salts and commitments.


def salt_of(key: bytes, exchange: str, kind: str, part: str) -> bytes:
    bound = uuid.UUID(exchange).bytes + kind.encode() + b"\0" + part.encode()
    return hmac.new(key, bound, hashlib.sha256).digest()


def commitment(salt: bytes, data: bytes) -> str:
    digest = hashlib.sha256(salt + data).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def refuses(quota: dict) -> bool:
    return quota.get("violated", False) and not quota.get("shadow", False)


def entry_of(given: dict, quota: list, commit: dict[str, str]) -> bytes:
    caller, fault = given.get("caller"), given.get("fault")
    leaf = present(
        v=2,
        exchange=given["exchange"],
        kind=given["kind"],
        received=milliseconds(given["received"]),
        finished=milliseconds(given["finished"]),
        caller=caller and {key: caller[key] for key in ("member", "means", "assurance")},
        decision={"policies": given["policies"]} if "policies" in given else None,
        quota=[one["policy"] for one in quota] or None,
        violated=[one["policy"] for one in quota if refuses(one)] or None,
        mapping=given.get("mapping")
        and {key: given["mapping"][key] for key in ("front", "backend") if key in given["mapping"]},
        act=given.get("act")
        and {key: given["act"][key] for key in ("name", "target", "step", "proposer") if key in given["act"]},
        outcome=f"{fault['kind']}/{fault['code']}" if fault else "ok",
        commit=commit,
    )
    for name in ORDER:
        if name in given and name not in leaf:
            leaf[name] = given[name]
    return compact({name: leaf[name] for name in ORDER if name in leaf}).encode()


def check_entry(case: dict) -> None:
    given, result, key = case["input"], case["result"], bytes.fromhex(case["saltKey"])
    found = parts_of(case["parts"])
    salts = {name: salt_of(key, given["exchange"], given["kind"], name) for name in found}
    commit = {name: commitment(salts[name], data) for name, data in found.items()}
    entry = entry_of(given, case["parts"].get("quota", []), commit)
    computed = {
        "bytes": {name: data.hex() for name, data in found.items()},
        "salts": {name: salt.hex() for name, salt in salts.items()},
        "entry": entry.decode(),
        "leafHash": leaf_hash(entry).hex(),
    }
    for name, value in computed.items():
        if value != result[name]:
            raise Refused(f"{case['name']}: {name} is {value}, the vector says {result[name]}")


# Section 5: the tree and the key. Ed25519 after RFC 8032, section 6, verification only.

P, L = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P


def add(a, b):
    (x, y, z, t), (u, v, w, s) = a, b
    e, f = (y - x) * (v - u) % P, (y + x) * (v + u) % P
    g, h = 2 * t * s * D % P, 2 * z * w % P
    e, f, g, h = f - e, h - g, h + g, f + e
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(factor: int, point):
    total = (0, 1, 1, 0)
    while factor:
        if factor & 1:
            total = add(total, point)
        point, factor = add(point, point), factor >> 1
    return total


def point_of(data: bytes):
    number = int.from_bytes(data, "little")
    sign, y = number >> 255, number & (1 << 255) - 1
    if y >= P:
        raise Refused("not a point of the curve")
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    if (x * x - square) % P or (x == 0 and sign):
        raise Refused("not a point of the curve")
    x = P - x if x & 1 != sign else x
    return x, y, 1, x * y % P


BASE = point_of((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def signed(public: bytes, data: bytes, signature: bytes) -> bool:
    if len(signature) != 64 or (s := int.from_bytes(signature[32:], "little")) >= L:
        return False
    try:
        key, r = point_of(public), point_of(signature[:32])
    except Refused:
        return False
    h = int.from_bytes(hashlib.sha512(signature[:32] + public + data).digest(), "little") % L
    left, right = times(s, BASE), add(r, times(h, key))
    return not any((left[i] * right[2] - right[i] * left[2]) % P for i in (0, 1))


def standard(encoded: str) -> bytes:
    """Base64 in its one canonical form."""
    try:
        data = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Refused(f"not base64: {error}") from error
    if base64.b64encode(data).decode() != encoded:
        raise Refused("base64 in another form than its own")
    return data


def urlsafe(encoded: str) -> bytes:
    """Base64url without padding in its one canonical form."""
    if "+" in encoded or "/" in encoded or "=" in encoded:
        raise Refused("not base64url without padding")
    padded = encoded.replace("-", "+").replace("_", "/") + "=" * (-len(encoded) % 4)
    return standard(padded)


class Key:
    """A verifier key."""

    def __init__(self, line: str):
        name, hash_of, encoded = line.strip().split("+", 2)
        self.name, typed_key = name, standard(encoded)
        if typed_key[:1] != b"\x01" or len(typed_key) != 33:
            raise Refused("not an Ed25519 key")
        self.public = typed_key[1:]
        self.id = hashlib.sha256(name.encode() + b"\n" + typed_key).digest()[:4]
        if self.id.hex() != hash_of:
            raise Refused("the key and its hash do not belong together")


def checkpoint(note: str, key: Key) -> tuple[int, bytes]:
    """Size and root that `key` has signed."""
    body, empty, signatures = note.partition("\n\n")
    lines = body.split("\n")
    if not empty or len(lines) != 3 or not signatures.endswith("\n"):
        raise Refused("not a signed checkpoint")
    origin, size, root = lines
    if origin != key.name:
        raise Refused("a checkpoint of another log")
    if not size.isascii() or not size.isdigit() or str(int(size)) != size:
        raise Refused("not a size")
    ours = False
    for line in signatures[:-1].split("\n"):
        dash, _, rest = line.partition(" ")
        name, _, encoded = rest.partition(" ")
        if dash != "—" or not name:
            raise Refused("not a signature line")
        blob = standard(encoded)
        if name == key.name and blob[:4] == key.id:
            if ours or not signed(key.public, (body + "\n").encode(), blob[4:]):
                raise Refused("the signature is not the key's")
            ours = True
    if not ours:
        raise Refused("not signed by the key")
    hashed = standard(root)
    if len(hashed) != 32:
        raise Refused("not a root")
    return int(size), hashed


def leaf_hash(entry: bytes) -> bytes:
    return hashlib.sha256(b"\0" + entry).digest()


def node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\1" + left + right).digest()


def root_from(entry: bytes, index: int, size: int, proof: list[bytes]) -> bytes:
    """RFC 9162, section 2.1.3.2."""
    if index >= size:
        raise Refused("the index lies outside the tree")
    fn, sn, found = index, size - 1, leaf_hash(entry)
    for step in proof:
        if sn == 0:
            raise Refused("a hash is left over")
        if fn & 1 or fn == sn:
            found = node(step, found)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            found = node(found, step)
        fn, sn = fn >> 1, sn >> 1
    if sn:
        raise Refused("the proof is too short")
    return found


# Section 6: receipts.


def verify_text(proof: str, key: Key) -> tuple[int, bytes]:
    """Index and entry of a tlog-proof."""
    head, empty, note = proof.partition("\n\n")
    lines = head.split("\n")
    if not empty or len(lines) < 3 or lines[0] != "c2sp.org/tlog-proof@v1":
        raise Refused("not a tlog-proof")
    extra, place = lines[1], lines[2]
    if not extra.startswith("extra ") or not place.startswith("index "):
        raise Refused("not a tlog-proof with an entry")
    entry, number = standard(extra[6:]), place[6:]
    if not number.isascii() or not number.isdigit() or str(int(number)) != number:
        raise Refused("not an index")
    hashes = [standard(line) for line in lines[3:]]
    if any(len(one) != 32 for one in hashes):
        raise Refused("not a hash")
    size, root = checkpoint(note, key)
    if root_from(entry, int(number), size, hashes) != root:
        raise Refused("the entry is not in the tree that was signed")
    return int(number), entry


def verify_receipt(receipt: str, key: Key) -> tuple[int, bytes]:
    try:
        proof = urlsafe(receipt).decode()
    except UnicodeDecodeError as error:
        raise Refused("not text") from error
    return verify_text(proof, key)


def check_receipt(case: dict) -> None:
    try:
        index, entry = verify_receipt(case["receipt"], Key(case["key"]))
    except Refused as refused:
        if case["holds"]:
            raise Refused(f"{case['name']}: {refused}") from refused
        return
    if not case["holds"]:
        raise Refused(f"{case['name']}: was accepted")
    if (index, entry.decode()) != (case["index"], case["entry"]):
        raise Refused(f"{case['name']}: another entry or index")


# Section 8: bundles.


def verify_bundle(written: str, key: Key) -> list[dict]:
    """What is opened of each entry."""
    try:
        bundle = json.loads(written)
    except ValueError as error:
        raise Refused("not JSON") from error
    shape = isinstance(bundle, dict) and list(bundle) == ["entries", "format"]
    if not shape or compact(bundle) + "\n" != written:
        raise Refused("not a bundle in its one form")
    if bundle["format"] != "naru-evidence-bundle-v1" or not bundle["entries"]:
        raise Refused("not a bundle of this version")
    found, exchanges = [], set()
    for one in bundle["entries"]:
        if not isinstance(one, dict) or list(one) != ["openings", "receipt"]:
            raise Refused("not an entry of a bundle")
        _, entry = verify_text(one["receipt"], key)
        leaf, opened = json.loads(entry), {}
        exchanges.add(leaf["exchange"])
        for opening in one["openings"]:
            if list(opening) != ["bytes", "part", "salt"]:
                raise Refused("not an opening")
            data, salt = urlsafe(opening["bytes"]), urlsafe(opening["salt"])
            if len(salt) != 32 or leaf["commit"].get(opening["part"]) != commitment(salt, data):
                raise Refused(f"{opening['part']} is not what the entry commits to")
            opened[opening["part"]] = data
        if list(opened) != [name for name in PARTS if name in opened] or len(opened) != len(
            one["openings"]
        ):
            raise Refused("openings out of order, or twice")
        found.append({"entry": leaf, "opened": opened})
    if len(exchanges) != 1:
        raise Refused("entries of several exchanges")
    return found


def bundle_of(key_file: str, file: str) -> dict:
    found = verify_bundle(Path(file).read_text(), Key(Path(key_file).read_text()))
    return {
        "entries": [
            {
                "outcome": one["entry"]["outcome"],
                "opened": {name: data.decode(errors="replace") for name, data in one["opened"].items()},
            }
            for one in found
        ]
    }


def vectors(folder: str) -> dict:
    entries = json.loads(Path(folder, "entries.json").read_text())
    receipts = json.loads(Path(folder, "receipts.json").read_text())
    for case in entries:
        check_entry(case)
    for case in receipts:
        check_receipt(case)
    return {"entries": len(entries), "receipts": len(receipts)}


def receipts(key_file: str, *files: str) -> dict:
    key = Key(Path(key_file).read_text())
    found = []
    for file in files:
        index, entry = verify_receipt(Path(file).read_text().strip(), key)
        leaf = json.loads(entry)
        if compact(leaf).encode() != entry:
            raise Refused(f"{file}: the entry is not written in the one way")
        unknown = [name for name in leaf if name not in ORDER]
        if leaf["v"] != 2 or unknown or list(leaf) != [name for name in ORDER if name in leaf]:
            raise Refused(f"{file}: not an entry of version 2, or keys out of order: {unknown}")
        if list(leaf["commit"]) != [name for name in PARTS if name in leaf["commit"]]:
            raise Refused(f"{file}: parts out of order")
        for name in ("received", "finished"):
            datetime.fromisoformat(leaf[name]).astimezone(timezone.utc)
        found.append({"index": index, "outcome": leaf["outcome"]})
    return {"receipts": found}


if __name__ == "__main__":
    commands = {"vectors": vectors, "receipt": receipts, "bundle": bundle_of}
    if len(sys.argv) < 3 or sys.argv[1] not in commands:
        sys.exit(__doc__)
    try:
        print(json.dumps(commands[sys.argv[1]](*sys.argv[2:])))
    except (Refused, OSError, KeyError, ValueError) as problem:
        sys.exit(f"evidence.py: {type(problem).__name__}: {problem}")
