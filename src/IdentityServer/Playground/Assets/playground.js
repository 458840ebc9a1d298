// The playground plays the app: it makes each request of a flow, checks what comes back, and shows everything.

import { keep, leave, outcome, send, showAll } from './exchange.js';
import { readGrant, tickGrant } from './grant.js';
import { base64url, decode, leftHalfHash, random, sha256, verify } from './jwt.js';
import { forget, save, state } from './state.js';
import { nameOf, overBecause, showTokens, tick } from './tokens.js';
import { h, say } from './view.js';

const settings = await (await fetch('/playground/settings', { cache: 'no-store' })).json();
const steps = [...document.querySelectorAll('.step')].map((step) => step.id);
const basic = (id, secret) => `Basic ${btoa(`${encodeURIComponent(id)}:${encodeURIComponent(secret)}`)}`;
const chosen = (form, name) => [...form.querySelectorAll(`[name=${name}]:checked`)].map((input) => input.value);
const form = (id) => document.getElementById(id);
const proof = (ok, yes, no) => ({ ok, text: ok ? yes : no });

// --- The flows -----------------------------------------------------------------------------------------------------

const runs = {
  async metadata() {
    await learn('metadata');
  },

  async redeem() {
    await redeem('Redeem the code', state.held.code.verifier);
  },

  async 'redeem-again'() {
    await redeem('Redeem the code a second time', state.held.code.verifier);
  },

  async 'redeem-wrong-verifier'() {
    await redeem('Redeem the code with a wrong verifier', random(32));
  },

  async userinfo() {
    await userInfo('Ask who it is', { Authorization: `Bearer ${state.held.access.text}` });
  },

  async 'userinfo-bare'() {
    await userInfo('Ask without a token', {});
  },

  async 'userinfo-forged'() {
    const { text } = state.held.access;
    const at = text.length - 20;
    await userInfo('Ask with a forged token', { Authorization: `Bearer ${text.slice(0, at)}${text[at] === 'A' ? 'B' : 'A'}${text.slice(at + 1)}` });
  },

  async refresh() {
    await refresh('Trade the refresh token', state.held.refresh.text);
  },

  async 'refresh-spent'() {
    await refresh('Trade the spent refresh token again', state.held.spent.text);
  },

  async 'refresh-wider'() {
    await refresh('Ask for more than was granted', state.held.refresh.text, { scope: 'openid address' });
  },

  async signout() {
    const { end_session_endpoint: url } = await metadata();
    const back = random(16);
    const fields = {
      id_token_hint: state.held.id.text, client_id: settings.person.clientId, post_logout_redirect_uri: settings.person.postLogoutRedirectUri, state: back,
    };
    const { id } = leave('signout', 'Sign out at the server', 'POST', url, fields);
    state.pending = { id, state: back, kind: 'signout' };
    save();

    // Sent as a form, so that the ID token does not stand in the address bar.
    const sheet = h('form', { method: 'post', action: url, hidden: true },
      Object.entries(fields).map(([name, text]) => h('input', { type: 'hidden', name, value: text })));
    document.body.append(sheet);
    sheet.submit();
  },

  async 'service-wrong'() {
    await serviceToken('Ask with a wrong secret', 'not-the-secret', settings.service.scopes);
  },

  async 'service-wider'() {
    await serviceToken('Ask for a scope that is not the service\u2019s', settings.service.secret, ['openid']);
  },
};

async function learn(step) {
  const discovery = await send(step, 'Who are you?', { url: `${settings.issuer}/.well-known/openid-configuration` });
  if (discovery.answer?.status !== 200) {
    keep(discovery.record);
    return;
  }

  state.metadata = discovery.answer.body;
  discovery.record.proofs.push(proof(state.metadata.issuer === settings.issuer, 'The document names the server that was asked', 'The document names another server'));
  keep(discovery.record);

  const keys = await send(step, 'Which keys are yours?', { url: state.metadata.jwks_uri });
  state.jwks = keys.answer?.body ?? null;
  keep(keys.record);
}

async function metadata() {
  if (!state.metadata || !state.jwks) {
    await learn('metadata');
  }

  return state.metadata;
}

