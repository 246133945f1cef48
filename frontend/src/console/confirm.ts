/**
 * A form with data-confirm asks first: <form data-confirm="What will happen" data-confirm-word="Discard">.
 * Enter confirms, Escape goes back.
 */
import { say } from "../words/say";

export function confirmForms(): void {
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!(form instanceof HTMLFormElement) || form.dataset.confirm === undefined) return;
    event.preventDefault();
    ask(form, form.dataset.confirm, form.dataset.confirmWord ?? say("go_on"));
  });
}

function ask(form: HTMLFormElement, question: string, word: string): void {
  const dialog = document.createElement("dialog");
  const yes = button(word, `button ${form.dataset.confirmLook ?? "primary"}`);
  const no = button(say("go_back"), "button");
  const text = document.createElement("p");
  const row = document.createElement("div");
  text.textContent = question;
  row.className = "row";
  row.style.marginTop = "var(--space-4)";
  row.append(yes, no);
  dialog.append(text, row);
  yes.addEventListener("click", () => {
    yes.disabled = true;
    no.disabled = true;
    yes.textContent = say("one_moment");
    form.submit();
  });
  no.addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

function button(word: string, look: string): HTMLButtonElement {
  const made = document.createElement("button");
  made.type = "button";
  made.className = look;
  made.textContent = word;
  return made;
}
