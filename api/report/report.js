"use strict";
(() => {
  const find = document.getElementById("find");
  const found = document.getElementById("found");
  const rows = [...document.querySelectorAll("[data-find]")];
  const folds = [...document.querySelectorAll("details.fold:not(.person)")].filter((one) => one.querySelector("[data-find]"));
  const texts = rows.map((row) => row.textContent.toLowerCase());
  document.querySelectorAll(".find, .folds").forEach((part) => { part.hidden = false; });

  const narrow = () => {
    const wanted = find.value.trim().toLowerCase();
    let shown = 0;
    rows.forEach((row, i) => {
      row.hidden = wanted !== "" && !texts[i].includes(wanted);
      shown += row.hidden ? 0 : 1;
    });
    folds.forEach((one) => { one.open = wanted !== "" && one.querySelector("[data-find]:not([hidden])") !== null; });
    found.textContent = wanted === "" ? "" : `${shown} found`;
  };
  let pending = 0;
  find.addEventListener("input", () => { clearTimeout(pending); pending = setTimeout(narrow, 120); });
  find.addEventListener("keydown", (event) => { if (event.key === "Escape") { find.value = ""; narrow(); } });

  const fold = (open) => document.querySelectorAll("details.person:not([hidden])").forEach((one) => { one.open = open; });
  const openAll = document.getElementById("open-all");
  if (openAll) {
    openAll.addEventListener("click", () => fold(true));
    document.getElementById("close-all").addEventListener("click", () => fold(false));
  }
})();
