"use strict";
(() => {
  const said = document.getElementById("said");
  const resets = new Map();
  let silence;
  const byHand = (text) => {
    const area = document.createElement("textarea");
    area.value = text;
    area.className = "unseen";
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  };
  const copy = async (text) => {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      return byHand(text);
    }
  };
  for (const button of document.querySelectorAll(".command > button")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      const done = await copy(button.previousElementSibling.textContent);
      button.textContent = done ? "Copied" : "Select and copy";
      said.textContent = done ? "Copied" : "The browser refuses: select the text and copy it";
      button.focus();
      clearTimeout(resets.get(button));
      clearTimeout(silence);
      resets.set(button, setTimeout(() => { button.textContent = "Copy"; }, 2000));
      silence = setTimeout(() => { said.textContent = ""; }, 2000);
    });
  }
})();
