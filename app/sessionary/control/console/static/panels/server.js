// A server: health, database, devices, keys; what it has not, and why.
import { html } from "../vendor/preact.js";
import { useRead } from "../api.js";
import { visible } from "../text.js";
import { isServer, Unlock } from "./parts.js";

export const id = "server";
export const title = "Server";
export const isOffered = isServer;

export function Component() {
  const { data, error } = useRead("server", { when: isServer() });
  return html`<${Unlock} />
    <p>This is a server, not a double: it keeps no log of changes, so there is no past and no diff. It has one namespace, its database, which cannot be forked, reset or dropped.</p>
    ${error && html`<p class="error" role="alert">${visible(error.message)}</p>`}
    ${data && html`<pre>${JSON.stringify(data, null, 2)}</pre>`}`;
}
