"""Reads a published log with a reader that was not written here (PyPI package `aics-tlog`).

    tiles.py LOG_DIRECTORY VERIFIER_KEY [RECEIPT ...]

Checks the checkpoint's signature, every tile and entry bundle against its root, the root recomputed
from the entries alone, and each receipt: its own checkpoint and proof, the entry it names against
the one that is published, and that its tree is the beginning of the published one.
Needs Python 3.12 or later. Ends with 1 and a sentence when something is wrong.
"""

import base64
import json
import sys
from pathlib import Path

import aics_tlog as tlog
from aics_tlog.verified import audit_tiles


def signed_tree(note: bytes, key: tlog.VKey) -> tuple[int, bytes]:
    """Size and root of a checkpoint that `key` has signed for its own log."""
    checked = tlog.verify_checkpoint(tlog.parse_note(note), key, expected_origin=key.name)
    if not checked.log_ok or checked.size is None or checked.root is None:
        raise ValueError(f"checkpoint refused: {checked.error}")
    return checked.size, checked.root


def check_receipt(receipt: str, key: tlog.VKey, reader: tlog.TileReader, published: int) -> None:
    """c2sp.org/tlog-proof@v1 in base64url."""
    text = base64.urlsafe_b64decode(receipt + "=" * (-len(receipt) % 4)).decode()
    head, note = text.split("\n\n", 1)
    version, extra, place, *hashes = head.split("\n")
    if version != "c2sp.org/tlog-proof@v1":
        raise ValueError(f"unknown receipt {version}")
    entry = base64.b64decode(extra.removeprefix("extra "), validate=True)
    index = int(place.removeprefix("index "))
    proof = [base64.b64decode(line, validate=True) for line in hashes]
    size, root = signed_tree(note.encode(), key)
    if not tlog.verify_leaf_inclusion(entry, index, size, proof, root):
        raise ValueError(f"receipt {index}: the entry is not in its tree")
    if size > published:
        raise ValueError(f"receipt {index}: its tree of {size} is not published yet")
    if tlog.tree_root_from_tiles(reader, size, published) != root:
        raise ValueError(f"receipt {index}: its tree is not the beginning of the published one")
    if tlog.read_entry(reader, index, published) != entry:
        raise ValueError(f"receipt {index}: another entry is published there")


def main(directory: str, verifier_key: str, *receipts: str) -> None:
    key = tlog.parse_vkey(verifier_key)
    reader = tlog.FileSystemTileReader(directory)
    size, root = signed_tree(Path(directory, "checkpoint").read_bytes(), key)
    audited = audit_tiles(reader, size, root)
    entries = [tlog.read_entry(reader, index, size) for index in range(size)]
    if tlog.MerkleTree(entries).root() != root:
        raise ValueError("the entries do not lead to the signed root")
    for entry in entries:
        if json.loads(entry)["v"] not in (1, 2):
            raise ValueError("an entry of an unknown version")
    for receipt in receipts:
        check_receipt(receipt, key, reader, size)
    print(
        f"{key.name}: {size} entries, {audited.tiles} tiles and {audited.bundles} bundles are what"
        f" was signed; {len(receipts)} receipts hold"
    )


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    try:
        main(*sys.argv[1:])
    except (ValueError, OSError) as error:
        sys.exit(f"tiles.py: {error}")
