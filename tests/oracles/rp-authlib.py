#!/usr/bin/python3
"""Authlib (Debian: python3-authlib, python3-requests), a Python client independent of the JavaScript ones.

env: ISSUER CLIENT_ID CLIENT_SECRET REDIRECT_URI USER_NAME PASSWORD
     [SCOPE CC_SCOPE AUTHLIB_METHOD PKJ_CLIENT_ID PKJ_JWK NODE_EXTRA_CA_CERTS]
The browser part is left to `node walk-cli.mjs`. Prints one line per check; exits 1 when any failed.
"""
import json
import os
import pathlib
import subprocess
import sys

os.environ.setdefault('AUTHLIB_INSECURE_TRANSPORT', '1')

import requests
from authlib.common.security import generate_token
from authlib.integrations.requests_client import OAuth2Session
from authlib.jose import JsonWebKey, JsonWebToken
from authlib.oauth2.rfc7523 import PrivateKeyJWT

env = os.environ.get
ISSUER, CLIENT_ID, CLIENT_SECRET = env('ISSUER'), env('CLIENT_ID'), env('CLIENT_SECRET')
REDIRECT_URI = env('REDIRECT_URI')
SCOPE = env('SCOPE', 'openid profile email offline_access')
CC_SCOPE = env('CC_SCOPE')
VERIFY = env('NODE_EXTRA_CA_CERTS') or True
WALK = str(pathlib.Path(__file__).parent / 'walk-cli.mjs')
failures = 0


def check(name, passed, detail=''):
    global failures
    print(name, 'pass' if passed else 'fail', str(detail)[:200])
    failures += 0 if passed else 1


def session(client_id, secret, **options):
    made = OAuth2Session(client_id, secret, **options)
    made.verify = VERIFY
    return made


metadata = requests.get(ISSUER.rstrip('/') + '/.well-known/openid-configuration', verify=VERIFY).json()
check('discovery', metadata['issuer'] == ISSUER)
keys = JsonWebKey.import_key_set(requests.get(metadata['jwks_uri'], verify=VERIFY).json())
TOKEN = metadata['token_endpoint']


def sign_in(method):
    """Code + PKCE with the given client authentication: the session, the tokens, and the nonce sent."""
    made = session(
        CLIENT_ID,
        CLIENT_SECRET,
        scope=SCOPE,
        redirect_uri=REDIRECT_URI,
        code_challenge_method='S256',
        token_endpoint_auth_method=method,
    )
    verifier, nonce = generate_token(48), generate_token(16)
    url, state = made.create_authorization_url(
        metadata['authorization_endpoint'], code_verifier=verifier, nonce=nonce, prompt='consent'
    )
    walked = subprocess.run(['node', WALK, url, REDIRECT_URI], capture_output=True, text=True, timeout=90)
    if walked.returncode != 0:
        raise RuntimeError(walked.stderr)
    callback = walked.stdout.strip().splitlines()[-1]
    tokens = made.fetch_token(TOKEN, authorization_response=callback, code_verifier=verifier, state=state)
    return made, tokens, nonce


def check_code_flow(method):
    try:
        made, tokens, nonce = sign_in(method)
    except Exception as error:
        check('code, ' + method, False, error)
        return

    claims = JsonWebToken(['RS256', 'ES256', 'PS256', 'EdDSA']).decode(
        tokens['id_token'], keys, claims_options={'iss': {'value': ISSUER}, 'aud': {'value': CLIENT_ID}}
    )
    claims.validate()
    check('code, ' + method, claims['nonce'] == nonce, f"sub={claims['sub']} alg={claims.header['alg']}")

    userinfo = made.get(metadata['userinfo_endpoint']).json()
    check('userinfo', userinfo.get('sub') == claims['sub'])

    if tokens.get('refresh_token'):
        refreshed = made.refresh_token(TOKEN, refresh_token=tokens['refresh_token'])
        check('refresh', refreshed['access_token'] != tokens['access_token'])

    def is_active():
        answer = made.introspect_token(metadata['introspection_endpoint'], token=made.token['access_token'])
        return answer.json().get('active')

    if metadata.get('introspection_endpoint'):
        check('introspection', is_active() is True)
    if metadata.get('revocation_endpoint'):
        revoked = made.revoke_token(metadata['revocation_endpoint'], token=made.token['access_token'])
        check('revocation', revoked.status_code == 200 and is_active() is False)


def check_client_credentials(name, client_id, secret, **options):
    try:
        made = session(client_id, secret, scope=CC_SCOPE, **options)
        tokens = made.fetch_token(TOKEN, grant_type='client_credentials')
        check(name, bool(tokens.get('access_token')))
    except Exception as error:
        check(name, False, error)


check_code_flow(env('AUTHLIB_METHOD', 'client_secret_basic'))
check_client_credentials('client_credentials', CLIENT_ID, CLIENT_SECRET)

if env('PKJ_CLIENT_ID') and env('PKJ_JWK'):
    with open(env('PKJ_JWK'), encoding='utf-8') as file:
        jwk = json.load(file)
    check_client_credentials(
        'private_key_jwt, audience = token endpoint',
        env('PKJ_CLIENT_ID'),
        JsonWebKey.import_key(jwk),
        token_endpoint_auth_method=PrivateKeyJWT(TOKEN, alg=jwk.get('alg', 'ES256')),
    )

sys.exit(1 if failures else 0)
