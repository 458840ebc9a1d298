// What the names in requests, responses and tokens mean, in words.

export const claims = {
  iss: 'Issuer: who made the token. Must be exactly the server you trust.',
  sub: 'Subject: whom the token speaks of. For a person an immutable random id, never an address of mail; for a service its client id.',
  aud: 'Audience: who may accept the token. Everyone else must refuse it.',
  exp: 'Expires: from this second on it is refused.',
  iat: 'Issued at.',
  nbf: 'Not before.',
  jti: 'The id of this one token, for logs and revocation.',
  client_id: 'The app that the token was issued to.',
  scope: 'What the app may do with it. An API asks for the scope it needs.',
  sid: 'The sign-in session at the server. Signing out ends everything with this sid.',
  gid: 'The grant that the token hangs on: what the timeline shows. Ending it ends the token.',
  auth_time: 'When the person last proved who they are.',
  acr: 'How strongly they proved it.',
  amr: 'How they proved it: pwd is a password, otp a code, hwk a key.',
  azp: 'The app that the token was issued to, where the audience names several.',
  nonce: 'The random value that the app sent along: the token answers this request and no other.',
  at_hash: 'Half of the hash of the access token that came with it: the two belong together.',
  name: 'The full name.',
  given_name: 'The given name.',
  family_name: 'The family name.',
  preferred_username: 'What the person signs in with. May change: never use it as a key.',
  email: 'The address of mail. May change: never use it as a key.',
  email_verified: 'Whether the server knows that the address is theirs.',
  updated_at: 'When any of this last changed.',
  locale: 'The language of the person.',
  zoneinfo: 'The time zone of the person.',
  cnf: 'The key that the holder must prove to have.',
  active: 'Whether the token is good at this moment. Everything else counts only if it is.',
  token_type: 'How to present it: Bearer means that whoever holds it may use it.',
  username: 'What the person signs in with.',
};

export const header = {
  alg: 'How it is signed. A checker allows what it expects, never what the token says.',
  kid: 'Which of the published keys signed it.',
  typ: 'What kind of token: at+jwt is an access token, JWT an ID token. One must not pass for the other.',
};

export const parameters = {
  response_type: 'code: the answer is a code, never a token in the address bar.',
  client_id: 'Which app asks.',
  redirect_uri: 'Where the browser comes back to. Compared letter by letter with what is registered.',
  scope: 'What the app asks for. openid makes it a sign-in; offline_access lets it act later, without the person.',
  state: 'A random value that comes back unchanged: the answer belongs to a request of this browser.',
  nonce: 'A random value that comes back inside the ID token.',
  code_challenge: 'The SHA-256 of the verifier. Shows nothing of the verifier itself.',
  code_challenge_method: 'S256: the challenge is a hash. The server accepts nothing weaker.',
  code_verifier: 'The secret behind the challenge. Only the app that began can know it.',
  prompt: 'What the server may show, or must.',
  max_age: 'How many seconds ago the sign-in may have been.',
  login_hint: 'The user name to fill in.',
  grant_type: 'What is traded for a token.',
  code: 'The code that came back through the browser.',
  refresh_token: 'The refresh token in hand. It works once.',
  token: 'The token in question.',
  token_type_hint: 'Where the server may look first. It looks everywhere anyway.',
  id_token_hint: 'The ID token, to say whose session is meant. It may have expired.',
  post_logout_redirect_uri: 'Where the browser goes afterwards. Registered, like every address.',
  client_secret: 'What the service proves itself with.',
  iss: 'Who answers (RFC 9207): the app compares it with the server it asked.',
  error: 'What went wrong, as a fixed word.',
  error_description: 'The same for a developer.',
};

export const requestHeaders = {
  Authorization: 'Who asks. Basic: client id and secret. Bearer: an access token.',
};

export const members = {
  access_token: 'The key to the APIs.',
  token_type: 'How to present it: Bearer means that whoever holds it may use it.',
  expires_in: 'Seconds that the access token lives.',
  refresh_token: 'Gets the next access token. It works once and brings its successor.',
  id_token: 'Says who signed in, to this app and nobody else. It opens no API.',
  scope: 'What was granted; it may be less than was asked for.',
  issuer: 'The name of the server. Every token must carry exactly this.',
  authorization_endpoint: 'Where the browser is sent to sign in.',
  token_endpoint: 'Where codes and refresh tokens are traded.',
  userinfo_endpoint: 'Where the facts about the person wait.',
  jwks_uri: 'Where the public keys are.',
  end_session_endpoint: 'Where the browser is sent to sign out.',
  introspection_endpoint: 'Where an API asks whether a token is good.',
  revocation_endpoint: 'Where an app gives a token back.',
  keys: 'The public keys. An app caches them, and looks again when a token names one it does not know.',
  error: 'What went wrong, as a fixed word (RFC 6749 §5.2).',
  error_description: 'The same for a developer. It never repeats what was sent.',
  ...claims,
};

export const errors = {
  invalid_request: 'The request itself is wrong: a parameter is missing, doubled or malformed. The description names it. Mend the app.',
  invalid_client: 'The client did not prove who it is. Unknown client, wrong secret and missing secret get this same answer, so that nobody can find out which clients exist.',
  invalid_grant: 'The code or refresh token is not good: used before, expired, ended, made for another client, or sent with another verifier or redirect URI. The answer does not say which. Ask the person to sign in again.',
  unauthorized_client: 'This client is not registered for what it tried.',
  unsupported_grant_type: 'The server does not know this kind of grant.',
  unsupported_response_type: 'The server only answers with a code.',
  invalid_scope: 'The client asked for a scope that does not exist, or that it may not have.',
  access_denied: 'The person refused. That is an answer, not a fault: go on without.',
  login_required: 'With prompt=none nobody may be asked, and nobody is signed in. Ask again without prompt.',
  consent_required: 'With prompt=none nobody may be asked, and the person has not allowed this yet. Ask again without prompt.',
  interaction_required: 'With prompt=none nobody may be asked, and something has to be. Ask again without prompt.',
  account_selection_required: 'With prompt=none nobody may be asked, and several accounts are signed in. Ask again without prompt.',
  invalid_token: 'The access token is missing, malformed, expired, forged or ended. Refresh it, or sign in again.',
  insufficient_scope: 'The token is good but not for this: it lacks the scope that is named.',
  server_error: 'The server failed. Its log says why, under the request id.',
  temporarily_unavailable: 'The server cannot answer right now. Try again shortly.',
};

export const events = {
  'grant.opened': 'The person allowed the app in. The grant begins, a code is on its way.',
  'grant.code_redeemed': 'The code was traded for tokens, for the first and only time.',
  'grant.refreshed': 'A refresh token was spent; its successor took its place.',
  'grant.ended': 'The grant ended, and everything issued from it.',
  'token.issued': 'A token was issued.',
  'token.revoked': 'One token was ended; the grant goes on.',
  'session.ended': 'The session ended.',
};

export const reasons = {
  code_reuse: 'the code was used a second time',
  refresh_reuse: 'a spent refresh token was used again',
  revoked_by_client: 'the app gave it back',
  signed_out: 'the person signed out',
  grace: 'a retry within the grace window; it got the same successor',
};
