// One pod in words, the list of pods, the tooltip, the filters, and the tables.
const byId = (id) => document.getElementById(id);
function element(tag, kind = "", text = "") {
  const made = document.createElement(tag);
  if (kind) made.className = kind;
  if (text !== "") made.textContent = text;
  return made;
}
function option(select, value, text) { const made = element("option", "", text); made.value = value; select.append(made); }
function facts(p) {
  const waited = waitedUntil(p) - pods.created[p], bound = pods.bound[p];
  const where = bound === NEVER ? "not bound" : `${pods.texts[pods.host[p]]}, bound at ${timeText(bound)}`;
  const still = bound === NEVER && pods.end[p] === NEVER ? ", and still waits at the end" : "";
  const rows = [["workload", pods.workloads[pods.workload[p]]], ["GPUs", pods.gpus[p]], ["priority", pods.priority[p]], ["node", where],
    ["created", timeText(pods.created[p])], ["waited", timeText(waited) + still]];
  if (bound !== NEVER) rows.push(["held its node", timeText(heldUntil(p) - bound) + (pods.end[p] === NEVER ? ", until the end of the run" : "")]);
  rows.push(["phase", pods.texts[pods.phase[p]]]);
  return rows;
}
/** What the pod was told while it waited, with the times. */
const whyLines = (p) => pods.why[p].map(([since, text]) => `from ${timeText(since)}: ${pods.texts[text] || "not tried yet"}`);
const eventLines = (p) => pods.events[p].map(([at, reason, text, count]) =>
  `${timeText(at)} ${pods.texts[reason]}: ${spoken(p, pods.texts[text])}${count > 1 ? ` (${count} times)` : ""}`);
function showPod(p) {
  const box = byId("pod");
  box.replaceChildren(element("h3", "", fullName(p)));
  const list = element("dl");
  for (const [name, value] of facts(p)) list.append(element("dt", "", name), element("dd", "", String(value)));
  box.append(list);
  for (const [title, lines] of [["Why it waited", whyLines(p)], ["Events", eventLines(p)]]) {
    if (!lines.length) continue;
    const items = element("ol");
    for (const line of lines) items.append(element("li", "", line));
    box.append(element("strong", "", title), items);
  }
}
/** The last message in full, and the events by name; the panel below the timeline tells all. */
function tipLines(p) {
  const said = pods.why[p].map(([, text]) => pods.texts[text]).filter(Boolean), lines = [];
  if (said.length) lines.push(`waited: ${said[said.length - 1]}`);
  const events = pods.events[p].map(([at, reason]) => `${pods.texts[reason]} at ${timeText(at)}`);
  if (events.length) lines.push(`events: ${events.slice(0, 6).join(", ")}${events.length > 6 ? ", …" : ""}`);
  return lines;
}
function showTip(p, node, at, event) {
  const tip = byId("tip");
  tip.hidden = !event || (p === NEVER && node === NEVER);
  if (tip.hidden) return;
  tip.replaceChildren();
  if (p !== NEVER) {
    tip.append(element("b", "", fullName(p)));
    tip.append(element("span", "", facts(p).slice(0, 6).map(([name, value]) => `${name}: ${value}`).join(" · ")));
    for (const line of tipLines(p)) tip.append(element("div", "", line));
  } else {
    tip.append(element("b", "", data.nodes[node][0]));
    tip.append(element("span", "", `${timeText(Math.max(0, at))}: ${usedAt(at)[node]} of ${offered(node, at)} GPUs in use`));
  }
  const box = tip.getBoundingClientRect();
  tip.style.left = `${Math.max(4, Math.min(event.clientX + 14, innerWidth - box.width - 8))}px`;
  tip.style.top = `${event.clientY + box.height + 24 > innerHeight ? Math.max(4, event.clientY - box.height - 12) : event.clientY + 16}px`;
}
const MOST_ROWS = 100, MOST_OPTIONS = 300;
function listPods(shown, onChoose) {
  const body = document.querySelector("#pods tbody");
  body.replaceChildren();
  let count = 0;
  for (let p = 0; p < podCount; p++) {
    if (!shown(p) || ++count > MOST_ROWS) continue;
    const row = element("tr"), name = element("button", "", fullName(p)), first = element("td");
    name.type = "button";
    name.addEventListener("click", () => onChoose(p));
    first.append(name);
    row.append(first, element("td", "", String(pods.gpus[p])), element("td", "", pods.texts[pods.host[p]] || "none"),
      element("td", "", timeText(waitedUntil(p) - pods.created[p])),
      element("td", "", pods.bound[p] === NEVER ? "" : timeText(heldUntil(p) - pods.bound[p])), element("td", "", pods.texts[pods.phase[p]]));
    body.append(row);
  }
  byId("pods-more").textContent = count > MOST_ROWS ? `${count} pods fit; the first ${MOST_ROWS} are listed.` : `${count} pods.`;
}
/** Fill the filters and return the test that they stand for. */
function makeFilters(onChange) {
  const lists = { namespace: pods.namespaces, workload: pods.workloads, reason: [...new Set(Object.values(pods.reasons))] };
  for (const [id, texts] of Object.entries(lists)) {
    option(byId(id), "", "all");
    texts.slice(0, MOST_OPTIONS).forEach((text, index) => option(byId(id), id === "reason" ? text : String(index), text));
    byId(id).addEventListener("change", onChange);
  }
  byId("search").addEventListener("input", onChange);
  return (p) => {
    const namespace = byId("namespace").value, workload = byId("workload").value, reason = byId("reason").value;
    return (!namespace || pods.namespace[p] === Number(namespace)) && (!workload || pods.workload[p] === Number(workload)) &&
      (!reason || podReasons(p).includes(reason)) && fullName(p).includes(byId("search").value.trim());
  };
}
function fillTables() {
  const body = document.querySelector("#measures tbody");
  for (const [name, of, value, unit] of data.measures) {
    const row = element("tr");
    row.append(element("td", "", name), element("td", "", of), element("td", "number", value === null ? "–" : String(value)), element("td", "", unit));
    body.append(row);
  }
}
