// The calls up to the instant shown.
import { html } from "../vendor/preact.js";

export const id = "journal";
export const title = "Journal";
export const isFixed = true;
export function Component() {
  return html`<p class="sub">Nothing is shown here yet.</p>`;
}
