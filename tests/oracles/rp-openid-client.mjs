// openid-client 6, a certified relying party. Prints one line per check; exits 1 when any failed.
// env: ISSUER CLIENT_ID CLIENT_SECRET REDIRECT_URI USER_NAME PASSWORD
//      [POST_LOGOUT_REDIRECT_URI SCOPE CC_SCOPE AUTH=basic|post TOTP_SECRET DEVICE_CLIENT_ID DEVICE_CLIENT_SECRET]
import * as jose from 'jose';
import * as client from 'openid-client';
import { Jar, Report, env, stuck, walk } from './lib.mjs';

const issuer = env('ISSUER');
const clientId = env('CLIENT_ID');
const redirectUri = env('REDIRECT_URI', 'http://127.0.0.1:8765/cb');
const postLogoutRedirectUri = env('POST_LOGOUT_REDIRECT_URI', 'http://127.0.0.1:8765/post-logout');
const scope = env('SCOPE', 'openid profile email offline_access');

const report = new Report();
const jar = new Jar();
const atCallback = (address) => address.startsWith(redirectUri);

async function rejects(name, attempt, expected) {
  try {
    await attempt();
    report.check(name, false, 'was accepted');
  } catch (error) {
    const code = error.error ?? error.cause?.error ?? error.code;
    report.check(name, code === expected, `${code} ${error.status ?? ''}`);
  }
}

// --- discovery -------------------------------------------------------------------------------------------------------

const relaxed = issuer.startsWith('http:') ? { execute: [client.allowInsecureRequests] } : {};
const secret = env('CLIENT_SECRET');
const authentication = env('AUTH') === 'post' ? client.ClientSecretPost(secret) : client.ClientSecretBasic(secret);
const config = await client.discovery(new URL(issuer), clientId, undefined, authentication, relaxed);
client.enableNonRepudiationChecks(config); // the ID token's signature is checked even over the back channel
const metadata = config.serverMetadata();
report.check('discovery', metadata.issuer === issuer, metadata.issuer);

/** Sends the person through the sign-in pages; the result knows how to exchange the code. */
async function signIn(extra = {}, { dpop, par } = {}) {
  const verifier = client.randomPKCECodeVerifier();
  const state = client.randomState();
  const nonce = client.randomNonce();
  const parameters = {
    redirect_uri: redirectUri,
    scope,
    state,
    nonce,
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    ...extra,
  };
  if (scope.includes('offline_access') && !parameters.prompt) parameters.prompt = 'consent';

  const options = dpop ? { DPoP: dpop } : undefined;
  const start = par
    ? await client.buildAuthorizationUrlWithPAR(config, parameters, options)
    : client.buildAuthorizationUrl(config, parameters);
  const walked = await walk(start.href, { jar, stop: atCallback });
  if (!walked.callback) throw new Error(`no callback: ${stuck(walked)}`);

  const checks = {
    pkceCodeVerifier: verifier,
    expectedState: state,
    expectedNonce: nonce,
    idTokenExpected: true,
    ...(extra.max_age !== undefined && { maxAge: Number(extra.max_age) }),
  };
  const exchange = () => client.authorizationCodeGrant(config, walked.callback, checks, undefined, options);
  return { callback: walked.callback, exchange };
}

const introspect = (token) => client.tokenIntrospection(config, token, { token_type_hint: 'access_token' });

// --- authorization code with PKCE ------------------------------------------------------------------------------------

const first = await signIn();
const firstTokens = await first.exchange();
const firstClaims = firstTokens.claims();
const issParameter = first.callback.searchParams.get('iss');
report.check(
  'code + PKCE',
  Boolean(firstTokens.access_token && firstClaims.sub),
  `sub=${firstClaims.sub} alg=${jose.decodeProtectedHeader(firstTokens.id_token).alg}`,
);
report.check(
  'iss in the response (RFC 9207)',
  metadata.authorization_response_iss_parameter_supported !== true || issParameter === issuer,
  issParameter,
);

