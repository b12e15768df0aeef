"use strict";
(() => {
  const tip = document.getElementById("tip");
  const hide = () => { tip.hidden = true; document.querySelectorAll(".here").forEach(old => old.classList.remove("here")); };
  const show = (strip, x, y) => {
    hide();
    strip.classList.add("here");
    tip.textContent = strip.dataset.text;
    tip.hidden = false;
    const box = tip.getBoundingClientRect();
    const left = x + 16 + box.width > innerWidth ? x - 16 - box.width : x + 16;
    tip.style.left = Math.max(4, left) + "px";
    tip.style.top = Math.max(4, Math.min(y + 16, innerHeight - box.height - 4)) + "px";
  };
  for (const chart of document.querySelectorAll(".chart")) {
    const strips = [...chart.querySelectorAll(".strips rect")];
    for (const strip of strips) {
      // The script shows what the browser would show later and smaller.
      const title = strip.querySelector("title");
      strip.dataset.text = title.textContent;
      title.remove();
      strip.addEventListener("pointermove", event => show(strip, event.clientX, event.clientY));
      strip.addEventListener("pointerdown", event => show(strip, event.clientX, event.clientY));
    }
    chart.addEventListener("pointerleave", hide);
    chart.addEventListener("blur", hide);
    chart.addEventListener("keydown", event => {
      const now = strips.findIndex(strip => strip.classList.contains("here"));
      const next = { ArrowRight: now + 1, ArrowLeft: now < 0 ? strips.length - 1 : now - 1, Home: 0, End: strips.length - 1 }[event.key];
      if (event.key === "Escape") hide();
      if (next === undefined || !strips.length) return;
      event.preventDefault();
      const strip = strips[Math.max(0, Math.min(next, strips.length - 1))];
      const box = strip.getBoundingClientRect();
      show(strip, box.left + box.width / 2, box.top + 8);
    });
  }
  addEventListener("scroll", hide, { passive: true });
  const choice = document.getElementById("point");
  if (choice) {
    choice.closest(".choice").hidden = false;
    choice.addEventListener("change", () => {
      const loads = new Map(choice.value.split(";").map(entry => { const cells = entry.split("|"); return [cells[0], cells]; }));
      for (const row of document.querySelectorAll("[data-station]")) {
        const cells = loads.get(row.dataset.station);
        const [track, fill] = row.querySelectorAll("rect");
        const load = cells ? Number(cells[1]) : 0;
        fill.setAttribute("width", load * Number(track.getAttribute("width")));
        fill.setAttribute("class", "sd-fill " + (load >= 0.85 ? "sd-full" : load >= 0.6 ? "sd-filling" : "sd-calm"));
        row.querySelector(".sd-value").textContent = cells ? cells[2] : "";
        track.classList.toggle("sd-marked", !!cells && cells[3] === "1");
      }
      for (const client of document.querySelectorAll("[data-client]")) {
        const cells = loads.get(client.dataset.client);
        if (cells) client.textContent = cells[2];
      }
      document.querySelectorAll(".sd-flag").forEach(flag => { flag.style.display = "none"; });
      document.querySelectorAll(".sd-box.sd-marked").forEach(box => box.classList.remove("sd-marked"));
      const marked = document.querySelector(".sd-track.sd-marked");
      if (marked) marked.parentNode.parentNode.querySelectorAll(".sd-box").forEach(box => box.classList.add("sd-marked"));
      document.getElementById("shown-point").textContent = " (" + choice.selectedOptions[0].textContent + ")";
    });
  }
  addEventListener("beforeprint", () => document.querySelectorAll("details").forEach(part => { part.open = true; }));
})();
