// What the console makes of texts: links and code of messages, names in any direction, and refusals in words.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { explain, fieldOf, plainly } from '../console/explain.js';
import { isolated } from '../console/rich.js';
import { callsOf } from '../console/calls.js';
import { browse } from './browser.mjs';
import { StandIn } from './standin.mjs';

const a = (href, text = href) => `<a href="${href}" target="_blank" rel="noopener noreferrer" dir="ltr">${text}</a>`;
const pre = (code) => `<pre tabindex="0" dir="ltr"><code>${code}</code></pre>`;
const code = (text) => `<code dir="ltr">${text}</code>`;
const fence = '`'.repeat(3);

/** What a text is shown as. */
const shown = [
  ['plain text & <b>no markup</b>', 'plain text &amp; &lt;b&gt;no markup&lt;/b&gt;'],
  ['see https://example.net/a.', `see ${a('https://example.net/a')}.`],
  ['(http://example.net/a_(b))', `(${a('http://example.net/a_(b)')})`],
  ['“https://example.net/?q=1&r=2”!', `“${a('https://example.net/?q=1&amp;r=2')}”!`],
  ['HTTPS://EXAMPLE.NET', a('https://example.net/', 'HTTPS://EXAMPLE.NET')],
  ['https://user@example.net:8443/x', a('https://user@example.net:8443/x')],
  ['javascript:alert(1) data:text/html,x ftp://example.net', 'javascript:alert(1) data:text/html,x ftp://example.net'],
  ['https:// and http://', 'https:// and http://'],
  ['https://example.net/"onclick="x', `${a('https://example.net/')}"onclick="x`],
  ['https://example.net/\u202egnp.exe', `${a('https://example.net/')}\u202egnp.exe`],
  ['run `rm -rf <x>` now', `run ${code('rm -rf &lt;x&gt;')} now`],
  ['`https://example.net`', code('https://example.net')],
  ['a ` alone', 'a ` alone'],
  [`before\n${fence}\nx := 1\n\n  y\n${fence}\nafter`, `before${pre('x := 1\n\n  y')}after`],
  [`${fence}go\nno end`, pre('no end')],
  [`${fence}\n${fence}`, pre('')],
];

/** Texts of somebody who wants to hold up the page: the work grows with the length, not with its square. */
async function longOnes(page) {
  const n = 40_000;
  const texts = {
    'parentheses that nothing opens': `https://a.example/${')'.repeat(n)}`,
    'parentheses that are opened': `https://a.example/${'('.repeat(n)}${')'.repeat(n)}`,
    'dots with an end': `https://a.example/${'.'.repeat(n)}x`,
    'dots and parentheses': `https://a.example/${').'.repeat(n)}`,
    'many addresses': 'https://a.example/). '.repeat(n / 10),
    'no addresses': 'https://).'.repeat(n / 10),
    'many fences': `${fence}\n`.repeat(n),
    'many fences that nothing ends': `${fence}go\n`.repeat(n),
    'many backticks': '`a\n`'.repeat(n),
  };
  const steps = await page.evaluate(async (all) => {
    const { rich } = await import('/console/rich.js');
    return Object.entries(all).map(([what, text]) => {
      let count = 0;
      rich(text, () => {
        if (++count > 10 * text.length) throw new Error(`${what}: more than ${count} steps for ${text.length} characters`);
      });
      return count;
    });
  }, texts);
  for (const [i, [what, text]] of Object.entries(texts).entries()) {
    assert.ok(steps[i] > 0, `${what}: no step was counted, want one or more`);
    assert.ok(steps[i] <= text.length, `${what}: ${steps[i]} steps for ${text.length} characters, want no more than these`);
  }
}

test('texts of messages', async () => {
  const gateway = await new StandIn().listen();
  try {
    await browse({}, async (browser) => {
      const page = await browser.newPage();
      await page.goto(gateway.url);
      const got = await page.evaluate(
        async (texts) => {
          const { rich } = await import('/console/rich.js');
          return texts.map((t) => {
            const e = document.createElement('div');
            e.append(...rich(t));
            return e.innerHTML;
          });
        },
        shown.map(([text]) => text),
      );
      for (const [i, [text, want]] of shown.entries()) assert.equal(got[i], want, text);

      // Nothing of a text is lost, whatever it is made of.
      const parts = ['https://', 'a.example', '(', ')', '`', '\n', ' ', '.', 'x', '\u05d0', '<', '\u2066', '?', '_'];
      const lost = await page.evaluate(async (from) => {
        const { rich } = await import('/console/rich.js');
        for (let n = 0; n < 3000; n++) {
          const text = Array.from({ length: 1 + (n % 24) }, () => from[Math.floor(Math.random() * from.length)]).join('');
          const e = document.createElement('div');
          e.append(...rich(text));
          const whole = text.includes('`') ? text.replaceAll('`', '') : text;
          const is = text.includes('`') ? e.textContent.replaceAll('`', '') : e.textContent;
          if (!text.includes('`'.repeat(3)) && is !== whole) return [text, is];
        }
        return null;
      }, parts);
      assert.equal(lost, null);
      await longOnes(page);
    });
  } finally {
    await gateway.close();
  }
});

test('refusals name the field in words', () => {
  const problem = (pointer, detail) => Object.assign(new Error(`${pointer}: ${detail}`), { problem: { errors: [{ pointer, detail }] } });
  for (const [pointer, detail, want] of [
    ['/jid', 'must be a bare JID, without a resource', 'The address must be a bare JID, without a resource'],
    ['/emails/0', 'is no address', 'The e-mail address is no address'],
    ['/photo/data', 'must be base64', 'The picture must be base64'],
    ['/description', 'must have at most 100 characters', 'About must have at most 100 characters'],
    ['?account', 'must be an account id', 'The account must be an account id'],
    ['/given_name', 'at most 100 characters', 'The given name: at most 100 characters'],
  ]) {
    assert.equal(explain(problem(pointer, detail)), want);
    assert.equal(plainly(`${pointer}: ${detail}`), want);
  }
  assert.equal(explain(new Error('the service is away')), 'The service is away');
  for (const of of ['Failed to fetch', 'NetworkError when attempting to fetch resource.', 'Load failed'])
    assert.equal(explain(new TypeError(of)), 'The gateway cannot be reached: try again.', of);
  assert.equal(plainly('no pointer: here'), 'no pointer: here');
  assert.equal(fieldOf('/a/b/3'), 'b');
});

test('a name inside of a sentence turns nothing around', () => {
  for (const [name, want] of [
    ['Bob', 'Bob'],
    ['דורה', '\u2068דורה\u2069'],
    ['evil\u202eexe', 'evilexe'],
    ['\u2066\u2069x', 'x'],
  ])
    assert.equal(isolated(name), want);
});

test('a copied command has the name as it is kept, and not as it is shown', () => {
  const [dora, erik] = ['dora@example.net', 'erik@example.net'];
  const buddies = new Map([
    [dora, { jid: dora, name: 'דורה' }],
    [erik, { jid: erik, name: '' }],
  ]);
  const store = { buddies, invitations: new Map(), roomInvitations: new Map(), conversation: () => ({ type: 'chat' }) };
  for (const [jid, want] of [
    [dora, 'דורה'],
    [erik, 'erik'],
  ]) {
    const pane = {
      nameOf: (of) => isolated(buddies.get(of).name),
      chat: { jid, composer: { input: { value: '' } } },
      perch: { store, can: () => false },
      session: { presence: () => ({}) },
    };
    const [, call] = callsOf(pane)[0].calls.find(([label]) => label === 'Rename a buddy');
    assert.deepEqual(call.body, { name: want });
  }
});