if (firstTokens.access_token.split('.').length === 3) {
  const name = 'JWT access token (RFC 9068)';
  try {
    const keys = jose.createRemoteJWKSet(new URL(metadata.jwks_uri));
    const { payload, protectedHeader } = await jose.jwtVerify(firstTokens.access_token, keys, { issuer });
    const required = ['iss', 'exp', 'aud', 'sub', 'client_id', 'iat', 'jti'];
    const missing = required.filter((claim) => payload[claim] === undefined);
    const typed = /^(application\/)?at\+jwt$/i.test(protectedHeader.typ ?? '');
    report.check(
      name,
      typed && missing.length === 0 && payload.client_id === clientId,
      `typ=${protectedHeader.typ} alg=${protectedHeader.alg} missing=${missing} scope=${payload.scope}`,
    );
  } catch (error) {
    report.check(name, false, error.message);
  }
} else {
  report.skip('JWT access token (RFC 9068)', 'the access token is opaque');
}

await rejects('code replay', first.exchange, 'invalid_grant');

// --- what the tokens are good for ------------------------------------------------------------------------------------

const tokens = await (await signIn()).exchange();
report.check('second sign-in', Boolean(tokens.access_token));

if (metadata.userinfo_endpoint) {
  const claims = await client.fetchUserInfo(config, tokens.access_token, tokens.claims().sub);
  report.check('userinfo', claims.sub === tokens.claims().sub, Object.keys(claims).join(','));
}

if (metadata.introspection_endpoint) {
  const answer = await introspect(tokens.access_token);
  report.check('introspection', answer.active === true, `scope=${answer.scope} client_id=${answer.client_id}`);
}

if (metadata.introspection_signing_alg_values_supported) {
  // It checks the type, the audience, the issuer and the signature (RFC 9701).
  const alg = jose.decodeProtectedHeader(tokens.id_token).alg;
  const signing = await client.discovery(
    new URL(issuer), clientId, { introspection_signed_response_alg: alg }, authentication, relaxed);
  client.enableNonRepudiationChecks(signing);
  const live = await client.tokenIntrospection(signing, tokens.access_token);
  const dead = await client.tokenIntrospection(signing, 'no-such-token');
  report.check(
    'signed introspection', live.active === true && live.client_id === clientId && dead.active === false, alg);
}

if (tokens.refresh_token) {
  const once = await client.refreshTokenGrant(config, tokens.refresh_token);
  const rotates = once.refresh_token !== undefined && once.refresh_token !== tokens.refresh_token;
  report.check('refresh', Boolean(once.access_token), `rotated=${rotates}`);
  if (rotates) {
    // The successor is used first: a server with a grace window may answer a bare retry with the same successor.
    const twice = await client.refreshTokenGrant(config, once.refresh_token);
    await rejects('refresh reuse', () => client.refreshTokenGrant(config, tokens.refresh_token), 'invalid_grant');
    await rejects('family ended', () => client.refreshTokenGrant(config, twice.refresh_token), 'invalid_grant');
  }
} else {
  report.skip('refresh', 'no refresh token was issued');
}

if (metadata.revocation_endpoint) {
  const revoked = await (await signIn()).exchange();
  await client.tokenRevocation(config, revoked.access_token, { token_type_hint: 'access_token' });
  const answer = metadata.introspection_endpoint ? await introspect(revoked.access_token) : { active: false };
  report.check('revocation', answer.active === false);
  await client.tokenRevocation(config, 'no-such-token');
  report.check('revocation of an unknown token', true);
}

if (metadata.grant_types_supported?.includes('client_credentials')) {
  try {
    const parameters = env('CC_SCOPE') ? { scope: env('CC_SCOPE') } : {};
    const issued = await client.clientCredentialsGrant(config, parameters);
    const plain = Boolean(issued.access_token) && !issued.refresh_token && !issued.id_token;
    report.check('client_credentials', plain, `type=${issued.token_type} expires_in=${issued.expires_in}`);
  } catch (error) {
    report.check('client_credentials', false, error.error ?? error.message);
  }
}

// --- what some servers have besides ----------------------------------------------------------------------------------

