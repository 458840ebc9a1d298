// The peer we measure against: npm oidc-provider, one process, everything in memory. Usage: node peer.mjs PORT
//
// It is set up to do the work our server does: JWT access tokens and ID tokens signed ES256, PKCE required, rotated refresh tokens,
// client_secret_basic. Where a choice had to be made it was made in the peer's favour:
//  - its stock memory adapter keeps 1 000 entries and walks all members of a grant on each write; the one below is a plain map,
//    does constant work and forgets nothing while a run lasts;
//  - it drops offline_access unless the page asks for consent again, so refresh tokens are issued without it;
//  - it does not introspect JWT access tokens, because it does not store them: its introspection is of an opaque token.
import { Provider } from 'oidc-provider';
import { exportJWK, generateKeyPair } from 'jose';

const port = Number(process.argv[2]);
const issuer = `http://127.0.0.1:${port}`;
const jwtResource = 'https://api.bench.test';
const opaqueResource = 'https://opaque.bench.test';

const entries = new Map();
const grantMembers = new Map();
const grantable = new Set(['AccessToken', 'AuthorizationCode', 'RefreshToken', 'DeviceCode']);

class MapAdapter {
  constructor(model) { this.model = model; }
  key(id) { return `${this.model}:${id}`; }
  async upsert(id, payload) {
    if (this.model === 'Session') { entries.set(`uid:${payload.uid}`, this.key(id)); }
    if (grantable.has(this.model) && payload.grantId) {
      let members = grantMembers.get(payload.grantId);
      if (!members) { grantMembers.set(payload.grantId, members = new Set()); }
      members.add(this.key(id));
    }
    entries.set(this.key(id), payload);
  }
  async find(id) { return entries.get(this.key(id)); }
  async findByUid(uid) { return entries.get(entries.get(`uid:${uid}`)); }
  async findByUserCode() { return undefined; }
  async consume(id) { entries.get(this.key(id)).consumed = Math.floor(Date.now() / 1000); }
  async destroy(id) {
    const payload = entries.get(this.key(id));
    entries.delete(this.key(id));
    if (payload?.grantId) { grantMembers.get(payload.grantId)?.delete(this.key(id)); }
  }
  async revokeByGrantId(grantId) {
    for (const key of grantMembers.get(grantId) ?? []) { entries.delete(key); }
    grantMembers.delete(grantId);
  }
}

const { privateKey } = await generateKeyPair('ES256', { extractable: true });
const { privateKey: rsa } = await generateKeyPair('RS256', { extractable: true });

const provider = new Provider(issuer, {
  adapter: MapAdapter,
  jwks: {
    keys: [
      { ...(await exportJWK(privateKey)), alg: 'ES256', kid: 'es1', use: 'sig' },
      { ...(await exportJWK(rsa)), alg: 'RS256', kid: 'rs1', use: 'sig' },
    ],
  },
  clients: [{
    client_id: 'bench',
    client_secret: process.env.PEER_CLIENT_SECRET,
    token_endpoint_auth_method: 'client_secret_basic',
    id_token_signed_response_alg: 'ES256',
    grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
    response_types: ['code'],
    redirect_uris: ['http://127.0.0.1:9/cb'],
  }],
  scopes: ['openid', 'offline_access'],
  findAccount: async (_ctx, id) => ({ accountId: id, claims: async () => ({ sub: id }) }),
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    introspection: { enabled: true },
    revocation: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => jwtResource,
      useGrantedResource: () => true,
      getResourceServerInfo: (_ctx, resource) => ({
        scope: 'bench.read',
        audience: resource,
        accessTokenTTL: 600,
        accessTokenFormat: resource === opaqueResource ? 'opaque' : 'jwt',
        jwt: { sign: { alg: 'ES256' } },
      }),
    },
  },
  pkce: { required: () => true },
  rotateRefreshToken: true,
  issueRefreshToken: async (_ctx, client) => client.grantTypeAllowed('refresh_token'),
  expiresWithSession: async () => false,
  interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
  cookies: { keys: ['bench'] },
  ttl: { AccessToken: 600, AuthorizationCode: 60, ClientCredentials: 600, IdToken: 600, RefreshToken: 3600, Session: 3600, Grant: 3600, Interaction: 600 },
});
provider.on('server_error', (_ctx, error) => console.error('server_error', error));

// Signs alice in and grants everything, without a page: done once, before the measurement, to get a session cookie.
provider.use(async (ctx, next) => {
  if (!ctx.path.startsWith('/interaction/')) { return next(); }
  const { prompt, params, session } = await provider.interactionDetails(ctx.req, ctx.res);
  let result;
  if (prompt.name === 'login') {
    result = { login: { accountId: 'alice' } };
  } else {
    const grant = new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
    grant.addOIDCScope('openid offline_access');
    grant.addResourceScope(jwtResource, 'bench.read');
    result = { consent: { grantId: await grant.save() } };
  }
  ctx.redirect(await provider.interactionResult(ctx.req, ctx.res, result, { mergeWithLastSubmission: true }));
});

provider.listen(port, '127.0.0.1', () => console.log(`listening on ${issuer}`));
