// What differs between two instants, or two namespaces.
import { html } from "../vendor/preact.js";

export const id = "diff";
export const title = "Diff A | B";

export function Component() {
  return html`<p class="sub">Nothing is shown here yet.</p>`;
}
