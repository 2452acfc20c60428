/* Numbers: each is a link to how it was computed. Here a card beside the number tells it, with the
   value in full, the stage that computed it and what went in. */
const piece = (tag, name, text) => {
  const node = document.createElement(tag);
  if (name) node.className = name;
  if (text !== undefined) node.textContent = text;
  return node;
};

const short = (text) => (/^[0-9a-f]{24,}$/.test(text) ? `${text.slice(0, 12)}…` : text);

/* The rows of the manifest that a row was made from, down to the files. */
function sources(row, seen = new Set()) {
  if (seen.has(row)) return [];
  seen.add(row);
  const needs = [...row.querySelectorAll("td:last-child a")].map((a) => byId(a.hash.slice(1)));
  return needs.length ? needs.flatMap((need) => sources(need, seen)) : [row];
}

function entry(row) {
  const line = piece("span", "line");
  const link = piece("a", "", row.cells[0].textContent);
  link.href = `#${row.id}`;
  line.append(link, " ", piece("code", "", short(row.cells[1].textContent)));
  return line;
}

function provenance(row) {
  const box = piece("div", "from");
  box.append(piece("span", "label", "Manifest"), entry(row));
  const roots = sources(row).filter((root) => root !== row && root.id !== "manifest-seed");
  const seed = byId("manifest-seed");
  if (seed) roots.push(seed);
  if (roots.length) box.append(piece("span", "label", "What went in"));
  const shown = roots.length > 5 ? [...roots.slice(0, 3), ...roots.slice(-1)] : roots;
  box.append(...shown.map(entry));
  if (shown.length < roots.length) box.append(piece("span", "line", `and ${roots.length - shown.length} more`));
  return box;
}

/* What was pointed at, in words: the table's row and column, or the name of the entry. */
function called(link, told) {
  const cell = link.closest("td");
  const name = told.querySelector("dt").textContent;
  if (!cell) return link.closest("li, figure")?.querySelector(".label, .caption")?.textContent ?? name;
  const heading = cell.closest("table").tHead.rows[0].cells[cell.cellIndex].querySelector("span").textContent;
  const labels = [...cell.parentElement.querySelectorAll("th")].map((th) => th.textContent);
  return [...labels, heading].filter(Boolean).join(" · ");
}

class Card {
  constructor() {
    this.node = piece("aside", "card");
    this.node.id = "card";
    this.node.setAttribute("role", "dialog");
    this.node.setAttribute("aria-label", "How this number was computed");
    this.node.tabIndex = -1;
    this.node.hidden = true;
    this.link = null;
    document.body.append(this.node);
  }

  open(link) {
    const told = byId(link.hash.slice(1));
    if (!told) return;
    this.close();
    this.link = link;
    link.setAttribute("aria-expanded", "true");
    const full = (link.closest("td") ?? link.closest(".value"))?.dataset ?? {};
    const shut = piece("button", "shut", "×");
    shut.type = "button";
    shut.setAttribute("aria-label", "Close");
    shut.addEventListener("click", () => this.close(true));
    this.node.replaceChildren(shut, piece("strong", "", called(link, told)));
    if (full.v) this.node.append(piece("code", "full", full.t ? `${full.v} (t ${full.t})` : full.v));
    const words = told.querySelector("dd").cloneNode(true);
    const target = words.querySelector("a");
    const row = target && byId(target.hash.slice(1));
    target?.remove();
    this.node.append(...words.children);
    if (row) this.node.append(provenance(row));
    this.node.hidden = false;
    this.place(link);
    this.node.focus({ preventScroll: true });
  }

  place(link) {
    const box = link.getBoundingClientRect();
    const { offsetWidth: width, offsetHeight: height } = this.node;
    const edge = document.documentElement.clientWidth - width - 12;
    const below = box.bottom + 8 + height < innerHeight || box.top < height + 16;
    this.node.style.left = `${Math.max(12, Math.min(box.left - 16, edge)) + scrollX}px`;
    this.node.style.top = `${(below ? box.bottom + 8 : box.top - height - 8) + scrollY}px`;
  }

  close(back = false) {
    if (!this.link) return;
    const link = this.link;
    this.link = null;
    this.node.hidden = true;
    link.removeAttribute("aria-expanded");
    if (back) link.focus({ preventScroll: true });
  }
}

/* One stop of the tab key per table; the arrows walk from number to number. */
const STEPS_BY_KEY = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

function walk(table) {
  table.querySelectorAll("tbody a.num").forEach((link, i) => { link.tabIndex = i ? -1 : 0; });
  table.addEventListener("keydown", (event) => {
    const step = STEPS_BY_KEY[event.key];
    let cell = step && event.target.matches("a.num") && event.target.closest("td");
    if (!cell) return;
    event.preventDefault();
    const rows = [...table.tBodies[0].rows];
    let next = null;
    while (cell && !next) {
      cell = rows[rows.indexOf(cell.parentElement) + step[0]]?.cells[cell.cellIndex + step[1]];
      next = cell?.querySelector("a.num");
    }
    if (!next) return;
    event.target.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  });
}

function wireNumbers() {
  const card = new Card();
  document.querySelectorAll("table.grid").forEach(walk);
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a.num");
    if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      event.preventDefault();
      if (link === card.link) card.close(true);
      else card.open(link);
    } else if (!card.node.contains(event.target) || event.target.closest("a")) card.close();
  });
  addEventListener("keydown", (event) => { if (event.key === "Escape") card.close(true); });
  addEventListener("resize", () => card.close());
}