async function signIn() {
  const { authorization_endpoint: endpoint } = await metadata();
  const sheet = form('signin-form');
  const verifier = random(32);
  const sent = {
    response_type: 'code',
    client_id: settings.person.clientId,
    redirect_uri: settings.person.redirectUri,
    scope: chosen(sheet, 'scope').join(' '),
    state: random(16),
    nonce: random(16),
    code_challenge: base64url(await sha256(verifier)),
    code_challenge_method: 'S256',
  };
  for (const name of ['prompt', 'max_age', 'login_hint']) {
    if (sheet.elements[name].value) {
      sent[name] = sheet.elements[name].value;
    }
  }

  const url = new URL(endpoint);
  url.search = new URLSearchParams(sent);
  const { id } = leave('signin', 'Sign in at the server', 'GET', url.href);
  state.pending = { id, kind: 'signin', state: sent.state, nonce: sent.nonce, verifier };
  save();
  location.assign(url);
}

// The browser is back from the server, with an answer in the address.
function comeBack() {
  const { pending } = state;
  const back = [...new URLSearchParams(location.search)];
  const record = state.exchanges.find((exchange) => exchange.id === pending?.id);
  if (back.length === 0 || !record) {
    history.replaceState(null, '', `/playground${location.hash}`);
    return;
  }

  const answer = Object.fromEntries(back);
  record.response = { back, path: location.pathname };
  record.took = undefined;
  record.proofs = [proof(answer.state === pending.state, 'state is what was sent: the answer to this very request', 'state is not what was sent')];
  state.pending = null;
  let next = 'signout';
  if (pending.kind === 'signin') {
    record.proofs.push(proof(answer.iss === settings.issuer, 'iss is the server that was asked', 'iss is another server'));
    next = 'signin';
    if (answer.code && record.proofs.every((proof) => proof.ok)) {
      const begins = Date.now() / 1000;
      Object.assign(state, { held: { service: state.held.service }, issued: [], grant: null, events: [] });
      state.held.code = { text: answer.code, begins, ends: begins + settings.codeLifetime, verifier: pending.verifier, nonce: pending.nonce };
      next = 'redeem';
    }
  } else {
    if (state.held.id) {
      state.held.id.over = 'signed out';
    }
  }

  // The code leaves the address bar: reloading or copying it would send it again.
  history.replaceState(null, '', `/playground#${next}`);
  keep(record);
}

async function redeem(title, verifier) {
  const { token_endpoint: url } = await metadata();
  const { code } = state.held;
  const { record, answer } = await send('redeem', title, { method: 'POST', url, form: {
    grant_type: 'authorization_code', code: code.text, redirect_uri: settings.person.redirectUri, client_id: settings.person.clientId, code_verifier: verifier,
  } });
  if (answer?.status === 200) {
    await take(record, answer.body, code.nonce);
    code.over = 'redeemed';
  }

  keep(record);
}

async function refresh(title, text, more = {}) {
  const { token_endpoint: url } = await metadata();
  const { record, answer } = await send('refresh', title, { method: 'POST', url, form: {
    grant_type: 'refresh_token', refresh_token: text, client_id: settings.person.clientId, ...more,
  } });
  if (answer?.status === 200) {
    if (text === state.held.refresh.text) {
      state.held.spent = { text, over: 'spent' };
    } else {
      record.proofs.push(proof(
        answer.body.refresh_token === state.held.refresh.text, 'The successor is the one in hand', 'Another successor: the one in hand is over'));
    }

    await take(record, answer.body, null);
  }

  keep(record);
}

// Checks the tokens of an answer as an app must (OpenID Connect Core §3.1.3.7), then holds them.
async function take(record, body, nonce) {
  const begins = Date.now() / 1000;
  const access = decode(body.access_token);
  await knowKeysOf([body.access_token, body.id_token]);
  state.held.access = { text: body.access_token, begins, ends: begins + body.expires_in };
  state.issued.push({ begins, ends: begins + body.expires_in });
  if (body.refresh_token) {
    state.held.refresh = { text: body.refresh_token };
  }

  if (access) {
    record.proofs.push(await signed('Access token', body.access_token));
    state.grant = access.payload.gid ?? state.grant;
  }

  if (body.id_token) {
    const { payload } = decode(body.id_token);
    state.held.id = { text: body.id_token, begins: payload.iat, ends: payload.exp };
    record.proofs.push(
      await signed('ID token', body.id_token),
      proof(payload.iss === settings.issuer, 'ID token: made by the server that was asked', 'ID token: made by another server'),
      proof([payload.aud].flat().join(' ') === settings.person.clientId, 'ID token: made for this app alone', 'ID token: made for another app'),
      proof(payload.at_hash === await leftHalfHash(body.access_token), 'ID token: names this access token (at_hash)', 'ID token: names another access token'));
    if (nonce) {
      record.proofs.push(proof(payload.nonce === nonce, 'ID token: carries the nonce that was sent', 'ID token: carries another nonce'));
    }
  }
}

