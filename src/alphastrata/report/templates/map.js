/* The map of the clusters: a player through the windows, in two and three dimensions. */
const STEPS = 65535;

class ClusterMap {
  constructor(figure, packed) {
    this.figure = figure;
    this.node = byId(figure.dataset.map);
    this.packed = packed;
    const numbers = (letters, kind) => new kind(bytes(letters).buffer);
    this.asset = numbers(packed.asset, packed.wide ? Uint32Array : Uint16Array);
    this.cluster = numbers(packed.cluster, Uint8Array);
    this.place = {};
    for (const [name, axis] of Object.entries(packed.axes)) {
      const step = (axis.high - axis.low) / STEPS;
      this.place[name] = Float32Array.from(numbers(axis.values, Uint16Array), (v) => axis.low + step * v);
    }
    this.hover = packed.hover.map(({ name, values }) => ({ name, values: numbers(values, Float32Array) }));
    this.at = packed.dates.length - 1;
    this.dimensions = 2;
    this.timer = 0;
    this.found = -1;
    this.wire();
  }

  wire() {
    const part = (selector) => this.figure.querySelector(selector);
    this.slider = part(".time");
    this.button = part(".play");
    part(".controls").hidden = false;
    this.button.addEventListener("click", () => (this.timer ? this.stop() : this.play()));
    this.slider.addEventListener("input", () => { this.stop(); this.show(Number(this.slider.value)); });
    this.figure.querySelectorAll("[data-dim]").forEach((button) => button.addEventListener("click", () => {
      this.dimensions = Number(button.dataset.dim);
      this.figure.querySelectorAll("[data-dim]").forEach((b) => b.setAttribute("aria-pressed", String(b === button)));
      Plotly.purge(this.node);
      this.draw();
    }));
    const deep = part('[data-dim="3"]');
    if (deep && !document.createElement("canvas").getContext("webgl")) {
      deep.disabled = true;
      deep.title = "This browser has no WebGL";
    }
    part(".find").addEventListener("input", (event) => this.find(event.target.value.trim().toLowerCase()));
  }

  find(typed) {
    const names = this.names ??= this.packed.assets.map((name) => {
      const text = document.createElement("textarea");
      text.innerHTML = name; /* names are escaped; a textarea only unescapes them */
      return text.value.toLowerCase();
    });
    this.found = typed ? names.indexOf(typed) : -1;
    if (typed && this.found < 0) this.found = names.findIndex((name) => name.startsWith(typed));
    this.draw();
  }

  play() {
    if (this.at === this.packed.dates.length - 1) this.at = -1;
    this.button.textContent = "❚❚";
    this.figure.dataset.playing = "yes";
    const next = async () => {
      await this.show(this.at + 1);
      if (!this.timer) return;
      if (this.at >= this.packed.dates.length - 1) this.stop();
      else this.timer = setTimeout(next, 700);
    };
    this.timer = setTimeout(next, 0);
  }

  stop() {
    clearTimeout(this.timer);
    this.timer = 0;
    this.button.textContent = "▶";
    this.figure.dataset.playing = "no";
  }

  async show(at) {
    this.at = at;
    this.slider.value = String(at);
    this.figure.querySelector(".when").textContent = this.packed.dates[at];
    await this.draw();
  }

  label(row) {
    const shown = this.hover.filter(({ values }) => Number.isFinite(values[row]))
      .map(({ name, values }) => `${name} ${Number(values[row].toPrecision(3)).toLocaleString("en", { maximumSignificantDigits: 3 })}`);
    const head = `<b>${this.packed.assets[this.asset[row]]}</b> · ${this.packed.dates[this.at]}`;
    return [head, this.packed.clusters[this.cluster[row]].label, ...shown].join("<br>");
  }

  traces(colours, narrow) {
    const { starts, clusters } = this.packed;
    const deep = this.dimensions === 3;
    const groups = clusters.map(() => []);
    for (let row = starts[this.at]; row < starts[this.at + 1]; row++) groups[this.cluster[row]].push(row);
    const crowd = starts[this.at + 1] - starts[this.at];
    const size = Math.max(deep ? 2.5 : 4.5, Math.min(deep ? 5 : 9, (deep ? 70 : 170) / Math.sqrt(crowd)));
    const traces = groups.map((rows, i) => {
      const trace = { type: deep ? "scatter3d" : "scatter", mode: "markers", name: narrow ? clusters[i].label.split(" · ")[0] : clusters[i].label,
        x: rows.map((r) => this.place.x[r]), y: rows.map((r) => this.place.y[r]), text: rows.map((r) => this.label(r)),
        hovertemplate: "%{text}<extra></extra>",
        marker: { color: clusters[i].colour, symbol: deep ? "circle" : clusters[i].mark, size: /^triangle/.test(clusters[i].mark) && !deep ? 1.3 * size : size, opacity: 0.85,
          line: { width: deep ? 0 : 0.6, color: colours.ground } } };
      if (deep) Object.assign(trace, this.deepPlaces(rows));
      return trace;
    });
    if (this.found >= 0) traces.push(this.trail(colours, deep));
    return traces;
  }

