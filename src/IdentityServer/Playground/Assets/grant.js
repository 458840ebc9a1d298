// The grant's timeline: the server's own record of it (the audit log), as a picture and as a table.

import { state, save } from './state.js';
import { clock, h, span, words } from './view.js';

const box = document.getElementById('grant');
const empty = document.getElementById('grant-empty');

/** Reads the record again. It is not one of the exchanges: no app has this window. */
export async function readGrant() {
  if (state.grant) {
    const response = await fetch(`/playground/grants/${encodeURIComponent(state.grant)}`, { cache: 'no-store' });
    if (response.ok) {
      state.events = (await response.json()).events;
      save();
    }
  }

  showGrant();
}

export function showGrant() {
  empty.hidden = state.events.length > 0;
  if (state.events.length === 0) {
    box.replaceChildren();
    return;
  }

  const first = Date.parse(state.events[0].at);
  box.replaceChildren(
    h('div', { id: 'picture' }),
    h('div', { class: 'scroll', role: 'group', 'aria-label': 'Events of the grant', tabindex: 0 },
      h('table', { class: 'table data' },
        h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, 'When'), h('th', { scope: 'col' }, 'What happened'))),
        h('tbody', {}, state.events.map((event) => h('tr', {},
          h('th', { scope: 'row' }, clock(event.at), h('span', { class: 'sub' }, after(Date.parse(event.at) - first))),
          h('td', {}, words.events[event.type] ?? event.type,
            h('span', { class: 'sub' }, [event.type, event.actor, words.reasons[event.detail] ?? event.detail].filter(Boolean).join(', ')))))))),
    h('p', { class: 'small soft' }, 'Grant ', h('code', {}, state.grant)));
  tickGrant();
}

/** Draws the picture: the past to three quarters, then what is to come. */
export function tickGrant() {
  const picture = document.getElementById('picture');
  if (!picture) {
    return;
  }

  const now = Date.now();
  const begin = Date.parse(state.events[0].at);
  const reach = Math.max(now - begin, 5_000) / 0.72;
  const x = (at) => `${Math.max(0, Math.min(100, ((at - begin) / reach) * 100)).toFixed(2)}%`;
  const ended = state.events.find((event) => event.type === 'grant.ended');
  const end = ended ? Date.parse(ended.at) : null;
  const tokens = state.issued.slice(-4);
  const bottom = 58 + tokens.length * 22;

  const parts = [
    h('svg:line', { class: 'tick', x1: 0, x2: '100%', y1: 20, y2: 20 }),
    now - begin < reach / 3 ? null : h('svg:text', { x: 0, y: 14 }, clock(begin)),
    h('svg:text', { class: 'now-text', x: x(now), y: 14, 'text-anchor': 'middle' }, 'now'),
    h('svg:line', { class: 'grant-line', x1: 0, x2: x(end ?? now), y1: 38, y2: 38 }),
    end ? null : h('svg:line', { class: 'ahead', x1: x(now), x2: '100%', y1: 38, y2: 38 }),
  ];
  tokens.forEach((token, i) => {
    const until = Math.min(token.ends * 1000, token.over ?? Infinity, end ?? Infinity);
    const y = 54 + i * 22;
    const width = Math.max(0, Math.min(100, ((until - token.begins * 1000) / reach) * 100));
    parts.push(
      h('svg:rect', { class: until < now ? 'token over' : 'token', x: x(token.begins * 1000), y, width: `${Math.min(width, 100 - parseFloat(x(token.begins * 1000))).toFixed(2)}%`, height: 14 }),
      h('svg:text', { class: 'kid', x: x(token.begins * 1000), dx: 5, y: y + 11 }, `access token ${state.issued.length - tokens.length + i + 1}`));
  });
  parts.push(h('svg:line', { class: 'now-line', x1: x(now), x2: x(now), y1: 20, y2: bottom }));
  for (const event of state.events) {
    parts.push(h('svg:circle', { class: event.type === 'grant.ended' ? 'event end' : 'event', cx: x(Date.parse(event.at)), cy: 38, r: 5 }));
  }

  const alive = end ? `It ended ${span((end - begin) / 1000)} after it began.` : 'It is alive.';
  picture.replaceChildren(h('svg:svg', {
    class: 'timeline', height: bottom + 4, role: 'img',
    'aria-label': `The grant since ${clock(begin)} with ${state.events.length} events. ${alive} The table below says the same.`,
  }, parts));
}

const after = (ms) => (ms < 1000 ? `+${ms} ms` : `+${(ms / 1000).toFixed(1)} s`);
