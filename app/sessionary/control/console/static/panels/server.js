// A server: readiness, database, devices, keys; what it has not, and why.
import { html } from "../vendor/preact.js";
import { useRead } from "../api.js";
import { count, visible } from "../text.js";
import { isServer, Unlock } from "./parts.js";

export const id = "server";
export const title = "Server";
export const isOffered = isServer;

const UNITS = ["bytes", "kB", "MB", "GB", "TB"];

function size(bytes) {
  const power = Math.min(UNITS.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  return `${(bytes / 1000 ** power).toLocaleString("en", { maximumFractionDigits: 1 })} ${UNITS[power]}`;
}

/** Rows of any shape: what is not null, the state first. */
const Rows = ({ word, rows }) => html`<details><summary>${count(rows.length, word)}</summary><ul class="list">
  ${rows.map(({ state, ...rest }) => html`<li><b>${visible(state)}</b> ${Object.entries(rest).filter(([, value]) => value !== null)
    .map(([name, value]) => html`<span class="sub">${name}</span> ${visible(value)} `)}</li>`)}</ul></details>`;

function Facts({ data: { version, database, devices, keys } }) {
  return html`<dl>
      <dt>health</dt><dd>${database.ready ? "ready" : html`<span class="error">not ready: ${visible(database.problem)}</span>`}</dd>
      <dt>database</dt><dd>${visible(database.file)}, ${size(database.size_bytes)}, schema version ${database.schema_version}</dd>
      <dt>version</dt><dd>${version}</dd>
    </dl><${Rows} word="device" rows=${devices} /><${Rows} word="key" rows=${keys} />`;
}

export function Component() {
  const { data, error } = useRead("server", { when: isServer() });
  return html`<${Unlock} />
    ${error && html`<p class="error" role="alert">${visible(error.message)}</p>`}
    ${data && html`<${Facts} data=${data} />`}
    <p class="sub">A server keeps no log of changes, so this page has neither the past nor a diff. Its one namespace, the database, cannot be forked, reset or dropped.</p>`;
}