async function signed(what, text) {
  const { ok, text: result } = await verify(text, state.jwks);
  return { ok, text: `${what}: ${result}` };
}

// A token may be signed by a key that was published since: then the keys are fetched again.
async function knowKeysOf(texts) {
  const known = new Set(state.jwks?.keys?.map((key) => key.kid));
  if (texts.some((text) => decode(text ?? '') && !known.has(decode(text).header.kid))) {
    const { record, answer } = await send('metadata', 'A key is new: which keys are yours?', { url: state.metadata.jwks_uri });
    state.jwks = answer?.body ?? state.jwks;
    keep(record);
  }
}

async function userInfo(title, headers) {
  const { userinfo_endpoint: url } = await metadata();
  const { record, answer } = await send('userinfo', title, { url, headers });
  if (answer?.status === 200 && state.held.id) {
    record.proofs.push(proof(
      answer.body.sub === decode(state.held.id.text).payload.sub, 'sub is the person of the ID token', 'sub is somebody else than the ID token says'));
  }

  keep(record);
}

async function serviceToken(title, secret, scopes) {
  const { token_endpoint: url } = await metadata();
  const { record, answer } = await send('service', title, {
    method: 'POST', url, headers: { Authorization: basic(settings.service.clientId, secret) },
    form: { grant_type: 'client_credentials', ...(scopes.length > 0 ? { scope: scopes.join(' ') } : {}) },
  });
  if (answer?.status === 200) {
    const begins = Date.now() / 1000;
    await knowKeysOf([answer.body.access_token]);
    state.held.service = { text: answer.body.access_token, begins, ends: begins + answer.body.expires_in };
    if (decode(answer.body.access_token)) {
      record.proofs.push(await signed('Access token', answer.body.access_token));
    }
  }

  keep(record);
}

async function introspect() {
  const { introspection_endpoint: url } = await metadata();
  const [kind] = chosen(form('introspect-form'), 'token');
  const { record, answer } = await send('introspect', `Is the ${nameOf(kind).toLowerCase()} good?`, {
    method: 'POST', url, headers: { Authorization: basic(settings.service.clientId, settings.service.secret) },
    form: { token: state.held[kind].text, token_type_hint: kind === 'refresh' ? 'refresh_token' : 'access_token' },
  });
  if (answer?.status === 200) {
    record.proofs.push({ ok: answer.body.active, text: answer.body.active
      ? 'The token is good at this moment'
      : kind === 'refresh'
        ? 'Not active: over, or not the caller\u2019s business. A refresh token is nobody\u2019s but its app\u2019s'
        : 'Not active: unknown, expired, ended, or not the caller\u2019s business' });
  }

  keep(record);
}

async function revoke() {
  const { revocation_endpoint: url } = await metadata();
  const [kind] = chosen(form('revoke-form'), 'token');
  const isService = kind === 'service';
  const { record, answer } = await send('revoke', `Give the ${nameOf(kind).toLowerCase()} back`, {
    method: 'POST', url,
    headers: isService ? { Authorization: basic(settings.service.clientId, settings.service.secret) } : {},
    form: {
      token: state.held[kind].text,
      token_type_hint: kind === 'refresh' ? 'refresh_token' : 'access_token',
      ...(isService ? {} : { client_id: settings.person.clientId }),
    },
  });
  if (answer?.status === 200) {
    state.held[kind].over = 'revoked';
    if (kind === 'access' && state.issued.length > 0) {
      state.issued.at(-1).over = Date.now();
    }
  }

  keep(record);
}

// --- The page ------------------------------------------------------------------------------------------------------

/** Runs one step and shows what it changed; a second click waits for the first. */
let isBusy = false;
async function run(deed) {
  if (isBusy) {
    return;
  }

  isBusy = true;
  try {
    await deed();
    save();
    await refreshPage();
  } catch (error) {
    say(`The page failed: ${error.message}`);
    throw error;
  } finally {
    isBusy = false;
  }
}

