// What the page knows. It must outlive the journey to the sign-in page, so it is kept in this tab, and only there.

const key = 'playground';
const fresh = () => ({ exchanges: [], held: {}, issued: [], grant: null, events: [], metadata: null, jwks: null, pending: null });

export const state = Object.assign(fresh(), read());

export function save() {
  sessionStorage.setItem(key, JSON.stringify(state));
}

export function forget() {
  Object.assign(state, fresh());
  sessionStorage.removeItem(key);
}

function read() {
  try {
    return JSON.parse(sessionStorage.getItem(key) ?? '{}');
  } catch {
    return {};
  }
}