if (metadata.dpop_signing_alg_values_supported) {
  const handle = client.getDPoPHandle(config, await client.randomDPoPKeyPair('ES256'));
  const bound = await (await signIn({}, { dpop: handle })).exchange();
  report.check('DPoP token', bound.token_type.toLowerCase() === 'dpop', bound.token_type);
  if (metadata.userinfo_endpoint) {
    const claims = await client.fetchUserInfo(config, bound.access_token, bound.claims().sub, { DPoP: handle });
    report.check('DPoP userinfo', claims.sub === bound.claims().sub);
    const headers = { authorization: `Bearer ${bound.access_token}` };
    const { status } = await fetch(metadata.userinfo_endpoint, { headers });
    report.check('DPoP token as bearer refused', status === 401, String(status));
  }
  if (metadata.introspection_endpoint) {
    const answer = await introspect(bound.access_token);
    report.check('DPoP introspection', Boolean(answer.cnf?.jkt), JSON.stringify(answer.cnf));
  }
}

if (metadata.pushed_authorization_request_endpoint) {
  const pushed = await (await signIn({}, { par: true })).exchange();
  report.check('pushed authorization request', Boolean(pushed.access_token));
}

const fresh = await (await signIn({ max_age: '0', prompt: 'login' })).exchange();
const authTime = fresh.claims().auth_time;
const isFresh = typeof authTime === 'number' && Math.abs(Date.now() / 1000 - authTime) < 60;
report.check('max_age=0', isFresh, `auth_time=${authTime}`);

const silent = await (await signIn({ prompt: 'none', scope: 'openid' })).exchange();
report.check('prompt=none', silent.claims().sub === firstClaims.sub);

if (metadata.response_modes_supported?.includes('form_post')) {
  const start = client.buildAuthorizationUrl(config, {
    redirect_uri: redirectUri,
    scope: 'openid',
    response_mode: 'form_post',
    state: 's',
    code_challenge: await client.calculatePKCECodeChallenge(client.randomPKCECodeVerifier()),
    code_challenge_method: 'S256',
  });
  const walked = await walk(start.href, { jar, stop: atCallback });
  report.check('form_post', walked.via === 'form_post' && Boolean(walked.formPost.get('code')));
}

if (metadata.device_authorization_endpoint && env('DEVICE_CLIENT_ID')) {
  const deviceSecret = env('DEVICE_CLIENT_SECRET');
  const deviceAuthentication = deviceSecret ? client.ClientSecretBasic(deviceSecret) : client.None();
  const device = await client.discovery(
    new URL(issuer),
    env('DEVICE_CLIENT_ID'),
    undefined,
    deviceAuthentication,
    relaxed,
  );
  const started = await client.initiateDeviceAuthorization(device, { scope: 'openid' });
  const signal = AbortSignal.timeout(40000);
  const polling = client.pollDeviceAuthorizationGrant(device, started, undefined, { signal });
  const verification = started.verification_uri_complete ?? started.verification_uri;
  const walking = walk(verification, { jar, stop: () => false });
  try {
    const [issued] = await Promise.all([polling, walking]);
    report.check('device flow', Boolean(issued.access_token), `interval=${started.interval}`);
  } catch (error) {
    report.check('device flow', false, `${error.message} ${stuck(await walking)}`);
  }
}

// --- signing out -----------------------------------------------------------------------------------------------------

if (metadata.end_session_endpoint) {
  const state = client.randomState();
  const start = client.buildEndSessionUrl(config, {
    id_token_hint: fresh.id_token,
    post_logout_redirect_uri: postLogoutRedirectUri,
    state,
  });
  const back = (address) => address.startsWith(postLogoutRedirectUri);
  const walked = await walk(start.href, { jar, stop: back, allowLogin: false });
  const detail = walked.callback?.href ?? stuck(walked);
  report.check('end session', walked.callback?.searchParams.get('state') === state, detail);

  try {
    const { callback } = await signIn({ prompt: 'none', scope: 'openid' });
    const error = callback.searchParams.get('error');
    report.check('prompt=none after signing out', error === 'login_required', error);
  } catch (error) {
    report.check('prompt=none after signing out', false, error.message.slice(0, 200));
  }
}

report.end();
