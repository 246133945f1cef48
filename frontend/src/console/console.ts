/** Behaviour of the server-rendered pages: every page works without it, except uploading by drag and drop. */
import htmx from "htmx.org";
import { openAdjudication } from "../adjudicate/room";
import { speak } from "../words/say";
import { openCase } from "./case";
import { confirmForms } from "./confirm";
import { csrfToken } from "./csrf";
import { openHanging } from "./hanging";
import { openImport } from "./import";
import { followEvents } from "./live";
import { openMap } from "./map";
import { openPlots } from "./plots";
import { openProtocol } from "./protocol";
import { quarantineKeys } from "./quarantine";
import { securityKeys } from "./security_key";
import { themeToggles } from "./theme";

htmx.config.allowEval = false;
htmx.config.includeIndicatorStyles = false;

document.body.addEventListener("htmx:configRequest", (event) => {
  const { headers } = (event as CustomEvent<{ headers: Record<string, string> }>).detail;
  headers["X-CSRFToken"] = csrfToken();
});

document.body.addEventListener("htmx:load", (event) => {
  if (event.target instanceof HTMLElement && event.target !== document.body) openPlots(event.target);
});

speak(document.documentElement.lang);
themeToggles();
confirmForms();
openImport();
followEvents((element) => htmx.trigger(element, "changed", {}));
quarantineKeys();
openMap();
openPlots();
openCase();
openAdjudication();
openProtocol();
openHanging();
securityKeys();
