// A server: health, database, devices, keys.
import { html } from "../vendor/preact.js";

export const id = "server";
export const title = "Server";

export function Component() {
  return html`<p class="sub">Nothing is shown here yet.</p>`;
}
