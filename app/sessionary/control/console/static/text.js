// What cannot be seen, or turns text around: control characters, bidi marks, lone surrogates.
const HIDDEN = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;
const code = (each) => `⟨U+${each.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}⟩`;
const codeBetweenLines = (each) => (each === "\n" || each === "\t" ? each : code(each));

/** The first characters of a text; one that has two code units is not cut in two. */
export const first = (text, length) => (text.length > length ? text.slice(0, length).replace(/[\ud800-\udbff]$/, "") : text);
const last = (text, length) => text.slice(-length).replace(/^[\udc00-\udfff]/, "");

const TAIL = 6;
/** Text of at most `length` characters: what is too long keeps its beginning and its end. */
export const shortened = (text, length) => (text.length > length ? `${first(text, Math.max(0, length - TAIL - 1))}…${last(text, TAIL)}` : text);

function cut(value, limit, shown) {
  const text = String(value ?? ""), start = first(text, limit).replace(HIDDEN, shown);
  return text.length > limit ? `${start}… (${text.length.toLocaleString("en")} characters)` : start;
}

/** Text that is safe to show: hidden characters by their code, and at most `limit` characters. */
export const visible = (value, limit = 300) => cut(value, limit, code);

/** As `visible`, but lines and tabs stay: for bodies and programs. */
export const block = (value, limit = 100_000) => cut(value, limit, codeBetweenLines);

/** The number that a text is; any other text as it is, for the server to refuse. */
export const numberOr = (text) => (Number.isFinite(Number(text)) ? Number(text) : text);

/** A word with its number: `1 session`, `2 sessions`. */
export const count = (number, word) => `${number.toLocaleString("en")} ${word}${number === 1 ? "" : "s"}`;
