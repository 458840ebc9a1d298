// Small makers of elements. Everything goes in as text: nothing that a server answers can become markup.

import * as words from './words.js';

/** Shown only when asked for. */
const secrets = new Set([
  'access_token', 'refresh_token', 'id_token', 'code', 'code_verifier', 'client_secret', 'token', 'id_token_hint', 'Authorization',
]);

export function h(tag, attributes, ...children) {
  const element = tag.startsWith('svg:') ? document.createElementNS('http://www.w3.org/2000/svg', tag.slice(4)) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (name.startsWith('on')) {
      element.addEventListener(name.slice(2), value);
    } else if (value !== undefined && value !== false) {
      element.setAttribute(name, value === true ? '' : value);
    }
  }

  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

/** The value, or its beginning with a button that shows the rest. */
export function value(name, text) {
  if (!secrets.has(name) || text.length < 9) {
    return [text];
  }

  const [scheme, secret] = name === 'Authorization' ? [`${text.split(' ')[0]} `, text.split(' ')[1]] : ['', text];
  const mask = `${secret.slice(0, 4)}\u2026`;
  const part = h('span', { class: 'hidden-part' }, mask);
  const button = h('button', { type: 'button', class: 'reveal', 'aria-expanded': 'false' }, 'Show', h('span', { class: 'hidden' }, ` ${name}`));
  button.addEventListener('click', () => {
    const shows = button.getAttribute('aria-expanded') === 'true';
    part.textContent = shows ? mask : secret;
    part.classList.toggle('hidden-part', shows);
    button.setAttribute('aria-expanded', String(!shows));
    button.firstChild.textContent = shows ? 'Show' : 'Hide';
  });
  return [scheme, part, ' ', button];
}

export const status = (kind, text) => h('span', { class: `status ${kind}` }, text);

export const proofs = (list) => h('ul', { class: 'proofs' }, list.map((proof) => h('li', {}, status(proof.ok ? 'ok' : 'bad', proof.text))));

/** Name, value and meaning of each entry. */
export function inWords(entries, dictionary) {
  return h('dl', { class: 'words' }, entries.map(([name, text]) => h('div', {},
    h('dt', {}, name),
    text === undefined ? null : h('dd', { class: 'value' }, value(name, text)),
    h('dd', { class: 'meaning' }, dictionary[name] ?? 'Not explained here; see the specification.'))));
}

export function copyButton(label, text, what) {
  return h('button', { type: 'button', class: 'quiet small', onclick: async () => {
    await navigator.clipboard.writeText(text());
    say(`Copied ${what}.`);
  } }, label, h('span', { class: 'hidden' }, ` ${what}`));
}

export function say(text) {
  document.getElementById('said').textContent = text;
}

export const clock = (date) => new Date(date).toLocaleTimeString('en-GB');

export function span(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const parts = [[Math.floor(whole / 86400), 'd'], [Math.floor(whole / 3600) % 24, 'h'], [Math.floor(whole / 60) % 60, 'min'], [whole % 60, 's']];
  const first = parts.findIndex(([count]) => count > 0);
  return first < 0 ? '0 s' : parts.slice(first, first + 2).map(([count, unit]) => `${count} ${unit}`).join(' ');
}

/** JSON as text with its secrets masked: one line a member, as the server would print it for people. */
export function json(data, indent = '') {
  if (Array.isArray(data)) {
    return data.length === 0 ? ['[]'] : ['[\n', ...data.flatMap((item, i) => [
      `${indent}  `, ...json(item, `${indent}  `), i < data.length - 1 ? ',\n' : '\n']), `${indent}]`];
  }

  if (data !== null && typeof data === 'object') {
    const entries = Object.entries(data);
    return entries.length === 0 ? ['{}'] : ['{\n', ...entries.flatMap(([name, item], i) => [
      `${indent}  `, h('span', { class: 'name' }, `"${name}"`), ': ',
      ...(typeof item === 'string' ? ['"', ...value(name, item), '"'] : json(item, `${indent}  `)),
      i < entries.length - 1 ? ',\n' : '\n']), `${indent}}`];
  }

  return [JSON.stringify(data)];
}

export { words };
