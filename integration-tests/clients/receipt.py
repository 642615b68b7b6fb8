"""Checks a consent receipt with joserfc: the signature by the public key, and nothing else is known.

Reads JSON: {"receipt": compact JWS, "keys": JWK set}. Prints the claims; fails when it is not genuine.
"""

import json
import sys

from joserfc import jws
from joserfc.jwk import KeySet

given = json.load(sys.stdin)
signed = jws.deserialize_compact(
    given["receipt"], KeySet.import_key_set(given["keys"]), algorithms=["EdDSA"]
)
assert signed.headers()["typ"] == "consent-receipt+jwt"
print(signed.payload.decode())
