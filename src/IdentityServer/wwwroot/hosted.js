// The hosted pages work without this. It only adds: passkeys, "Show" beside a password, "Print", focus on the message after a mistake, and the way on after a sign-out.
'use strict';
const canUsePasskeys = window.PublicKeyCredential?.parseRequestOptionsFromJSON;
document.documentElement.dataset.script = canUsePasskeys ? 'passkeys' : '';

const passwordOf = button => document.getElementById(button.getAttribute('aria-controls'));

document.addEventListener('click', event => {
  if (event.target.closest('[data-print]')) print();
  const button = event.target.closest('button[aria-pressed][aria-controls]');
  if (!button) return;
  const show = button.getAttribute('aria-pressed') !== 'true';
  button.setAttribute('aria-pressed', show);
  passwordOf(button).type = show ? 'text' : 'password';
});

// Sent as a password again, so that browsers offer to keep it as one and never remember it as text.
document.addEventListener('submit', event => {
  for (const button of event.target.querySelectorAll('button[aria-pressed=true][aria-controls]')) {
    button.setAttribute('aria-pressed', false);
    passwordOf(button).type = 'password';
  }
});

// A page fetches what to ask the authenticator from its own address, and sends the answer as a form like any other.
let asking, isOffer;
const ask = async (form, mediation) => {
  asking?.abort();
  isOffer = mediation;
  const { signal } = asking = new AbortController();
  try {
    const answer = await fetch(form.dataset.options, { method: 'POST', body: new URLSearchParams(new FormData(form)), signal });
    if (!answer.ok) throw answer;
    const { ceremony, options } = await answer.json();
    const credential = form.dataset.passkey === 'create'
      ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options), signal })
      : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options), mediation, signal });
    form.ceremony.value = ceremony;
    form.credential.value = JSON.stringify(credential);
    if (form.keep) form.keep.value = document.getElementById('keep')?.checked ? 'on' : '';
    form.submit();
  } catch {
    // Another one took its place, or nobody was asked: there is nothing to tell.
    if (signal.aborted || mediation) return;
    const notice = form.querySelector('.notice');
    notice.hidden = false;
    notice.focus();
    offer(form);
  }
};

// Passkeys where the user name is typed. Asked for anew before the server forgets that it asked.
const offer = async form => {
  if (form.dataset.autofill !== 'yes' || !await PublicKeyCredential.isConditionalMediationAvailable?.()) return;
  ask(form, 'conditional');
};

document.addEventListener('submit', event => {
  const form = event.target.closest('form[data-passkey]');
  if (!form) return asking?.abort();
  event.preventDefault();
  form.querySelector('.notice').hidden = true;
  ask(form);
});

document.addEventListener('DOMContentLoaded', () => {
  document.querySelector('.notice[role=alert]')?.focus();
  const form = canUsePasskeys && document.querySelector('form[data-autofill=yes]');
  if (!form) return;
  offer(form);
  setInterval(() => isOffer && offer(form), 8 * 60000);
});

// Signed out: on to the app when the apps in the frames have loaded, and soon in any case.
document.addEventListener('DOMContentLoaded', () => {
  const onward = document.querySelector('a[data-onward=True]');
  if (!onward) return;
  const go = () => location.replace(onward.href);
  addEventListener('load', go);
  setTimeout(go, 3000);
});