  trail(colours, deep) {
    const rows = [];
    const first = this.packed.dated ? 0 : this.packed.starts[this.at];
    for (let row = first; row < this.packed.starts[this.at + 1]; row++) if (this.asset[row] === this.found) rows.push(row);
    const now = rows.length ? rows[rows.length - 1] : -1;
    const here = now >= this.packed.starts[this.at];
    const trace = { type: deep ? "scatter3d" : "scatter", mode: "lines+markers", showlegend: false,
      x: rows.map((r) => this.place.x[r]), y: rows.map((r) => this.place.y[r]), hoverinfo: "skip",
      line: { color: colours.ink, width: deep ? 3 : 1.4 },
      marker: { color: colours.ink, symbol: deep ? "circle" : "circle-open", size: rows.map((r) => (here && r === now ? 15 : 3)),
        line: { color: colours.ink, width: 1.6 } } };
    if (deep) Object.assign(trace, this.deepPlaces(rows));
    return trace;
  }

  /* A map in 3-D of its own, or the third coordinate of the flat one. */
  deepPlaces(rows) {
    return Object.fromEntries(["x", "y", "z"].map((name) => [name, rows.map((r) => (this.place[`${name}3`] ?? this.place[name])[r])]));
  }

  range(name, deep = false) {
    const { low, high } = (deep && this.packed.axes[`${name}3`]) || this.packed.axes[name];
    const edge = 0.04 * (high - low);
    return [low - edge, high + edge];
  }

  async draw() {
    const width = printing ? PAPER.width : widthOf(this.node);
    if (!width || this.at < 0 || shut(this.node)) return;
    const colours = theme();
    const { axis, ...layout } = frame(colours, width < NARROW);
    const bare = { showgrid: false, zeroline: false, showticklabels: false, ticks: "", title: { text: "" } };
    Object.assign(layout, { width, height: this.node.clientHeight || 520, showlegend: true, uirevision: "map", hovermode: "closest", dragmode: width < NARROW ? false : "pan" });
    layout.legend = { ...layout.legend, itemsizing: "constant" };
    if (this.dimensions === 3) {
      const wall = { showgrid: true, gridcolor: colours.line, zeroline: false, showticklabels: false, showspikes: false, title: { text: "" }, backgroundcolor: colours.surface, showbackground: true };
      layout.scene = { xaxis: { ...wall, range: this.range("x", true) }, yaxis: { ...wall, range: this.range("y", true) }, zaxis: { ...wall, range: this.range("z", true) },
        aspectmode: "cube", dragmode: "orbit", camera: { eye: { x: 1.3, y: 1.3, z: 0.75 }, center: { x: 0, y: 0, z: -0.16 } } };
      layout.margin = { l: 0, r: 0, t: 40, b: 0 };
    } else {
      layout.xaxis = { ...bare, range: this.range("x") };
      layout.yaxis = { ...bare, range: this.range("y"), scaleanchor: "x" };
      layout.shapes = [{ type: "rect", xref: "paper", yref: "paper", x0: 0, x1: 1, y0: 0, y1: 1, line: { width: 1, color: colours.line }, layer: "below" }];
    }
    await Plotly.react(this.node, this.traces(colours, width < NARROW), layout, { ...CONFIG, scrollZoom: this.dimensions === 3 });
    this.figure.dataset.at = this.packed.dates[this.at];
  }
}

/* Start. */
async function start() {
  const root = document.documentElement;
  wireTables();
  wireNumbers();
  const content = JSON.parse(await unpack("payload"));
  wireDownloads(content.files);
  const charts = Object.entries(content.charts).map(([key, chart]) => [byId(key), chart]);
  let maps = [];
  const all = () => [...charts.map(([node, chart]) => () => drawChart(node, chart)), ...maps.map((map) => () => map.draw())];
  const repaint = async () => { for (const draw of all()) { await draw(); await pause(); } };
  wireTheme(repaint);
  wireContents();
  addEventListener("beforeprint", () => {
    document.querySelectorAll("details.section, details.fold, details.more").forEach((part) => { part.open = true; });
  });
  if (byId("plotly")) {
    await loadPlotly();
    wireLog(content.charts);
    wireImages();
    maps = [...document.querySelectorAll("[data-map]")].map((figure) => new ClusterMap(figure, content.maps[figure.dataset.map]));
    await repaint();
    const drawWithin = async (part) => {
      for (const [node, chart] of charts) if (part.contains(node)) await drawChart(node, chart);
      for (const map of maps) if (part.contains(map.node)) await map.draw();
    };
    let last = innerWidth, waiting = 0;
    addEventListener("resize", () => {
      if (innerWidth === last || printing) return;
      last = innerWidth;
      clearTimeout(waiting);
      waiting = setTimeout(repaint, 150);
    });
    document.querySelectorAll("details.section, details.fold").forEach((part) => part.addEventListener("toggle", () => part.open && drawWithin(part)));
    addEventListener("beforeprint", () => {
      printing = true;
      all().forEach((draw) => draw());
    });
    addEventListener("afterprint", () => { printing = false; repaint(); });
  }
  root.dataset.state = "ready";
}

start().catch((error) => {
  document.documentElement.dataset.state = "failed";
  document.querySelectorAll(".chart").forEach((node) => {
    node.classList.add("missing");
    node.textContent = "This chart needs a browser of 2023 or later. The tables beside it hold its numbers.";
  });
  console.error(error);
});
