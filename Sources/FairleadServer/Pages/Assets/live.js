// Live updates of the Overview page: an addition; without it the page is complete.
(() => {
  const cards = document.getElementById("cards");
  const liveness = document.getElementById("liveness");
  if (!cards || !window.EventSource) return;
  const source = new EventSource(cards.dataset.live);
  source.onopen = () => { liveness.textContent = "Updating live."; };
  source.onerror = () => { liveness.textContent = "Live updates are interrupted; trying again."; };
  source.addEventListener("card", (event) => {
    const update = JSON.parse(event.data);
    const old = cards.querySelector(`[data-integration="${CSS.escape(update.integration)}"]`);
    if (!old) return;
    const holder = document.createElement("template");
    holder.innerHTML = update.html.trim();
    const card = holder.content.firstElementChild;
    if (!card || card.outerHTML === old.outerHTML) return;
    card.classList.add("fresh");
    old.replaceWith(card);
    setTimeout(() => card.classList.remove("fresh"), 700);
  });
  source.addEventListener("alerts", (event) => {
    const old = document.getElementById("alerts");
    const holder = document.createElement("template");
    holder.innerHTML = JSON.parse(event.data).html.trim();
    const section = holder.content.firstElementChild;
    if (!old || !section || section.outerHTML === old.outerHTML) return;
    // A link that has the focus keeps it, in the section that takes the place of its own.
    const focused = old.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
    old.replaceWith(section);
    if (focused) section.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus();
  });
  source.addEventListener("summary", (event) => {
    document.getElementById("summary").textContent = JSON.parse(event.data).text;
  });
})();
