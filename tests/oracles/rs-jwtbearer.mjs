// Drives rs-jwtbearer/, a stock ASP.NET Core API: it must take our token and refuse what was tampered with.
// env: ISSUER CLIENT_ID CLIENT_SECRET RS [CC_SCOPE RESOURCE]
import { Report, base64url, discover, env, hit } from './lib.mjs';

const report = new Report();
const metadata = await discover(env('ISSUER'));

const credentials = [env('CLIENT_ID'), env('CLIENT_SECRET')].map(encodeURIComponent).join(':');
const parameters = new URLSearchParams({ grant_type: 'client_credentials' });
if (env('CC_SCOPE')) parameters.set('scope', env('CC_SCOPE'));
if (env('RESOURCE')) parameters.set('resource', env('RESOURCE'));
const issued = await hit(metadata.token_endpoint, {
  method: 'POST',
  headers: {
    'content-type': 'application/x-www-form-urlencoded',
    accept: 'application/json',
    authorization: `Basic ${Buffer.from(credentials).toString('base64')}`,
  },
  body: parameters.toString(),
});

const token = issued.json?.access_token ?? '';
const [header, payload, signature] = token.split('.');
report.check('jwt-issued', signature !== undefined, `${issued.status} ${issued.json?.error ?? ''}`);
if (signature !== undefined) {
  const decodePart = (part) => JSON.parse(Buffer.from(part, 'base64url'));
  const encodePart = (part) => base64url(JSON.stringify(part));
  const call = async (bearer) =>
    (await hit(`${env('RS')}/me`, { headers: { authorization: `Bearer ${bearer}` } })).status;

  const accepted = await call(token);
  report.check('accepted', accepted === 200, `${accepted} ${JSON.stringify(decodePart(header))}`);

  const flipped = signature.slice(0, 10) + (signature[10] === 'A' ? 'B' : 'A') + signature.slice(11);
  const tampered = {
    none: `${encodePart({ alg: 'none', typ: 'at+jwt' })}.${payload}.`,
    'flipped signature': `${header}.${payload}.${flipped}`,
    'changed subject': `${header}.${encodePart({ ...decodePart(payload), sub: 'root' })}.${signature}`,
    'other type': `${encodePart({ ...decodePart(header), typ: 'JWT' })}.${payload}.${signature}`,
  };
  for (const [name, forged] of Object.entries(tampered)) {
    const status = await call(forged);
    report.check(`refused: ${name}`, status === 401, String(status));
  }
}
report.end();
