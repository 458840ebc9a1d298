// The hosted pages work without this. It only adds: "Show" beside a password, "Print", and focus on the message after a mistake.
'use strict';
document.documentElement.dataset.script = '';

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

document.addEventListener('DOMContentLoaded', () => document.querySelector('.notice[role=alert]')?.focus());
