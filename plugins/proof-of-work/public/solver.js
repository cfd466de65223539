// SHA-256 of one short block, over and over, until it begins with enough zero bits. See src/puzzle.ts for the rule.

const PARTS = 16;
const K = new Uint32Array(64);
const FIRST = new Uint32Array(8);
constants();

const words = new Uint32Array(64);
const state = new Uint32Array(8);

self.addEventListener('message', ({ data: { challenge, difficulty } }) => {
  const seed = digestOfText(challenge);
  const numbers = Array.from({ length: PARTS }, (_, part) => solve(seed, part, difficulty).toString(36));
  self.postMessage(numbers.join('.'));
});

/** 37 bytes: the seed, the part, the number. They fit in one block, so one round of compression is one try. */
function solve(seed, part, difficulty) {
  for (let number = 0; ; number += 1) {
    words.set(seed);
    words[8] = ((part << 24) | (number >>> 8)) >>> 0;
    words[9] = (((number & 0xff) << 24) | 0x800000) >>> 0;
    words.fill(0, 10, 15);
    words[15] = 37 * 8;
    state.set(FIRST);
    compress();
    if (Math.clz32(state[0]) >= difficulty) return number;
  }
}

/** Any text; a challenge is short. */
function digestOfText(text) {
  const bytes = new TextEncoder().encode(text);
  const padded = new Uint8Array(((bytes.length + 9 + 63) >> 6) << 6);
  padded.set(bytes);
  padded[bytes.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setUint32(padded.length - 4, bytes.length * 8);
  state.set(FIRST);
  for (let at = 0; at < padded.length; at += 64) {
    for (let word = 0; word < 16; word += 1) words[word] = view.getUint32(at + word * 4);
    compress();
  }
  return state.slice();
}

function compress() {
  for (let t = 16; t < 64; t += 1) {
    const x = words[t - 15];
    const y = words[t - 2];
    const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
    const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
    words[t] = (words[t - 16] + s0 + words[t - 7] + s1) | 0;
  }
  let [a, b, c, d, e, f, g, h] = state;
  for (let t = 0; t < 64; t += 1) {
    const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + K[t] + words[t]) | 0;
    const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + t1) | 0;
    d = c;
    c = b;
    b = a;
    a = (t1 + t2) | 0;
  }
  state[0] += a;
  state[1] += b;
  state[2] += c;
  state[3] += d;
  state[4] += e;
  state[5] += f;
  state[6] += g;
  state[7] += h;
}

/** The first 32 bits of the fractional parts of roots of primes, as the standard makes them. */
function constants() {
  const fraction = (root) => ((root - Math.floor(root)) * 4294967296) >>> 0;
  for (let found = 0, candidate = 2; found < 64; candidate += 1) {
    let isPrime = true;
    for (let by = 2; by * by <= candidate; by += 1) if (candidate % by === 0) isPrime = false;
    if (!isPrime) continue;
    K[found] = fraction(Math.cbrt(candidate));
    if (found < 8) FIRST[found] = fraction(Math.sqrt(candidate));
    found += 1;
  }
}
