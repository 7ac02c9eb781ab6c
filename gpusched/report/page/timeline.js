// The timeline: an overview, the nodes' GPUs, and the pods that wait; zoom, pan, and what lies under the mouse.
class Timeline {
  constructor(canvas, onHover, onChoose) {
    this.canvas = canvas;
    this.pen = canvas.getContext("2d");
    this.from = 0;
    this.to = data.ended;
    this.shown = () => true;
    this.chosen = NEVER;
    this.moment = data.ended;
    this.waiters = pods ? waitingRows(60) : { rows: new Map(), count: 0, left: 0 };
    this.onHover = onHover;
    this.onChoose = onChoose;
    this.listen();
  }
  /** Where everything stands; heights follow from the number of GPUs. */
  layout() {
    const width = this.canvas.clientWidth, lanes = data.nodes.reduce((sum, node) => sum + node[2], 0);
    this.width = width;
    this.left = width < 560 ? 78 : 148;
    this.lane = Math.max(3, Math.min(14, Math.floor(640 / Math.max(1, lanes))));
    this.row = barsShown ? 0 : Math.max(1, Math.min(14, Math.floor(3000 / Math.max(1, data.nodes.length))));
    this.chartTop = 26;
    this.chartHeight = 74;
    let y = this.chartTop + this.chartHeight + 14;
    this.tops = data.nodes.map((node) => {
      const top = y;
      y += (barsShown ? node[2] * this.lane : this.row) + (barsShown ? 5 : 1);
      return top;
    });
    this.waitTop = y + 18;
    this.waitLane = 8;
    this.height = this.waitTop + Math.max(1, this.waiters.count) * this.waitLane + 10;
  }
  x(at) { return this.left + (at - this.from) / Math.max(1, this.to - this.from) * (this.width - this.left - 8); }
  at(x) { return this.from + (x - this.left) / (this.width - this.left - 8) * (this.to - this.from); }
  draw() {
    this.layout();
    const scale = window.devicePixelRatio || 1, pen = this.pen;
    this.canvas.style.height = `${this.height}px`;
    this.canvas.width = Math.round(this.width * scale);
    this.canvas.height = Math.round(this.height * scale);
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    this.ink = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
    pen.font = "11px system-ui, sans-serif";
    pen.textBaseline = "middle";
    this.drawAxis();
    this.drawChart();
    this.drawNodes();
    this.clip(() => { if (barsShown) this.drawPods(); });
    this.clip(() => this.drawWaiting());
    this.drawMoment();
  }
  clip(paint) {
    this.pen.save();
    this.pen.beginPath();
    this.pen.rect(this.left, 0, this.width - this.left - 8, this.height);
    this.pen.clip();
    paint();
    this.pen.restore();
  }
  drawAxis() {
    const pen = this.pen, span = this.to - this.from, wanted = Math.max(2, Math.floor((this.width - this.left) / 110));
    const units = [1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400, 604800].map((s) => s * 1e6);
    const small = [1e3, 1e4, 1e5, 2e5, 5e5];
    const step = [...small, ...units].find((unit) => span / unit <= wanted) || span / wanted;
    pen.textAlign = "center";
    for (let at = Math.ceil(this.from / step) * step; at <= this.to; at += step) {
      const x = this.x(at);
      pen.strokeStyle = this.ink("--line");
      pen.beginPath(); pen.moveTo(x, 20); pen.lineTo(x, this.height); pen.stroke();
      pen.fillStyle = this.ink("--soft");
      const text = timeText(at), half = pen.measureText(text).width / 2;
      pen.fillText(text, Math.min(Math.max(x, this.left + half), this.width - half - 4), 11);
    }
  }
  drawChart() {
    const pen = this.pen, series = data.series, most = Math.max(1, ...series.capacity);
    const bottom = this.chartTop + this.chartHeight, y = (value) => bottom - value / most * this.chartHeight;
    const area = (values, colour, under) => {
      pen.fillStyle = colour;
      pen.beginPath();
      series.times.forEach((at, i) => {
        const right = i + 1 < series.times.length ? series.times[i + 1] : data.ended;
        const base = under ? under[i] : 0;
        if (values[i]) pen.rect(this.x(at), y(base + values[i]), Math.max(.5, this.x(right) - this.x(at)), y(base) - y(base + values[i]));
      });
      pen.fill();
    };
    this.clip(() => {
      area(series.capacity, this.ink("--free"));
      area(series.used, this.ink("--accent"));
      area(series.unusable, this.ink("--lost"), series.used);
    });
    this.label("GPUs", this.chartTop + 10);
    this.label(`${most}`, this.chartTop + 26);
  }
  label(text, y, soft = true) {
    const pen = this.pen;
    pen.textAlign = "right";
    pen.fillStyle = this.ink(soft ? "--soft" : "--ink");
    let shown = text;
    while (pen.measureText(shown).width > this.left - 12 && shown.length > 4) shown = `…${shown.slice(2)}`;
    pen.fillText(shown, this.left - 6, y);
  }
  drawNodes() {
    const pen = this.pen;
    let free = 0;
    data.nodes.forEach(([name, pool, lanes], n) => {
      const top = this.tops[n], height = barsShown ? lanes * this.lane : this.row;
      pen.fillStyle = this.ink("--panel");
      pen.fillRect(this.left, top, this.width - this.left - 8, height);
      if (top >= free) { this.label(name, top + Math.min(height / 2, 12), false); free = top + 13; }
      if (barsShown && height > 26) this.label(pool, top + 26);
    });
    if (!barsShown) this.clip(() => this.drawLevels());
  }
  drawLevels() {
    const pen = this.pen, times = data.levels.times;
    pen.fillStyle = this.ink("--accent");
    data.levels.used.forEach((row, n) => {
      for (let i = 0, next; i < row.length; i = next) {
        for (next = i + 1; next < row.length && row[next] === row[i]; next++);
        const right = next < times.length ? times[next] : data.ended;
        if (!row[i] || right < this.from || times[i] > this.to) continue;
        pen.globalAlpha = .15 + .85 * Math.min(1, row[i] / data.nodes[n][2]);
        pen.fillRect(this.x(times[i]), this.tops[n], Math.max(1, this.x(right) - this.x(times[i])), this.row);
      }
    });
    pen.globalAlpha = 1;
  }
  drawPods() {
    for (let p = 0; p < podCount; p++) {
      if (pods.node[p] === NEVER || !pods.lanes[p].length || heldUntil(p) < this.from || pods.bound[p] > this.to) continue;
      for (const [first, count] of blocks(pods.lanes[p])) {
        this.bar(p, this.barTop(p, first), count * this.lane, podColour(p));
        this.nameBar(p, this.barTop(p, first), count * this.lane);
      }
    }
  }
  /** Write a pod's workload into its bar where there is room: colours alone do not print in grey. */
  nameBar(p, y, height) {
    const pen = this.pen, text = pods.workloads[pods.workload[p]].split("/").pop();
    const from = Math.max(this.left, this.x(pods.bound[p])), room = Math.min(this.width - 8, this.x(heldUntil(p))) - from;
    if (height < 11 || !this.shown(p) || pen.measureText(text).width + 10 > room) return;
    pen.textAlign = "left";
    pen.fillStyle = DARK_INK.includes(podColour(p)) ? "#10151a" : "#ffffff";
    pen.fillText(text, from + 5, y + height / 2 + .5);
  }
  barTop(p, lane) { return this.tops[pods.node[p]] + lane * this.lane; }
  bar(p, y, height, colour, from = Math.max(0, pods.bound[p]), to = heldUntil(p)) {
    const pen = this.pen, x = this.x(from), width = Math.max(1, this.x(to) - x - (this.x(to) - x > 4 ? 1 : 0));
    pen.globalAlpha = this.shown(p) ? 1 : .12;
    pen.fillStyle = colour;
    pen.fillRect(x, y + .5, width, height - 1);
    if (p === this.chosen) {
      pen.globalAlpha = 1;
      pen.strokeStyle = this.ink("--ink");
      pen.lineWidth = 2;
      pen.strokeRect(x, y + .5, width, height - 1);
      pen.lineWidth = 1;
    }
    pen.globalAlpha = 1;
  }
  drawWaiting() {
    for (const [p, row] of this.waiters.rows)
      this.bar(p, this.waitTop + row * this.waitLane, this.waitLane, this.ink("--wait"), pods.created[p], waitedUntil(p));
  }
  drawMoment() {
    const pen = this.pen, x = this.x(this.moment);
    if (pods) {
      this.label("waiting", this.waitTop + 6, false);
      if (this.waiters.left) this.label(`+ ${this.waiters.left} more`, this.waitTop + 20);
    }
    if (x < this.left - 1 || x > this.width) return;
    pen.strokeStyle = this.ink("--ink");
    pen.setLineDash([4, 3]);
    pen.beginPath(); pen.moveTo(x, 18); pen.lineTo(x, this.height); pen.stroke();
    pen.setLineDash([]);
  }
  /** The pod under a point, the smallest bar first; NEVER if there is none. */
  podAt(x, y) {
    if (!pods || x < this.left) return NEVER;
    const at = this.at(x), slack = this.at(x + 1) - at;
    for (let p = podCount - 1; p >= 0; p--) {
      if (!this.shown(p)) continue;
      const inWait = this.waiters.rows.has(p) && y >= this.waitTop && Math.floor((y - this.waitTop) / this.waitLane) === this.waiters.rows.get(p);
      if (inWait && at >= pods.created[p] - slack && at < waitedUntil(p) + slack) return p;
      if (!barsShown || pods.node[p] === NEVER || at < pods.bound[p] - slack || at >= heldUntil(p) + slack) continue;
      const lane = Math.floor((y - this.tops[pods.node[p]]) / this.lane);
      if (pods.lanes[p].includes(lane)) return p;
    }
    return NEVER;
  }
  /** The node under a point; NEVER if there is none. */
  nodeAt(x, y) {
    return x < this.left ? NEVER : this.tops.findIndex((top, n) => y >= top && y < top + (barsShown ? data.nodes[n][2] * this.lane : this.row));
  }
  /** The middle of a pod's bar, in pixels of the canvas. */
  place(p) {
    const waits = pods.node[p] === NEVER || !barsShown;
    if (waits && !this.waiters.rows.has(p)) return null;
    const from = waits ? pods.created[p] : pods.bound[p], to = waits ? waitedUntil(p) : heldUntil(p);
    const y = waits ? this.waitTop + (this.waiters.rows.get(p) + .5) * this.waitLane : this.barTop(p, pods.lanes[p][0]) + this.lane / 2;
    return { x: this.x((Math.max(from, this.from) + Math.min(to, this.to)) / 2), y };
  }
  zoom(factor, middle = (this.from + this.to) / 2) {
    const span = Math.min(data.ended, Math.max(1000, (this.to - this.from) * factor));
    const share = (middle - this.from) / (this.to - this.from || 1);
    this.show(middle - share * span, span);
  }
  show(from, span) {
    this.from = Math.max(0, Math.min(from, data.ended - span));
    this.to = this.from + span;
    this.draw();
  }
  pan(share) { const span = this.to - this.from; this.show(this.from + share * span, span); }
  all() { this.show(0, data.ended); }
  choose(p) { this.chosen = p; this.draw(); this.onChoose(p); }
  step(direction) {
    for (let p = this.chosen + direction, n = 0; n < podCount; n++, p += direction) {
      const wrapped = (p + podCount) % podCount;
      if (this.shown(wrapped)) return this.choose(wrapped);
    }
  }
  listen() {
    const canvas = this.canvas;
    let grabbed = null;
    const where = (event) => { const box = canvas.getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top]; };
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.zoom(event.deltaY > 0 ? 1.25 : .8, this.at(where(event)[0]));
    }, { passive: false });
    canvas.addEventListener("pointerdown", (event) => { grabbed = { x: where(event)[0], from: this.from, moved: false }; });
    window.addEventListener("pointerup", () => { grabbed = null; });
    canvas.addEventListener("pointermove", (event) => {
      const [x, y] = where(event);
      if (grabbed && Math.abs(x - grabbed.x) > 3) {
        grabbed.moved = true;
        const span = this.to - this.from;
        this.show(grabbed.from - (x - grabbed.x) / (this.width - this.left - 8) * span, span);
      }
      this.onHover(this.podAt(x, y), this.nodeAt(x, y), this.at(x), event);
    });
    canvas.addEventListener("pointerleave", () => this.onHover(NEVER, NEVER, 0, null));
    canvas.addEventListener("click", (event) => { const p = this.podAt(...where(event)); if (p !== NEVER) this.choose(p); });
    canvas.addEventListener("keydown", (event) => {
      const act = { "+": () => this.zoom(.8), "=": () => this.zoom(.8), "-": () => this.zoom(1.25), 0: () => this.all(),
        ArrowLeft: () => this.pan(-.1), ArrowRight: () => this.pan(.1), ArrowDown: () => this.step(1), ArrowUp: () => this.step(-1) }[event.key];
      if (act) { event.preventDefault(); act(); }
    });
  }
}
/** Runs of neighbouring lanes as [first, how many]. */
function blocks(lanes) {
  const found = [];
  for (const lane of lanes) {
    const last = found[found.length - 1];
    if (last && last[0] + last[1] === lane) last[1]++; else found.push([lane, 1]);
  }
  return found;
}
