// Sends a request, keeps what was sent and what came back, and shows both.

import { state, save } from './state.js';
import { clock, copyButton, h, inWords, json, proofs, say, status, value, words } from './view.js';

const list = document.getElementById('exchange-list');
const empty = document.getElementById('exchange-empty');
const most = 40;

/** Makes a request and records it. Answers { status, body, text } or null when nothing came back. */
export async function send(step, title, { method = 'GET', url, headers = {}, form = null }) {
  const record = begin(step, title, method, url, headers, form);
  const begun = performance.now();
  let answer = null;
  try {
    // No cookie goes along: these endpoints are for apps, and an app has none.
    const response = await fetch(url, {
      method, credentials: 'omit', redirect: 'manual', cache: 'no-store',
      headers: { ...headers, ...(form ? { 'Content-Type': 'application/x-www-form-urlencoded' } : {}) },
      body: form ? new URLSearchParams(form) : undefined,
    });
    const text = await response.text();
    record.response = { status: response.status, reason: response.statusText, headers: [...response.headers], text };
    answer = { status: response.status, body: parse(text), headers: response.headers };
  } catch (error) {
    record.response = { failed: error.message };
  }

  record.took = Math.max(1, Math.round(performance.now() - begun));
  return { record, answer };
}

/** Records a journey of the browser: it leaves this page now and comes back with the answer. */
export function leave(step, title, method, url, form = null) {
  const record = begin(step, title, method, url, {}, form);
  record.isJourney = true;
  keep(record);
  return record;
}

/** Puts a finished record on top of the list. */
export function keep(record) {
  const known = state.exchanges.findIndex((other) => other.id === record.id);
  if (known >= 0) {
    state.exchanges.splice(known, 1);
  }

  state.exchanges.unshift(record);
  state.exchanges.length = Math.min(state.exchanges.length, most);
  save();
  for (const open of list.querySelectorAll(':scope > details[open]')) {
    open.open = false;
  }

  list.querySelector(`#x${record.id}`)?.remove();
  list.prepend(show(record, true));
  while (list.children.length > most) {
    list.lastChild.remove();
  }

  empty.hidden = true;
  say(`${record.title}: ${outcome(record).text}.`);
}

export function showAll() {
  list.className = 'line-list';
  list.replaceChildren(...state.exchanges.map((record, i) => show(record, i === 0)));
  empty.hidden = state.exchanges.length > 0;
}

function begin(step, title, method, url, headers, form) {
  return {
    id: (state.exchanges[0]?.id ?? 0) + 1, step, title, at: Date.now(), method, url, proofs: [],
    headers: Object.entries(headers), form: form ? Object.entries(form) : null,
  };
}

/** What came of it, as a status: { kind, text }. */
export function outcome({ response, isJourney }) {
  if (!response) {
    return { kind: 'wait', text: isJourney ? 'Not back yet' : 'No answer' };
  }

  if (response.failed) {
    return { kind: 'bad', text: 'No answer' };
  }

  if (response.back) {
    const error = response.back.find(([name]) => name === 'error');
    return error ? { kind: 'bad', text: error[1] } : { kind: 'ok', text: 'Came back' };
  }

  return { kind: response.status < 400 ? 'ok' : 'bad', text: String(response.status) };
}

function show(record, isOpen) {
  const { kind, text } = outcome(record);
  const path = new URL(record.url).pathname;
  return h('details', { id: `x${record.id}`, open: isOpen },
    h('summary', {},
      h('span', { class: 'what' }, h('code', {}, `${record.method} ${path}`), ' ', h('span', { class: 'soft' }, record.title)),
      status(kind, text),
      h('span', { class: 'when' }, clock(record.at), record.took ? `, ${record.took} ms` : '')),
    h('div', { class: 'inside' },
      problem(record),
      record.proofs.length > 0 ? h('div', {}, h('h3', {}, 'What the app checked'), proofs(record.proofs)) : null,
      request(record),
      response(record)));
}

