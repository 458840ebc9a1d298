// A resource server that checks signatures with jose and keeps the key set for a while, as Node services do.
// Environment: ISSUER, AUDIENCE, PORT, KEY_CACHE_SECONDS. It never fetches early for a key it does not know: the worst of clients.
import http from 'node:http';
import { createRemoteJWKSet, jwtVerify } from 'jose';

const { ISSUER, AUDIENCE, PORT, KEY_CACHE_SECONDS } = process.env;
const metadata = await (await fetch(`${ISSUER}/.well-known/openid-configuration`)).json();
const keys = createRemoteJWKSet(new URL(metadata.jwks_uri), {
  cacheMaxAge: Number(KEY_CACHE_SECONDS) * 1000,
  cooldownDuration: 3_600_000,
});

http.createServer(async (request, response) => {
  try {
    const token = (request.headers.authorization ?? '').replace(/^Bearer /, '');
    await jwtVerify(token, keys, { issuer: ISSUER, audience: AUDIENCE, typ: 'at+jwt', algorithms: ['ES256'] });
    response.writeHead(200).end('ok');
  } catch (error) {
    response.writeHead(401).end(String(error.code ?? error));
  }
}).listen(Number(PORT), '127.0.0.1');
