/** Said above the image while the server cannot be reached or does not know the reader any more. */

import { html, nothing, type TemplateResult } from "lit";
import type { Practice } from "../../api/types";
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

/** A new reader's place among the cases of known answer. */
const standing = ({ phase, done, wanted }: Practice) => html`
  <div class="banner plain" role="status" data-banner="practice">
    <span><strong>${say(phase === "practice" ? "practice_place" : "test_place", { place: done + 1, wanted })}</strong> ${say(phase === "practice" ? "practice_words" : "test_words")}</span>
  </div>
`;

export const banner = ({ state, place, isPlain }: Screen): TemplateResult | typeof nothing => {
  if (state.connection === "offline") return offline();
  if (state.connection === "signed_out") return signedOut(place.signInUrl);
  if (state.practice && state.current?.kind === "case") return standing(state.practice);
  return isPlain ? withoutGpu() : nothing;
};
