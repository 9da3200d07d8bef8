// Instants are integers: microseconds since the epoch, UTC.
export const SECOND = 1e6, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, DAY = 24 * HOUR;

/** Parse an RFC 3339 instant; null if it is none. */
export function parse(text) {
  const [, time, fraction = "", zone] = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)$/i.exec(text ?? "") ?? [];
  const millis = Date.parse(`${time}${zone}`.toUpperCase());
  return Number.isNaN(millis) ? null : millis * 1000 + Number(fraction.slice(0, 6).padEnd(6, "0"));
}

const UNITS = { us: 1, ms: 1000, s: SECOND, m: MINUTE, h: HOUR, d: DAY, w: 7 * DAY };

/** Parse a duration with a sign, such as `+1h30m`, to microseconds; null if it is none. */
export function parseShift(text) {
  if (!/^[+-](\d{1,9}(us|ms|s|m|h|d|w))+$/.test(text)) return null;
  const parts = [...text.matchAll(/(\d+)([a-z]+)/g)].map(([, amount, unit]) => amount * UNITS[unit]);
  const length = parts.reduce((one, other) => one + other);
  return text.startsWith("-") ? -length : length;
}

/** The text of an instant, as the control plane takes it. */
export function format(at) {
  const seconds = Math.floor(at / SECOND);
  const micros = String(at - seconds * SECOND).padStart(6, "0");
  return `${new Date(seconds * 1000).toISOString().slice(0, 19)}.${micros}Z`;
}

/** A short text: time of day, with the date on another day than `near`, and what is below a second. */
export function show(at, near = at) {
  const text = format(at), fraction = at % SECOND ? text.slice(19, 26) : "";
  const day = text.slice(0, 10) === format(near).slice(0, 10) ? "" : `${text.slice(0, 10)} `;
  return day + text.slice(11, 19) + fraction;
}

const two = (number) => String(Math.floor(number)).padStart(2, "0");

/** A duration: `2:30`, `1:02:30`, `3 d 4 h`, or what is below a second. */
export function span(micros) {
  const length = Math.abs(micros);
  if (length >= 2 * DAY) return `${Math.floor(length / DAY)} d ${Math.floor((length % DAY) / HOUR)} h`;
  const seconds = two((length % MINUTE) / SECOND);
  if (length >= HOUR) return `${Math.floor(length / HOUR)}:${two((length % HOUR) / MINUTE)}:${seconds}`;
  if (length >= SECOND || !length) return `${Math.floor(length / MINUTE)}:${seconds}`;
  return length >= 1000 ? `${length / 1000} ms` : `${length} µs`;
}

/** A duration with its sign. */
export const signed = (micros) => (micros < 0 ? "−" : "+") + span(micros);
