// Copies the text of the element that a button names in data-copy, and says so. Without script the text can still be marked.
"use strict";

for (const button of document.querySelectorAll("button[data-copy]")) {
  const before = button.textContent;
  button.hidden = false;
  button.addEventListener("click", async () => {
    const text = document.getElementById(button.dataset.copy);
    try {
      await navigator.clipboard.writeText(text.dataset.plain || text.textContent.trim());
      button.textContent = button.dataset.copied;
      setTimeout(() => { button.textContent = before; }, 2000);
    } catch {
      getSelection().selectAllChildren(text);
    }
  });
}
