// What differs between two instants, or between this namespace and another.
import { html, useSignal } from "../vendor/preact.js";
import { useRead } from "../api.js";
import { now, shownAt } from "../lanes.js";
import { a, at, b, namespace } from "../state.js";
import { count, visible } from "../text.js";
import { format, parse, show } from "../time.js";
import { isServer, SessionButton } from "./parts.js";

export const id = "diff";
export const title = "Diff A | B";
export const isOffered = () => !isServer();

const MOST = 1000;

function Change({ change }) {
  const { at: instant, surface, session, part, cause, call, rule, from_status, to_status } = change;
  return html`<tr><td>${show(parse(instant), now.value)}<br /><${SessionButton} surface=${surface} id=${session} instant=${parse(instant)} />${part && ` ${visible(part)}`}</td>
    <td>${visible(from_status ?? "–")} → <b>${visible(to_status ?? "–")}</b></td>
    <td>${visible(cause === "call" ? call ?? "a call" : rule)}</td></tr>`;
}

function Handle({ name, handle }) {
  return html`<button onClick=${() => (handle.value = shownAt.value)} title=${`Set ${name} to the instant shown`}>${name}</button> ${handle.value === null ? "not set" : show(handle.value, now.value)}`;
}

function Instants() {
  const isSet = a.value !== null && b.value !== null, [from, to] = [a.value, b.value].sort((one, other) => one - other);
  const { data, error } = useRead(isSet ? `diff?from=${format(from)}&to=${format(to)}&limit=${MOST}` : "", { when: isSet });
  return html`<p><${Handle} name="A" handle=${a} /> <${Handle} name="B" handle=${b} /></p>
    ${!isSet && html`<p class="sub">Move the handles A and B below the lanes, or press [ and ] at the instant shown.</p>`}
    ${isSet && error && html`<p class="error" role="alert">${visible(error.message, 500)}</p>`}
    ${isSet && data && html`<p>${count(data.changes.length, "change")}${data.truncated ? ", and more" : ""}.</p>
      <table><thead><tr><th>Session</th><th>Status</th><th>By</th></tr></thead>
      <tbody>${data.changes.map((change) => html`<${Change} key=${`${change.at}${change.session}${change.part}`} change=${change} />`)}</tbody></table>`}`;
}

function Namespaces({ other }) {
  const { data, error } = useRead(`diff?with=${encodeURIComponent(other)}`, { at: at.value });
  if (error) return html`<p class="error" role="alert">${visible(error.message, 500)}</p>`;
  if (!data) return null;
  return html`<p>${count(data.changes.length, "session")} ${data.changes.length === 1 ? "differs" : "differ"}${data.truncated ? ", and more" : ""}.</p>
    <table><thead><tr><th>Session</th><th>${namespace}</th><th>${other}</th></tr></thead>
    <tbody>${data.changes.map(({ surface, id, here, there }) => html`<tr key=${`${surface}/${id}`}>
      <td><${SessionButton} surface=${surface} id=${id} /></td><td>${visible(here ?? "–")}</td><td>${visible(there ?? "–")}</td></tr>`)}</tbody></table>`;
}

export function Component() {
  const other = useSignal(""), { data } = useRead("namespaces");
  const names = data?.namespaces.filter((each) => each !== namespace) ?? [];
  return html`<p><label>Compare <select value=${other} onChange=${(event) => (other.value = event.target.value)}>
      <option value="">two instants, A and B</option>${names.map((each) => html`<option value=${each}>with ${each}, as of the instant shown</option>`)}</select></label></p>
    ${other.value ? html`<${Namespaces} key=${other.value} other=${other.value} />` : html`<${Instants} />`}`;
}