async function refreshPage() {
  await readGrant();
  await showTokens();
  showNeeds();
  showMarks();
}

function showNeeds() {
  const { held } = state;
  const has = { ...held, any: held.access ?? held.refresh ?? held.service };
  for (const element of document.querySelectorAll('[data-with]')) {
    element.hidden = !has[element.dataset.with];
  }

  for (const element of document.querySelectorAll('[data-need]')) {
    element.hidden = Boolean(has[element.dataset.need]);
  }

  for (const id of ['introspect', 'revoke']) {
    const [before] = chosen(form(`${id}-form`), 'token');
    const kinds = ['access', 'refresh', 'service'].filter((kind) => held[kind]);
    const checked = kinds.includes(before) ? before : kinds[0];
    form(`${id}-tokens`).replaceChildren(...kinds.map((kind) => check('radio', `${id}-${kind}`, 'token', kind, nameOf(kind), kind === checked, overBecause(kind))));
  }
}

function showMarks() {
  for (const link of document.querySelectorAll('.side-nav a')) {
    const latest = state.exchanges.find((exchange) => `#${exchange.step}` === link.getAttribute('href'));
    link.querySelector('.mark')?.remove();
    if (latest) {
      const { kind, text } = outcome(latest);
      link.append(h('span', { class: 'mark' }, kind === 'ok' ? '\u2713' : kind === 'wait' ? '\u2026' : '\u2717',
        h('span', { class: 'hidden' }, ` last answer: ${text}`)));
    }
  }
}

function showStep() {
  const id = steps.includes(location.hash.slice(1)) ? location.hash.slice(1) : 'signin';
  for (const step of document.querySelectorAll('.step')) {
    step.hidden = step.id !== id;
  }

  for (const link of document.querySelectorAll('.side-nav a')) {
    link.toggleAttribute('aria-current', link.getAttribute('href') === `#${id}`);
    if (link.hasAttribute('aria-current')) {
      link.setAttribute('aria-current', 'step');
    }
  }

  document.title = `${document.querySelector(`#${id} h1`).textContent} \u00b7 Playground`;
}

function check(type, id, name, text, label, isChecked, note) {
  return h('div', { class: 'check' },
    h('input', { type, id, name, value: text, checked: isChecked }),
    h('label', { for: id }, label),
    note ? h('span', { class: 'hint' }, note) : null);
}

function fill() {
  const people = form('people');
  people.hidden = settings.people.length === 0;
  people.replaceChildren(
    h('h2', {}, 'Who can sign in here'),
    h('ul', {}, settings.people.map((person) => h('li', {}, h('code', {}, person.userName), ' with the password ', h('code', {}, person.password)))));
  form('signin-scopes').replaceChildren(...settings.person.scopes.map((scope) => check('checkbox', `p-${scope}`, 'scope', scope, scope, true)));
  form('service-scopes').replaceChildren(...settings.service.scopes.map((scope) => check('checkbox', `s-${scope}`, 'scope', scope, scope, true)));
}

function listen() {
  const submits = {
    'signin-form': signIn,
    'service-form': () => serviceToken('Ask for a token', settings.service.secret, chosen(form('service-form'), 'scope')),
    'introspect-form': introspect,
    'revoke-form': revoke,
  };
  for (const [id, deed] of Object.entries(submits)) {
    form(id).addEventListener('submit', (event) => {
      event.preventDefault();
      run(deed);
    });
  }

  for (const button of document.querySelectorAll('[data-run]')) {
    button.addEventListener('click', () => run(runs[button.dataset.run]));
  }

  form('restart').addEventListener('click', () => {
    forget();
    showAll();
    run(() => Promise.resolve());
    say('Everything here is forgotten. At the server nothing changed.');
  });
  addEventListener('hashchange', () => {
    showStep();
    document.getElementById('main').focus();
  });
  setInterval(() => {
    tick();
    tickGrant();
  }, 1000);
}

if (settings.person && settings.service) {
  fill();
  listen();
  comeBack();
  showStep();
  showAll();
  await refreshPage();
} else {
  form('main').replaceChildren(h('div', { class: 'notice warn' },
    h('h1', {}, 'The demo is not in this database'),
    h('p', {}, 'The playground plays the demo\u2019s clients. They are made when the server starts in Development on an empty database.')));
}

document.documentElement.dataset.ready = '';
