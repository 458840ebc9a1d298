// Takes JSON Web Tokens apart and checks their signatures with the browser's own cryptography (RFC 7515, RFC 7518).

const algorithms = {
  RS256: { key: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }, use: { name: 'RSASSA-PKCS1-v1_5' } },
  PS256: { key: { name: 'RSA-PSS', hash: 'SHA-256' }, use: { name: 'RSA-PSS', saltLength: 32 } },
  ES256: { key: { name: 'ECDSA', namedCurve: 'P-256' }, use: { name: 'ECDSA', hash: 'SHA-256' } },
  EdDSA: { key: { name: 'Ed25519' }, use: { name: 'Ed25519' } },
};

export const base64url = (bytes) =>
  btoa(String.fromCharCode(...new Uint8Array(bytes))).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');

export const random = (length) => base64url(crypto.getRandomValues(new Uint8Array(length)));

export const sha256 = (text) => crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));

/** The parts of a signed token, or null when the text is none: an opaque handle, say. */
export function decode(text) {
  const parts = text?.split('.') ?? [];
  if (parts.length !== 3) {
    return null;
  }

  try {
    return { header: json(parts[0]), payload: json(parts[1]), signature: bytes(parts[2]), signed: `${parts[0]}.${parts[1]}` };
  } catch {
    return null;
  }
}

/** Whether the key that the token names is published and made the signature: { ok, text }. */
export async function verify(text, jwks) {
  const token = decode(text);
  const algorithm = algorithms[token.header.alg];
  if (!algorithm) {
    return { ok: false, text: `this page cannot check ${token.header.alg}` };
  }

  const key = jwks?.keys?.find((candidate) => candidate.kid === token.header.kid);
  if (!key) {
    return { ok: false, text: `its key ${token.header.kid} is not in the JWKS` };
  }

  const imported = await crypto.subtle.importKey('jwk', key, algorithm.key, false, ['verify']);
  const ok = await crypto.subtle.verify(algorithm.use, imported, token.signature, new TextEncoder().encode(token.signed));
  return { ok, text: ok ? `signature verified with key ${key.kid}` : `key ${key.kid} did not make this signature` };
}

/** at_hash: the left half of the SHA-256 of the access token (OpenID Connect Core §3.1.3.6). */
export const leftHalfHash = async (text) => base64url((await sha256(text)).slice(0, 16));

const json = (part) => JSON.parse(new TextDecoder().decode(bytes(part)));

function bytes(part) {
  const text = atob(part.replaceAll('-', '+').replaceAll('_', '/'));
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
