// Sessions that are open at the instant shown, with the calls that opened them.
import { html } from "../vendor/preact.js";
import { changes, useRead } from "../api.js";
import { meaningOf, now } from "../lanes.js";
import { at, openCall } from "../state.js";
import { count, visible } from "../text.js";
import { parse, show } from "../time.js";
import { SessionButton } from "./parts.js";

export const id = "leaks";
export const title = "Leaks";
export const badge = () => changes.value?.open || "";

const MOST = 200;

function Row({ session }) {
  const { surface, id, status, since, opened_by: call } = session;
  return html`<li>
    <${SessionButton} surface=${surface} id=${id} />
    <div><span class=${`pill m-${meaningOf(surface, status)}`}>${status}</span> since ${show(parse(since), now.value)}, ${call
    ? html`opened by <button onClick=${() => openCall(call.number)}>call ${call.number}</button> ${call.method} ${visible(call.path, 100)} at ${show(parse(call.at), now.value)}`
    : "opened by no recorded call"}</div></li>`;
}

export function Component() {
  const { data, error } = useRead(`sessions?open=true&limit=${MOST}`, { at: at.value });
  if (error) return html`<p class="error" role="alert">${visible(error.message)}</p>`;
  if (!data) return null;
  return html`<p>${count(data.sessions.length, "session")} open${data.next && ", and more"}. A test that ends should leave none.</p>
    <ul class="list">${data.sessions.map((session) => html`<${Row} key=${`${session.surface}/${session.id}`} session=${session} />`)}</ul>`;
}
