// Instants are integers: microseconds since the epoch, UTC.
export const SECOND = 1e6, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, DAY = 24 * HOUR;

/** Parse an instant of the control plane; null if it is none. */
export function parse(text) {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?Z$/.exec(text ?? "");
  if (!match) return null;
  return Date.parse(`${match[1]}Z`) * 1000 + Number((match[2] ?? "").padEnd(6, "0"));
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
