// What the independent clients share: a cookie jar, a reader of HTML forms, and a walk through sign-in pages that knows
// nothing of the server it walks. No dependencies.
import { createHmac } from 'node:crypto';
import http from 'node:http';
import https from 'node:https';

export const env = (name, fallback) => process.env[name] || fallback;

export const base64url = (bytes) => Buffer.from(bytes).toString('base64url');

/** Prints one line per check and counts the failures. */
export class Report {
  failures = 0;

  check(name, passed, detail = '') {
    console.log(`${name} ${passed ? 'pass' : 'fail'} ${detail}`);
    if (!passed) this.failures++;
  }

  skip(name, why) {
    console.log(`${name} skip ${why}`);
  }

  end() {
    console.log(this.failures ? `\n${this.failures} failed` : '\nall passed');
    process.exit(this.failures ? 1 : 0);
  }
}

/** A small RFC 6265 jar: keyed by host, path and name; honours Path; Secure is ignored, for loopback. */
export class Jar {
  cookies = [];

  store(url, response) {
    const { hostname, pathname } = new URL(url);
    for (const line of response.headers.getSetCookie()) {
      const [pair, ...rest] = line.split(';').map((part) => part.trim());
      const [name, value] = splitOnce(pair);
      const attributes = Object.fromEntries(rest.map(splitOnce).map(([key, text]) => [key.toLowerCase(), text]));

      const path = attributes.path?.startsWith('/') ? attributes.path : pathname.replace(/\/[^/]*$/, '') || '/';
      this.cookies = this.cookies.filter(
        (cookie) => !(cookie.host === hostname && cookie.name === name && cookie.path === path),
      );

      const maxAge = attributes['max-age'];
      const expired =
        maxAge !== undefined ? Number(maxAge) <= 0 : attributes.expires && Date.parse(attributes.expires) < Date.now();
      if (!expired) this.cookies.push({ host: hostname, name, value, path });
    }
  }

  header(url) {
    const { hostname, pathname } = new URL(url);
    const covers = (path) => pathname === path || pathname.startsWith(path.endsWith('/') ? path : path + '/');
    return this.cookies
      .filter((cookie) => cookie.host === hostname && covers(cookie.path))
      .map((cookie) => `${cookie.name}=${cookie.value}`)
      .join('; ');
  }
}

