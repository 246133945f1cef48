/** Said above the image while the server cannot be reached or does not know the reader any more. */

import { html, nothing, type TemplateResult } from "lit";
import type { RoomState } from "../state";

const offline = html`
  <div class="banner warn" role="alert" data-banner="offline">
    <span
      ><strong>No connection.</strong> Go on reading: your answers are kept in this browser and are sent when it is
      back.</span
    >
  </div>
`;

const signedOut = (signInUrl: string) => html`
  <div class="banner warn" role="alert" data-banner="signed-out">
    <span><strong>You were signed out.</strong> Nothing is lost: sign in in a new tab and come back here.</span>
    <a class="button small" href=${signInUrl} target="_blank" rel="noopener">Sign in</a>
  </div>
`;

const withoutGpu = html`
  <div class="banner plain" role="status" data-banner="plain">
    This browser has no WebGL2: images are drawn simply, and only questions can be answered here.
  </div>
`;

export const banner = (
  state: RoomState,
  signInUrl: string,
  isPlain: boolean,
): TemplateResult | typeof nothing => {
  if (state.connection === "offline") return offline;
  if (state.connection === "signed_out") return signedOut(signInUrl);
  return isPlain ? withoutGpu : nothing;
};
