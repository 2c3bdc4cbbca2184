"""Has the IETF's reference code (sd-jwt) judge presentations: reads `{issuer, cases, now}` from stdin, writes one verdict a case."""

import json
import sys

from jwcrypto.jwk import JWK
from sd_jwt.verifier import SDJWTVerifier

asked = json.load(sys.stdin)
key = JWK(**{name: value for name, value in asked["issuer"]["jwks"]["keys"][0].items() if name in ("kty", "crv", "x", "y")})
verdicts = []
for case in asked["cases"]:
    try:
        verifier = SDJWTVerifier(case["presentation"], lambda issuer, header: key, case["audience"], case["nonce"])
        claims = verifier.get_verified_payload()
        # It leaves the time to its caller.
        if claims["exp"] <= asked["now"]:
            raise ValueError("expired")
        verdicts.append({"accepted": True, "claims": claims})
    except Exception as error:
        verdicts.append({"accepted": False, "why": repr(error)})
print(json.dumps(verdicts))