function splitOnce(text) {
  const at = text.indexOf('=');
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

const rejectUnauthorized = process.env.INSECURE_TLS !== '1';
const transports = {
  'http:': { library: http, agent: new http.Agent({ keepAlive: true }) },
  'https:': { library: https, agent: new https.Agent({ keepAlive: true, rejectUnauthorized }) },
};

/** One request, redirects not followed. node:http and not fetch(), which adds headers of its own and hides some. */
export function hit(url, { jar, method = 'GET', headers = {}, body, timeout = 20000 } = {}) {
  const target = new URL(url);
  const isForm = /x-www-form-urlencoded/.test(headers['content-type'] ?? '');
  const navigates = jar && !headers.authorization && (method === 'GET' || isForm);

  const sent = { accept: 'text/html,application/xhtml+xml,application/json;q=0.9,*/*;q=0.8' };
  if (navigates) {
    sent['sec-fetch-mode'] = 'navigate';
    sent['sec-fetch-dest'] = 'document';
    sent['sec-fetch-site'] = headers.origin ? 'same-origin' : 'none';
    sent['user-agent'] = 'Mozilla/5.0 (oracle)';
  }
  Object.assign(sent, headers);
  const cookie = jar?.header(url);
  if (cookie) sent.cookie = cookie;
  if (body !== undefined) sent['content-length'] = Buffer.byteLength(body);

  const { library, agent } = transports[target.protocol];
  const options = {
    host: target.hostname.replace(/^\[|\]$/g, ''),
    port: target.port || undefined,
    method,
    path: target.pathname + target.search,
    headers: sent,
    agent,
    rejectUnauthorized,
  };
  return new Promise((resolve, reject) => {
    const request = library.request(options, (incoming) => {
      const chunks = [];
      incoming.on('data', (chunk) => chunks.push(chunk));
      incoming.on('error', reject);
      incoming.on('end', () => {
        const response = read(incoming, Buffer.concat(chunks).toString('utf8'), url);
        jar?.store(url, response);
        resolve(response);
      });
    });
    request.setTimeout(timeout, () => request.destroy(new Error('timeout')));
    request.on('error', reject);
    if (body !== undefined) request.write(body);
    request.end();
  });
}

function read(incoming, text, url) {
  const location = incoming.headers.location;
  return {
    status: incoming.statusCode,
    headers: { getSetCookie: () => incoming.headers['set-cookie'] ?? [] },
    text,
    json: parseJson(text),
    url,
    location: location && URL.canParse(location, url) ? new URL(location, url).href : location,
  };
}

function parseJson(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

// --- forms ---------------------------------------------------------------------------------------------------------

const decode = (text = '') =>
  text
    .replace(/&#x([0-9a-f]+);/gi, (_, hex) => String.fromCodePoint(parseInt(hex, 16)))
    .replace(/&#(\d+);/g, (_, decimal) => String.fromCodePoint(Number(decimal)))
    .replace(/&quot;/g, '"')
    .replace(/&apos;/g, "'")
    .replace(/&lt;/g, '<')
    .replace(/&gt;/g, '>')
    .replace(/&amp;/g, '&');

const textOf = (html) => decode(html.replace(/<[^>]+>/g, ' ')).trim();

function attributesOf(text) {
  const pattern = /([^\s"'<>/=]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'=<>`]+)))?/g;
  const attributes = {};
  for (const [, name, double, single, bare] of text.replace(/\/$/, '').matchAll(pattern)) {
    attributes[name.toLowerCase()] = decode(double ?? single ?? bare ?? '');
  }
  return attributes;
}

const inputsOf = (html) =>
  [...html.matchAll(/<input\b([^>]*)>/gi)].map(([, text]) => {
    const attributes = attributesOf(text);
    return { kind: 'input', ...attributes, type: (attributes.type || 'text').toLowerCase() };
  });

const buttonsOf = (html) =>
  [...html.matchAll(/<button\b([^>]*)>([\s\S]*?)<\/button>/gi)].map(([, text, inner]) => {
    const attributes = attributesOf(text);
    return { kind: 'button', ...attributes, type: (attributes.type || 'submit').toLowerCase(), text: textOf(inner) };
  });

const selectsOf = (html) =>
  [...html.matchAll(/<select\b([^>]*)>([\s\S]*?)<\/select>/gi)].map(([, text, inner]) => {
    const choices = [...inner.matchAll(/<option\b([^>]*)>/gi)].map(([, choice]) => attributesOf(choice));
    const chosen = choices.find((choice) => 'selected' in choice) ?? choices[0];
    return { kind: 'select', ...attributesOf(text), value: chosen?.value ?? '' };
  });

const textareasOf = (html) =>
  [...html.matchAll(/<textarea\b([^>]*)>([\s\S]*?)<\/textarea>/gi)].map(([, text, inner]) => ({
    kind: 'textarea',
    ...attributesOf(text),
    value: decode(inner),
  }));

/** The forms of a page, each with its fields; controls outside a form count when they name it by id. */
export function forms(page, base) {
  const html = page.replace(/<!--[\s\S]*?-->/g, '').replace(/<(script|style|template)\b[\s\S]*?<\/\1>/gi, '');
  return [...html.matchAll(/<form\b([^>]*)>([\s\S]*?)<\/form>/gi)].map(([whole, text, inner]) => {
    const attributes = attributesOf(text);
    const fields = [...inputsOf(inner), ...buttonsOf(inner), ...selectsOf(inner), ...textareasOf(inner)];
    if (attributes.id) {
      const outside = html.replace(whole, '');
      const bound = [...inputsOf(outside), ...buttonsOf(outside)].filter((field) => field.form === attributes.id);
      fields.push(...bound);
    }
    return {
      action: new URL(attributes.action || base, base).href,
      method: (attributes.method || 'get').toUpperCase(),
      fields,
    };
  });
}

const identity = (field) =>
  [field.name, field.id, field.autocomplete, field.placeholder, field['aria-label']].join(' ').toLowerCase();

const isText = (field) =>
  field.kind === 'input' && ['text', 'email', 'tel', 'number', 'username', 'search'].includes(field.type);

const userField = (form) =>
  form.fields.find(
    (field) =>
      isText(field) &&
      /user|e-?mail|login|ident|account/.test(identity(field)) &&
      !/code|otp|token/.test(identity(field)),
  );

const passwordField = (form) => form.fields.find((field) => field.kind === 'input' && field.type === 'password');

const oneTimeCodeField = (form) =>
  form.fields.find(
    (field) =>
      field.kind === 'input' &&
      !['hidden', 'checkbox', 'submit', 'button', 'password'].includes(field.type) &&
      /one-time-code|otp|code|token|two-?factor|mfa/.test(identity(field)),
  );

const agrees = new RegExp(
  'sign.?in|log.?in|log.?on|continue|next|submit|allow|accept|approve|authori[sz]e|consent|confirm|verify|yes|grant' +
    '|ok\\b|agree|connect',
  'i',
);
const declines = new RegExp(
  'cancel|deny|decline|reject|\\bno\\b|abort|forgot|reset|regist|sign.?up|create|passkey|webauthn|recover' +
    '|security key|external|google|github|back\\b|switch|different|stay|theme|language',
  'i',
);

const words = (button) => `${button.text ?? ''} ${button.value ?? ''}`;
const label = (button) => `${words(button)} ${button.name ?? ''} ${button.id ?? ''}`;

function submitButton(form) {
  const buttons = form.fields.filter(
    (field) =>
      (field.kind === 'button' && field.type === 'submit') ||
      (field.kind === 'input' && ['submit', 'image'].includes(field.type)),
  );
  const acceptable = buttons.filter((button) => !declines.test(label(button)));
  return acceptable.find((button) => agrees.test(label(button))) ?? acceptable[0];
}

/** What a browser would send: the fields, our answers in their place, and the button that was pressed. */
function serialize(form, answers, button) {
  const sent = new URLSearchParams();
  for (const field of form.fields) {
    const isButton = field.kind === 'button' || ['submit', 'image', 'button', 'reset', 'file'].includes(field.type);
    if (!field.name || 'disabled' in field || isButton) continue;
    if (field.name in answers) {
      sent.append(field.name, answers[field.name]);
    } else if (field.type === 'checkbox' || field.type === 'radio') {
      const isConsent = field.type === 'checkbox' && /scope|consent|grant/.test(identity(field));
      if ('checked' in field || isConsent) sent.append(field.name, field.value ?? 'on');
    } else {
      sent.append(field.name, field.value ?? '');
    }
  }
  if (button?.name) sent.append(button.name, button.value ?? '');
  return sent;
}

function submit(form, answers, jar) {
  const button = submitButton(form);
  const fields = serialize(form, answers, button);
  const target = button?.formaction ? new URL(button.formaction, form.action) : new URL(form.action);
  if (form.method === 'GET') {
    target.search = fields;
    return hit(target.href, { jar });
  }
  const headers = {
    'content-type': 'application/x-www-form-urlencoded',
    origin: target.origin,
    referer: target.href,
  };
  return hit(target.href, { jar, method: 'POST', headers, body: fields.toString() });
}

// --- the walk --------------------------------------------------------------------------------------------------------

/** RFC 6238 with its defaults: SHA-1, 30 s, 6 digits. */
function totp(secret) {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  const symbols = [...secret.toUpperCase().replace(/[^A-Z2-7]/g, '')];
  const bits = symbols.map((symbol) => alphabet.indexOf(symbol).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from(bits.match(/.{8}/g).map((octet) => parseInt(octet, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30000)));
  const hash = createHmac('sha1', key).update(counter).digest();
  return String((hash.readUInt32BE(hash[19] & 15) & 0x7fffffff) % 1e6).padStart(6, '0');
}

/** Which form of the page to fill in next, and with what. */
function choose(page, { user, password, totpSecret }) {
  const candidates = page.filter((form) => form.method === 'POST');
  let form = candidates.find(passwordField);
  if (form) {
    const name = userField(form) ?? form.fields.find(isText);
    const answers = { [passwordField(form).name]: password };
    if (name?.name) answers[name.name] = user;
    return { kind: 'login', form, answers };
  }
  form = totpSecret && candidates.find(oneTimeCodeField);
  if (form) return { kind: 'totp', form, answers: { [oneTimeCodeField(form).name]: totp(totpSecret) } };
  form = candidates.find(userField);
  if (form) return { kind: 'identifier', form, answers: { [userField(form).name]: user } };
  form = candidates.find((candidate) => {
    const button = submitButton(candidate);
    return button && agrees.test(words(button)) && !declines.test(words(button));
  });
  return form && { kind: 'consent', form, answers: {} };
}

/**
 * Walks the browser part until an address that `stop` recognizes.
 * Returns { callback, via, formPost, steps }, or { page, steps } where the walk got stuck.
 */
export async function walk(start, { jar, stop, allowLogin = true }) {
  const person = {
    user: env('USER_NAME', env('USER')),
    password: env('PASSWORD'),
    totpSecret: env('TOTP_SECRET'),
  };
  const steps = [];
  let logins = 0;
  let page = await hit(start, { jar });
  for (let i = 0; i < 25; i++) {
    if (page.location && page.status >= 300 && page.status < 400) {
      steps.push(`${page.status} -> ${page.location.slice(0, 140)}`);
      if (stop(page.location)) return { callback: new URL(page.location), via: 'redirect', steps };
      page = await hit(page.location, { jar });
      continue;
    }

    const found = forms(page.text, page.url);
    const answer = found.find((form) => form.method === 'POST' && stop(form.action));
    if (answer) {
      return { callback: new URL(answer.action), via: 'form_post', formPost: serialize(answer, {}), steps };
    }

    const refresh = /<meta[^>]+http-equiv=["']?refresh["']?[^>]+url=([^"'>\s]+)/i.exec(page.text);
    if (refresh && found.length === 0) {
      const next = new URL(decode(refresh[1]), page.url);
      if (stop(next.href)) return { callback: next, via: 'refresh', steps };
      page = await hit(next.href, { jar });
      continue;
    }

    const next = choose(found, person);
    if (next?.kind === 'login') logins++;
    if (!next || logins > 2 || (next.kind !== 'consent' && !allowLogin)) return { page, steps };
    steps.push(`${next.kind} form -> ${next.form.action.slice(0, 120)}`);
    page = await submit(next.form, next.answers, jar);
  }
  return { page, steps };
}

/** Where a walk got stuck, for the report. */
export function stuck({ steps, page }) {
  return `${steps.join(' | ')} :: ${page?.status} ${textOf(page?.text ?? '')
    .replace(/\s+/g, ' ')
    .slice(0, 200)}`;
}

export async function discover(issuer) {
  const address = issuer.replace(/\/$/, '') + '/.well-known/openid-configuration';
  const response = await hit(address);
  if (response.status !== 200 || !response.json) throw new Error(`discovery ${address} -> ${response.status}`);
  return response.json;
}
