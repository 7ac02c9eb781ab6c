// Puts everything together.
const measure = (name, of = "") => (data.measures.find((row) => row[0] === name && row[1] === of) || [])[2];
function summarise() {
  byId("title").textContent = data.name;
  const kind = data.simulated ? "simulated" : "recorded from a cluster";
  byId("about").textContent = `${timeText(data.ended)} of virtual time, ${kind}, seed ${data.seed}${data.interrupted ? ", interrupted" : ""}`;
  const ratio = measure("gpu_allocation_ratio"), wait = measure("waiting_time_p50");
  const cards = [["GPUs in use at the end", `${measure("gpus_in_use_at_end")} of ${measure("gpus")}`],
    ...Object.entries(data.phases).map(([phase, count]) => [`pods ${phase}`, count]),
    ["GPU-hours in use", ratio === null ? "–" : `${(100 * ratio).toFixed(1)} %`],
    ["median wait of bound pods", wait === null ? "–" : timeText(wait * 1e6)]];
  for (const [name, value] of cards) {
    const card = element("div");
    card.append(element("dt", "", name), element("dd", "", String(value)));
    byId("summary").append(card);
  }
  for (const [count, text] of data.messages) byId("messages").append(element("li", "", `${count} ${count === 1 ? "pod waits" : "pods wait"}: ${text}`));
}
function legend() {
  const entries = pods && barsShown ? pods.workloads.slice(0, 8).map((name, index) => [name, COLOURS[index % COLOURS.length]]) : [["GPUs in use", "var(--accent)"]];
  for (const [name, colour] of [...entries, ["waiting", "var(--wait)"], ["free but unusable for anyone who waits", "var(--lost)"]]) {
    const item = element("li"), swatch = element("i");
    swatch.style.background = colour;
    item.append(swatch, name);
    byId("legend").append(item);
  }
}
function start() {
  summarise();
  legend();
  fillTables();
  const timeline = new Timeline(byId("timeline"), showTip, (p) => showPod(p));
  const fleet = new Fleet(byId("fleet"), (p) => timeline.choose(p));
  const moment = byId("moment");
  moment.max = String(data.ended);
  moment.step = String(Math.max(1, Math.floor(data.ended / 1000)));
  moment.value = String(data.ended);
  const showMoment = () => {
    const last = Number(moment.value) + Number(moment.step) > data.ended;
    const at = last ? data.ended : Number(moment.value), { used, total } = fleet.show(at);
    const waits = waitingAt(at).map(([reason, count]) => `${count} (${reason})`).join(", ");
    byId("clock").textContent = timeText(at);
    byId("fleet-summary").textContent = `${used} of ${total} GPUs in use; ${waits ? `waiting pods: ${waits}` : "no pod waits"}.`;
    timeline.moment = at;
    timeline.draw();
  };
  moment.addEventListener("input", showMoment);
  if (pods) {
    timeline.shown = makeFilters(() => { timeline.draw(); listPods(timeline.shown, (p) => timeline.choose(p)); });
    listPods(timeline.shown, (p) => timeline.choose(p));
  } else {
    byId("pod-section").hidden = byId("pod").hidden = true;
    document.querySelectorAll("#filters label").forEach((label) => { label.hidden = true; });
  }
  byId("zoom-in").addEventListener("click", () => timeline.zoom(.5));
  byId("zoom-out").addEventListener("click", () => timeline.zoom(2));
  byId("zoom-all").addEventListener("click", () => timeline.all());
  const root = document.documentElement, dark = matchMedia("(prefers-color-scheme: dark)");
  const theme = (name) => { root.dataset.theme = name; timeline.draw(); };
  let chosen = dark.matches ? "dark" : "light";
  byId("theme").addEventListener("click", () => { chosen = chosen === "dark" ? "light" : "dark"; theme(chosen); });
  window.addEventListener("beforeprint", () => theme("light"));
  window.addEventListener("afterprint", () => theme(chosen));
  window.addEventListener("resize", () => timeline.draw());
  root.dataset.theme = chosen;
  showMoment();
  window.report = { timeline, data };
}
start();
