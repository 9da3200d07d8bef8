// The calls, newest first. Those after the instant shown are faint, those of the chosen session marked.
import { html, signal, useSignal } from "../vendor/preact.js";
import { changes, useRead } from "../api.js";
import { loaded, now, shownAt } from "../lanes.js";
import { openCall, selected } from "../state.js";
import { count, visible } from "../text.js";
import { parse, show } from "../time.js";
import { isServer } from "./parts.js";

export const id = "journal";
export const title = "Journal";
export const isFixed = true;

const PAGE = 100, MOST = 1000;
const FIELDS = ["status", "method", "surface", "session", "path"];
const TOKEN = /^([a-z_]+):(?!\/)(.+)$/;
const filter = signal("");

/** The ids of the sessions that begin with a text, or the text itself. */
function idsOf(text) {
  const ids = new Set((loaded.value?.lanes ?? []).map(({ id }) => id));
  const found = [...ids].filter((id) => id.toLowerCase().startsWith(text.toLowerCase()));
  return ids.has(text) || !found.length ? [text] : found;
}

/** The query of a filter's text, what prevents it, and what is to be said of it. */
function toQuery(text, limit) {
  const query = new URLSearchParams({ order: "newest", limit }), words = [];
  let problem = "", note = "";
  for (const each of text.split(/\s+/).filter(Boolean)) {
    const [, name, value] = TOKEN.exec(each) ?? [], ids = name === "session" ? idsOf(value) : [value];
    if (ids.length > 1) problem = `${each} is the beginning of ${ids.length} ids: ${ids.slice(0, 3).join(", ")}${ids.length > 3 ? "…" : ""}`;
    if (FIELDS.includes(name)) query.set(name, ids[0]);
    else words.push(each);
    if (name && !FIELDS.includes(name)) note = `${name} is not a field (${FIELDS.join(", ")}): ${each} is searched as text.`;
  }
  if (words.length) query.set("q", words.join(" "));
  return { path: `journal?${query}`, problem, note };
}

function Row({ call }) {
  const { id, at, surface, method, path, status, fault, session } = call;
  const isLater = parse(at) > shownAt.value, isMine = session && `${surface}/${session}` === selected.value;
  const classes = [isLater && "later", isMine && "mine", (status === null || status >= 400) && "bad"].filter(Boolean);
  return html`<li class=${classes.join(" ")}><button data-call=${id} onClick=${() => openCall(id)}>
    <time>${show(parse(at), now.value).slice(0, 8)}</time> <span>${method}</span>
    <span class="path">${visible(path, 200)}${isMine && html` <b class="mark">this session</b>`}${isLater && html` <i class="mark">later</i>`}</span>
    <span>${status ?? "cut"}${fault && html` <span title=${`fault ${fault.id}`}>⚡<span class="sr">fault ${fault.id}</span></span>`}</span>
  </button></li>`;
}

export function Component() {
  const limit = useSignal(PAGE);
  const isRecorded = changes.value?.role === "double" || changes.value?.calls > 0; // a server without a journal refuses to list it
  const { path, problem, note } = toQuery(filter.value, limit.value);
  const { data: read, error: refusal } = useRead(path, { when: isRecorded && !problem });
  const data = problem ? null : read, error = problem ? new Error(problem) : refusal;
  const own = selected.value && `session:${selected.value.slice(selected.value.indexOf("/") + 1)}`;
  const isOwn = own !== "" && filter.value === own;
  if (isServer() && !isRecorded) return html`<p class="sub">No call is recorded. A server records calls with --journal.</p>`;
  return html`<div class="tools">
      <input type="search" aria-label="Search calls" placeholder="Search: text, status:4xx, method:POST" value=${filter} onInput=${(event) => (filter.value = event.target.value)} />
      <button aria-pressed=${isOwn} disabled=${!own} onClick=${() => (filter.value = isOwn ? "" : own)}>This session</button>
    </div>
    ${error && html`<p class="error" role="alert">${visible(error.message, 500)}</p>`}
    ${note && html`<p class="sub">${visible(note)}</p>`}
    ${data && !data.calls.length && html`<p class="sub">No calls${filter.value && " match"}.</p>`}
    <ol class="calls">${data?.calls.map((call) => html`<${Row} key=${call.id} call=${call} />`)}</ol>
    ${data?.next && (limit.value < MOST
      ? html`<button onClick=${() => (limit.value = Math.min(MOST, limit.value * 3))}>Older calls</button>`
      : html`<p class="sub">The newest ${count(MOST, "call")} of ${changes.value.calls.toLocaleString("en")} are shown: search for older ones.</p>`)}`;
}
