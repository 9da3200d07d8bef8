// Namespaces: fork, reset, snapshot, restore, seed, drop.
import { html } from "../vendor/preact.js";

export const id = "namespaces";
export const title = "Namespaces";

export function Component() {
  return html`<p class="sub">Nothing is shown here yet.</p>`;
}
