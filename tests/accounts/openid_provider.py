"""An OpenID provider of the tests' own, as a process: honest, or with one fault that a query names.

python -m tests.accounts.openid_provider PORT; /authorize?…&login=NAME&fault=FAULT signs NAME in at once.
"""

import secrets
import sys
import time
from typing import Any

from authlib.common.security import generate_token
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from flask import Flask, Response, jsonify, redirect, request
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

PORT = int(sys.argv[1]) if len(sys.argv) > 1 else 0
ISSUER = f"http://127.0.0.1:{PORT}"
CLIENT, SECRET = "fovea", "between us"
KEY = RSAKey.generate_key(2048, {"kid": "one"}, private=True)
OTHER = RSAKey.generate_key(2048, {"kid": "one"}, private=True)
asked: dict[str, dict[str, str]] = {}
app = Flask(__name__)


@app.get("/.well-known/openid-configuration")
def described() -> Response:
    return jsonify(
        issuer=ISSUER,
        authorization_endpoint=f"{ISSUER}/authorize",
        token_endpoint=f"{ISSUER}/token",
        jwks_uri=f"{ISSUER}/keys",
        id_token_signing_alg_values_supported=["RS256", "HS256", "none"],
    )


@app.get("/keys")
def keys() -> Response:
    return jsonify(keys=[KEY.as_dict(private=False)])


@app.get("/authorize")
def authorize() -> Any:
    code = secrets.token_urlsafe()
    asked[code] = {**request.args}
    return redirect(f"{request.args['redirect_uri']}?code={code}&state={request.args['state']}")


@app.post("/token")
def token() -> Any:
    wanted = asked.pop(request.form["code"], None)
    given = request.authorization
    is_client = given is not None and (given.username, given.password) == (CLIENT, SECRET)
    challenge = create_s256_code_challenge(request.form.get("code_verifier", ""))
    if wanted is None or not is_client or challenge != wanted.get("code_challenge"):
        return jsonify(error="invalid_grant"), 400
    answer = {"access_token": generate_token(), "token_type": "Bearer", "expires_in": 60}
    if wanted.get("fault") == "no_token":
        return jsonify(answer)
    return jsonify(**answer, id_token=signed(wanted, wanted.get("fault", "")))


def signed(wanted: dict[str, str], fault: str) -> str:
    """Sign what is said of a person, with one fault."""
    now = int(time.time())
    claims = {
        "iss": "http://127.0.0.1:1" if fault == "issuer" else ISSUER,
        "aud": "another client" if fault == "audience" else CLIENT,
        "sub": wanted["login"],
        "nonce": "another" if fault == "nonce" else wanted["nonce"],
        "iat": now - (7200 if fault == "expired" else 0),
        "exp": now + (-3600 if fault == "expired" else 60),
        "auth_time": now - (3600 if fault == "old" else 0),
        "email": "admin@hospital.example",
    }
    if fault == "mfa":
        claims["amr"] = ["pwd", "mfa"]
    if fault == "unsigned":
        return jwt.encode({"alg": "none"}, claims, OctKey.import_key("x" * 32), algorithms=["none"])
    if fault == "shared_key":
        return jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(KEY.as_pem(private=False)))
    return jwt.encode({"alg": "RS256", "kid": "one"}, claims, OTHER if fault == "foreign_key" else KEY)


if __name__ == "__main__":
    app.run("127.0.0.1", PORT, threaded=True)