function request(record) {
  const url = new URL(record.url);
  const query = [...url.searchParams];
  const lines = [h('b', {}, `${record.method} ${url.pathname}`), ...pairs(query, '\n  ?', '\n  &'), '\n', `Host: ${url.host}\n`];
  for (const [name, text] of record.headers) {
    lines.push(h('span', { class: 'name' }, name), ': ', ...value(name, text), '\n');
  }

  if (record.form) {
    lines.push(h('span', { class: 'name' }, 'Content-Type'), ': application/x-www-form-urlencoded\n', ...pairs(record.form, '\n', '\n&'));
  }

  const explained = [...record.headers.filter(([name]) => words.requestHeaders[name]), ...query, ...(record.form ?? [])].map(([name]) => [name, undefined]);
  return h('div', {},
    h('h3', {}, record.isJourney ? 'The browser is sent to' : 'Request'),
    h('pre', { class: 'snippet' }, lines),
    h('div', { class: 'row' },
      explained.length > 0
        ? h('details', { class: 'full' }, h('summary', {}, 'What each part means'), inWords(explained, { ...words.parameters, ...words.requestHeaders }))
        : null,
      record.isJourney ? null : copyButton('Copy as curl', () => curl(record), 'the request as curl')));
}

function response(record) {
  const { response: answer } = record;
  if (!answer) {
    return h('p', { class: 'soft' }, record.isJourney ? 'The browser has not come back from there.' : 'Nothing came back.');
  }

  if (answer.failed) {
    return h('p', {}, `Nothing came back: ${answer.failed}`);
  }

  if (answer.back) {
    const lines = [h('b', {}, `GET ${answer.path}`), ...pairs(answer.back, '\n  ?', '\n  &')];
    return h('div', {},
      h('h3', {}, 'The browser came back to'),
      h('pre', { class: 'snippet' }, lines),
      answer.back.length > 0
        ? h('details', {}, h('summary', {}, 'What each part means'), inWords(answer.back.map(([name]) => [name, undefined]), words.parameters))
        : null);
  }

  const body = parse(answer.text);
  const lines = [h('b', {}, `${answer.status} ${answer.reason}`), '\n'];
  for (const [name, text] of answer.headers) {
    lines.push(h('span', { class: 'name' }, name), `: ${text}\n`);
  }

  lines.push('\n', ...(body === undefined ? [answer.text || '(empty)'] : json(body)));
  const explained = body && typeof body === 'object' ? Object.keys(body).filter((name) => words.members[name]).map((name) => [name, undefined]) : [];
  return h('div', {},
    h('h3', {}, 'Response'),
    h('pre', { class: 'snippet' }, lines),
    explained.length > 0
      ? h('details', {}, h('summary', {}, 'What each part means'), inWords(explained, words.members))
      : null);
}

// An error is shown as the server sent it, and then explained.
function problem({ response: answer }) {
  const fault = answer?.back ? Object.fromEntries(answer.back) : parse(answer?.text ?? '') ?? challenge(answer);
  if (!fault?.error) {
    return null;
  }

  return h('div', { class: 'notice bad' },
    h('h2', {}, fault.error),
    fault.error_description ? h('p', {}, `\u201c${fault.error_description}\u201d`) : null,
    h('p', {}, words.errors[fault.error] ?? 'See the specification of the endpoint.'));
}

// An API says what is wrong in the header (RFC 6750 §3).
function challenge(answer) {
  const text = answer?.headers?.find(([name]) => name === 'www-authenticate')?.[1] ?? '';
  const part = (name) => new RegExp(`${name}="([^"]*)"`).exec(text)?.[1];
  return { error: part('error'), error_description: part('error_description') };
}

function pairs(entries, first, then) {
  return entries.flatMap(([name, text], i) => [
    h('span', { class: 'punctuation' }, i === 0 ? first : then), h('span', { class: 'name' }, name), '=', ...value(name, text)]);
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function curl(record) {
  const quote = (text) => `'${text.replaceAll("'", "'\\''")}'`;
  const parts = ['curl -i', record.method === 'GET' ? '' : `-X ${record.method}`, quote(record.url)];
  for (const [name, text] of record.headers) {
    parts.push(`-H ${quote(`${name}: ${text}`)}`);
  }

  for (const [name, text] of record.form ?? []) {
    parts.push(`--data-urlencode ${quote(`${name}=${text}`)}`);
  }

  return parts.filter(Boolean).join(' ');
}
