/** Said above the image while the server cannot be reached or does not know the reader any more. */

import { html, nothing, type TemplateResult } from "lit";
import { say } from "../../words/say";
import type { Screen } from "./screen";

const offline = () => html`
  <div class="banner warn" role="alert" data-banner="offline">
    <span><strong>${say("no_connection")}</strong> ${say("no_connection_words")}</span>
  </div>
`;

const signedOut = (signInUrl: string) => html`
  <div class="banner warn" role="alert" data-banner="signed-out">
    <span><strong>${say("signed_out")}</strong> ${say("signed_out_words")}</span>
    <a class="button small" href=${signInUrl} target="_blank" rel="noopener">${say("sign_in")}</a>
  </div>
`;

const withoutGpu = () => html`
  <div class="banner plain" role="status" data-banner="plain">${say("no_webgl")}</div>
`;

export const banner = ({ state, place, isPlain }: Screen): TemplateResult | typeof nothing => {
  if (state.connection === "offline") return offline();
  if (state.connection === "signed_out") return signedOut(place.signInUrl);
  return isPlain ? withoutGpu() : nothing;
};
