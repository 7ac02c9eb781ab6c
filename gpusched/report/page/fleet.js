// Each node's GPUs at one moment: squares where pods are known, a bar where there are too many.
const MOST_SQUARES = 4096;
class Fleet {
  constructor(place, onChoose) {
    const gpus = data.nodes.reduce((sum, node) => sum + node[2], 0);
    this.squares = gpus <= MOST_SQUARES;
    this.cards = data.nodes.slice(0, this.squares ? undefined : 500).map(([name, pool, lanes]) => {
      const card = element("div", "node");
      card.append(element("h3", "", name), element("p", "", pool), this.squares ? element("div", "gpus") : element("div", "bar"));
      if (this.squares) for (let lane = 0; lane < lanes; lane++) card.lastChild.append(this.square(onChoose));
      else card.lastChild.append(element("i"));
      place.append(card);
      return card;
    });
  }
  square(onChoose) {
    const square = element("button", "gpu");
    square.type = "button";
    square.addEventListener("click", () => onChoose(Number(square.dataset.pod)));
    return square;
  }
  /** Show a moment; returns how many GPUs are in use and how many there are. */
  show(at) {
    const held = holders(at), used = usedAt(at);
    const total = data.nodes.reduce((sum, _, n) => sum + offered(n, at), 0);
    this.cards.forEach((card, n) => {
      const [, pool, lanes] = data.nodes[n];
      card.children[1].textContent = `${pool}: ${used[n]} of ${offered(n, at)} in use`;
      if (!this.squares) card.lastChild.firstChild.style.width = `${100 * used[n] / lanes}%`;
      else [...card.lastChild.children].forEach((square, lane) => this.paint(square, held ? held[n][lane] : NEVER, lane, n, at, used[n]));
    });
    return { used: used.reduce((sum, count) => sum + count, 0), total };
  }
  paint(square, p, lane, n, at, used) {
    const taken = barsShown ? p !== NEVER : lane < used;
    square.classList.toggle("used", taken);
    square.classList.toggle("gone", lane >= offered(n, at) && !taken);
    square.style.background = taken ? (p === NEVER ? "var(--accent)" : podColour(p)) : "";
    square.disabled = p === NEVER;
    square.dataset.pod = p;
    square.title = p === NEVER ? (taken ? "in use" : "free") : fullName(p);
    square.setAttribute("aria-label", `GPU ${lane}: ${square.title}`);
  }
}
