// SHA-1 (RFC 3174). The browser has it only as a promise and only on secure pages; colours of names and hashes of capabilities need it in the middle of
// drawing. Nothing secret depends on it.

const rotate = (word, by) => (word << by) | (word >>> (32 - by));

/** The 20 octets of the hash of a text (UTF-8), as Uint8Array, or as 'base64' or 'hex'. */
export function sha1(words, form) {
  const octets = typeof words === 'string' ? new TextEncoder().encode(words) : words;
  const length = Math.ceil((octets.length + 9) / 64) * 64;
  const padded = new Uint8Array(length);
  padded.set(octets);
  padded[octets.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setUint32(length - 8, Math.floor(octets.length / 2 ** 29));
  view.setUint32(length - 4, (octets.length << 3) >>> 0);
  const state = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0];
  for (let at = 0; at < length; at += 64) block(state, view, at);
  const out = new Uint8Array(20);
  state.forEach((word, index) => new DataView(out.buffer).setUint32(index * 4, word >>> 0));
  if (form === 'base64') return btoa(String.fromCharCode(...out));
  if (form === 'hex') return [...out].map((octet) => octet.toString(16).padStart(2, '0')).join('');
  return out;
}

function block(state, view, at) {
  const w = new Int32Array(80);
  for (let t = 0; t < 16; t += 1) w[t] = view.getInt32(at + t * 4);
  for (let t = 16; t < 80; t += 1) w[t] = rotate(w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16], 1);
  let [a, b, c, d, e] = state;
  for (let t = 0; t < 80; t += 1) {
    const [mixed, k] =
      t < 20 ? [(b & c) | (~b & d), 0x5a827999] : t < 40 ? [b ^ c ^ d, 0x6ed9eba1] : t < 60 ? [(b & c) | (b & d) | (c & d), 0x8f1bbcdc] : [b ^ c ^ d, 0xca62c1d6];
    const next = (rotate(a, 5) + mixed + e + k + w[t]) | 0;
    [e, d, c, b, a] = [d, c, rotate(b, 30), a, next];
  }
  [a, b, c, d, e].forEach((word, index) => (state[index] = (state[index] + word) | 0));
}
