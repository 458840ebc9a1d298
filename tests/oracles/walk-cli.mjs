// The browser part for clients that have no browser: node walk-cli.mjs URL REDIRECT_URI
// Walks the sign-in pages (env USER_NAME, PASSWORD) and prints the callback address as its last line.
import { Jar, stuck, walk } from './lib.mjs';

const [start, redirectUri] = process.argv.slice(2);
if (!start || !redirectUri) {
  console.error('usage: node walk-cli.mjs URL REDIRECT_URI');
  process.exit(2);
}

const walked = await walk(start, { jar: new Jar(), stop: (address) => address.startsWith(redirectUri) });
if (!walked.callback) {
  console.error(`no callback: ${stuck(walked)}`);
  process.exit(1);
}
for (const [name, value] of walked.formPost ?? []) walked.callback.searchParams.append(name, value);
console.log(walked.callback.href);
process.exit(0);
