// The filter: words, `status:timed_out`, `surface:notte`, `is:open`. All must match, but of several
// statuses or surfaces one.
const TOKEN = /^(status|surface|is):(.*)$/;

/** Split a filter's text into its parts. */
export function parts(text) {
  const found = { word: [], status: [], surface: [], is: [] };
  for (const each of text.split(/\s+/).filter(Boolean)) {
    const [, kind, value] = TOKEN.exec(each) ?? [];
    if (kind) found[kind].push(value);
    else found.word.push(each.toLowerCase());
  }
  return found;
}

/** The filter of a text: `matches(lane)` by words and surface, `admits(lane, status)` by status.
 *
 * `isOpen(surface, status)` says what is open. */
export function makeFilter(text, isOpen) {
  const { word, status, surface, is } = parts(text);
  return {
    isTextual: word.length + surface.length > 0,
    hasStatus: status.length + is.length > 0,
    matches: (lane) => word.every((each) => lane.text.includes(each)) && (!surface.length || surface.includes(lane.surface)),
    admits: (lane, found) =>
      (!status.length || status.includes(found)) &&
      is.every((each) => found !== null && isOpen(lane.surface, found) === (each === "open")),
  };
}

/** The text with a part added, or without it if it was there. */
export function toggled(text, part) {
  const all = text.split(/\s+/).filter(Boolean);
  return (all.includes(part) ? all.filter((each) => each !== part) : [...all, part]).join(" ");
}
