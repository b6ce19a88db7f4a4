// What scanners and cameras read: JAN/EAN with check digit, NW-7 (Codabar) with or without its start and stop
// marks, CODE39 with or without its asterisks, CODE128.

/** A scanned text as the server knows it. */
export function cleanCode(raw) {
  const text = raw.normalize("NFKC").trim().toUpperCase();
  const codabar = /^[ABCD]([0-9\-$:/.+]+)[ABCD]$/.exec(text);
  if (codabar) return codabar[1];
  const code39 = /^\*([0-9A-Z\-. $/+%]+)\*$/.exec(text);
  return code39 ? code39[1] : text;
}

/** Whether the digits are an EAN-13 or EAN-8 with a right check digit. */
export function isEan(code) {
  if (!/^(\d{8}|\d{13})$/.test(code)) return false;
  const digits = [...code].map(Number);
  const check = digits.pop();
  const sum = digits.reverse().reduce((total, digit, place) => total + digit * (place % 2 === 0 ? 3 : 1), 0);
  return (10 - (sum % 10)) % 10 === check;
}

/** Whether the code is a merchandise code of a maker (prefix 20–29 is a shop's own, such as a member card). */
export function isMerchandise(code) {
  return isEan(code) && !/^2/.test(code);
}
