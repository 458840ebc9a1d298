// What the app holds: each token taken apart, checked, and counted down.

import { decode, verify } from './jwt.js';
import { state } from './state.js';
import { clock, copyButton, h, inWords, span, status, value, words } from './view.js';

const names = {
  code: 'Code', id: 'ID token', access: 'Access token', refresh: 'Refresh token', spent: 'Spent refresh token', service: 'Service\u2019s access token',
};
const box = document.getElementById('tokens');
const empty = document.getElementById('tokens-empty');
let opened = new Set();

export const nameOf = (kind) => names[kind];

export async function showTokens() {
  opened = new Set([...box.querySelectorAll(':scope > details[open]')].map((details) => details.dataset.kind));
  const kinds = ['access', 'id', 'refresh', 'spent', 'service', 'code'].filter((kind) => state.held[kind]);
  const lines = await Promise.all(kinds.map((kind) => show(kind, state.held[kind])));
  box.className = 'line-list';
  box.replaceChildren(...lines);
  empty.hidden = lines.length > 0;
  tick();
}

/** Moves everything that depends on the clock. */
export function tick() {
  const now = Date.now() / 1000;
  for (const life of box.querySelectorAll('[data-ends]')) {
    const { begins, ends } = life.dataset;
    const left = ends - now;
    const share = Math.max(0, Math.min(100, (left / (ends - begins)) * 100));
    const bar = life.querySelector('.left');
    bar.setAttribute('width', `${share}%`);
    bar.setAttribute('x', `${100 - share}%`);
    life.closest('summary').querySelector('.countdown').textContent = left > 0 ? `${span(left)} left` : 'expired';
  }
}

/** Why a token is over before its time, if the page knows. */
export function overBecause(kind) {
  const { over } = state.held[kind];
  const end = kind === 'service' ? null : state.events.find((event) => event.type === 'grant.ended');
  return over ?? (end ? `ended with its grant at ${clock(end.at)}` : null);
}

async function show(kind, { text, begins, ends }) {
  const token = decode(text);
  const over = overBecause(kind);
  const proof = token ? await verify(text, state.jwks) : null;
  const standing = over ? status('', over) : proof ? status(proof.ok ? 'ok' : 'bad', proof.ok ? 'Verified' : 'Not verified') : status('', 'Opaque');
  const life = ends && !over
    ? h('span', { class: 'summary-line' },
      h('svg:svg', { class: 'life', 'data-begins': begins, 'data-ends': ends, 'aria-hidden': 'true' },
        h('svg:rect', { class: 'ground', y: 4, width: '100%', height: 3 }),
        h('svg:rect', { class: 'left', y: 2, height: 7 })))
    : null;
  return h('details', { 'data-kind': kind, open: opened.has(kind) },
    h('summary', {},
      h('span', { class: 'what' }, h('b', {}, names[kind])),
      standing,
      life ? h('span', { class: 'when countdown' }) : null,
      life),
    h('div', { class: 'inside' },
      token ? taken(token, proof) : h('p', { class: 'soft' }, opaque(kind)),
      h('div', {},
        h('h3', {}, 'As it travels'),
        h('pre', { class: 'snippet' }, value('token', text)),
        h('p', { class: 'row' }, copyButton('Copy', () => text, `the ${names[kind].toLowerCase()}`)))));
}

function taken(token, proof) {
  return [
    h('div', {}, h('h3', {}, 'Signature'), h('p', {}, status(proof.ok ? 'ok' : 'bad', proof.text[0].toUpperCase() + proof.text.slice(1)))),
    h('div', {}, h('h3', {}, 'Header'), inWords(entries(token.header), words.header)),
    h('div', {}, h('h3', {}, 'Claims'), inWords(entries(token.payload), words.claims)),
  ];
}

const instants = new Set(['exp', 'iat', 'nbf', 'auth_time', 'updated_at']);

const entries = (object) => Object.entries(object).map(([name, item]) => [name, instants.has(name)
  ? `${item} (${clock(item * 1000)})`
  : typeof item === 'string' ? item : JSON.stringify(item)]);

const opaque = (kind) => kind === 'code'
  ? 'A random handle. It lives a minute and works once; the server keeps only its hash.'
  : kind === 'spent'
    ? 'It was traded for its successor. Using it again looks like theft.'
    : 'A random handle: it says nothing by itself. The server keeps only its hash and knows what it means.';
