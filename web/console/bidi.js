// Names of others inside of a sentence: one that is written from right to left, or that has controls of
// direction, must not turn the rest around (Unicode Standard Annex 9).

const controls = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;
const rightToLeft = /[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}\p{Script=Adlam}]/u;

/** A name that stays by itself. @param {string} name */
export function isolated(name) {
  const plain = name.replace(controls, '');
  return rightToLeft.test(plain) ? `\u2068${plain}\u2069` : plain;
}
