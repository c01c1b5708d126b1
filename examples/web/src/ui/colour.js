// The colour of a name, the same in every client (XEP-0392): its hash is a hue, and HSLuv makes hues equally bright, so that white letters can be read on all.

import { sha1 } from '../sha1.js';

/** The hue of a text, in degrees. */
export function hue(words) {
  const [low, high] = sha1(words);
  return ((low | (high << 8)) / 65536) * 360;
}

/** The colour of an address as `rgb(…)`. */
export const colourOf = (jid) => `rgb(${hsluv(hue(jid), 62, 47).map((part) => Math.round(part * 255)).join(' ')})`;

// CIE XYZ to linear sRGB, and the constants of CIE LUV for D65.
const MATRIX = [
  [3.240969941904521, -1.537383177570093, -0.498610760293],
  [-0.96924363628087, 1.87596750150772, 0.041555057407175],
  [0.055630079696993, -0.20397695888897, 1.056971514242878],
];
const U = 0.19783000664283;
const V = 0.46831999493879;
const KAPPA = 903.2962962;
const EPSILON = 0.0088564516;

/** HSLuv to sRGB, each part from 0 to 1. Hue in degrees, saturation and lightness from 0 to 100. */
export function hsluv(degrees, saturation, lightness) {
  const angle = (degrees / 180) * Math.PI;
  const chroma = (longest(lightness, angle) * saturation) / 100;
  const u = (Math.cos(angle) * chroma) / (13 * lightness) + U;
  const v = (Math.sin(angle) * chroma) / (13 * lightness) + V;
  const y = lightness > 8 ? ((lightness + 16) / 116) ** 3 : lightness / KAPPA;
  const x = (y * 9 * u) / (4 * v);
  const z = (y * (12 - 3 * u - 20 * v)) / (4 * v);
  return MATRIX.map(([a, b, c]) => gamma(a * x + b * y + c * z));
}

const gamma = (linear) => Math.min(1, Math.max(0, linear <= 0.0031308 ? 12.92 * linear : 1.055 * linear ** (1 / 2.4) - 0.055));

// How far from grey sRGB reaches at this lightness in this direction: the nearest of the lines that bound it.
function longest(lightness, angle) {
  const cube = (lightness + 16) ** 3 / 1560896;
  const scaled = cube > EPSILON ? cube : lightness / KAPPA;
  const lengths = MATRIX.flatMap(([a, b, c]) =>
    [0, 1].map((edge) => {
      const top1 = (284517 * a - 94839 * c) * scaled;
      const top2 = (838422 * c + 769860 * b + 731718 * a) * lightness * scaled - 769860 * edge * lightness;
      const bottom = (632260 * c - 126452 * b) * scaled + 126452 * edge;
      return top2 / bottom / (Math.sin(angle) - (top1 / bottom) * Math.cos(angle));
    }),
  );
  return Math.min(...lengths.filter((length) => length >= 0));
}
