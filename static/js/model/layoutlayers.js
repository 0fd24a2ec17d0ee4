/**
 * Who calls stands left of whom it calls: layers by the longest path, order by barycentre, no physics. A pure function of
 * the graph and of where cards stood before: what is known stays, a newcomer takes a free place of its column, a leaver leaves a hole.
 */
import { surround } from "./layout.js";
import { byAge } from "./slots.js";

/** @typedef {import("./layout.js").Box} Box */
/** @typedef {import("./layout.js").Rect} Rect */
/** @typedef {import("./calls.js").Unit} Unit */
/** @typedef {import("./calls.js").Arc} Arc */
/** @typedef {Map<string, {x: number, y: number}>} Spots */
/** @typedef {{boxes: Map<string, Box>, panels: Map<string, any>, bounds: Rect, frame: Rect, tray: Rect|null, spots: Spots, columns: number[], heads: {text: string, x: number, y: number}[], pinned: Set<string>}} Layered */

export const SPACE = { column: 100, row: 24, sub: 56, tray: 96, head: 44, grid: 4 };
const TARGET = { w: 1900, h: 1000 };
const SWEEPS = 6;
/** How much smaller everything would be. */
const FOLD = 2;

/**
 * @param {Unit[]} units @param {Arc[]} arcs between cards
 * @param {Layered|null} [before] @param {Spots} [moved] where a person put cards
 * @returns {Layered}
 */
export function layered(units, arcs, before = null, moved = new Map()) {
  const spots = before?.spots.size ? grown(units, arcs, before, moved) : fresh(units, arcs);
  const boxes = place(units, shifted(units, spots), moved);
  const tray = trayOf(units, boxes);
  const columns = before?.columns.length ? before.columns : [...new Set([...spots.values()].map((spot) => spot.x))].sort((a, b) => a - b);
  const heads = headsOf(units, boxes, moved);
  const outside = new Set(units.filter((unit) => unit.side).map((unit) => unit.id));
  const within = [...[...boxes.values()].filter((box) => !outside.has(box.id)), ...(tray ? [tray] : [])];
  const inner = surround(within.length ? within : [{ x: 300, y: 0, w: 600, h: 300 }], 30);
  const frame = { ...inner, y: inner.y - SPACE.head, h: inner.h + SPACE.head };
  const bounds = surround([frame, ...boxes.values(), ...heads.map(({ x, y }) => ({ x: x - 90, y: y - 20, w: 180, h: 20 }))], 30);
  return { boxes, panels: new Map(), bounds, frame, tray, spots, columns, heads, pinned: new Set([...moved.keys()].filter((id) => boxes.has(id))) };
}

/** @param {Unit[]} units @param {Spots} spots @param {Spots} moved @returns {Map<string, Box>} who goes along with somebody stands beside them */
function place(units, spots, moved) {
  const boxes = new Map();
  for (const unit of units) {
    const cards = new Map(unit.cards.map((card) => [card.id, card]));
    for (const card of unit.cards) {
      const host = card.goes ? cards.get(card.goes) : undefined;
      const along = (/** @type {{x: number, y: number}|undefined} */ by) => host && by && { x: by.x + card.dx - host.dx, y: by.y + card.dy - host.dy };
      const spot = moved.get(card.id) ?? along(moved.get(host?.id ?? "")) ?? spots.get(card.id) ?? along(spots.get(host?.id ?? "")) ?? { x: 0, y: 0 };
      boxes.set(card.id, { id: card.id, kind: card.kind, x: spot.x, y: spot.y, w: card.w, h: card.h });
    }
  }
  return boxes;
}

/** What was opened pushes its column down and the columns right of it to the right; closed again, everything is back. @param {Unit[]} units @param {Spots} spots */
function shifted(units, spots) {
  if (!units.some((unit) => unit.extra?.w || unit.extra?.h)) return spots;
  const tops = units.map((unit) => ({ unit, spot: /** @type {{x: number, y: number}} */ (spots.get(unit.cards[0].id)) })).filter(({ spot }) => spot);
  const right = (/** @type {{unit: Unit, spot: {x: number}}} */ one) => one.spot.x + one.unit.w;
  const out = new Map(spots);
  for (const { unit, spot } of tops) {
    const before = tops.filter((one) => right(one) <= spot.x && one.unit.extra?.w);
    const columns = new Map(before.map((one) => [one.spot.x, Math.max(...before.filter((other) => other.spot.x === one.spot.x).map((other) => other.unit.extra?.w ?? 0))]));
    const dx = [...columns.values()].reduce((sum, w) => sum + w, 0);
    const dy = tops.filter((one) => one.spot.y < spot.y && one.spot.x < spot.x + unit.w && spot.x < right(one)).reduce((sum, one) => sum + (one.unit.extra?.h ?? 0), 0);
    for (const card of unit.cards) {
      const at = spots.get(card.id);
      if (at) out.set(card.id, { x: at.x + dx, y: at.y + dy });
    }
  }
  return out;
}

/** The words above those who are outside. @param {Unit[]} units @param {Map<string, Box>} boxes @param {Spots} moved */
function headsOf(units, boxes, moved) {
  return /** @type {["left"|"right", string][]} */ ([["left", "INTERNET"], ["right", "EXTERNAL"]]).flatMap(([side, text]) => {
    const all = units.filter((unit) => unit.side === side && !unit.gate && !moved.has(unit.id)).map((unit) => /** @type {Box} */ (boxes.get(unit.id)));
    if (!all.length) return [];
    return [{ text, x: all[0].x + all[0].w / 2, y: Math.min(...all.map((box) => box.y)) - 16 }];
  });
}

/** @param {Unit[]} units @param {Map<string, Box>} boxes @returns {Rect|null} around those nobody calls */
function trayOf(units, boxes) {
  const quiet = units.filter((unit) => unit.quiet).flatMap((unit) => unit.cards.map((card) => /** @type {Box} */ (boxes.get(card.id))));
  const tray = quiet.length ? surround(quiet, 24) : null;
  return tray && { ...tray, y: tray.y - 28, h: tray.h + 28 };
}

/** @param {Unit[]} units @param {Arc[]} arcs @returns {Map<string, string[]>[]} whom each unit calls, who calls it */
function neighbours(units, arcs) {
  const owner = new Map(units.flatMap((unit) => unit.cards.map((card) => [card.id, unit.id])));
  const [next, last] = [new Map(), new Map()];
  for (const { from, to } of arcs) {
    const [a, b] = [owner.get(from), owner.get(to)];
    if (a === undefined || b === undefined || a === b) continue;
    next.set(a, [...new Set([...(next.get(a) ?? []), b])]);
    last.set(b, [...new Set([...(last.get(b) ?? []), a])]);
  }
  return [next, last];
}

/**
 * The layer of each unit. A call that closes a circle does not count.
 * @param {Unit[]} units by age @param {Map<string, string[]>} next @param {Map<string, string[]>} last @returns {Map<string, number>}
 */
export function layersOf(units, next, last) {
  const order = circleFree(units, next, last);
  const rank = new Map(order.map((id, i) => [id, i]));
  const ahead = (/** @type {string} */ id) => (next.get(id) ?? []).filter((to) => /** @type {number} */ (rank.get(to)) > /** @type {number} */ (rank.get(id)));
  const sides = new Map(units.map((unit) => [unit.id, unit.side]));
  const gates = new Set(units.filter((unit) => unit.gate).map((unit) => unit.id));
  const layers = new Map(order.map((id) => [id, gates.has(id) ? 1 : sides.get(id) === "left" ? 0 : gates.size ? 2 : 1]));
  for (const id of order) for (const to of ahead(id)) layers.set(to, Math.max(/** @type {number} */ (layers.get(to)), /** @type {number} */ (layers.get(id)) + 1));
  for (const id of [...order].reverse()) {
    const after = ahead(id).map((to) => /** @type {number} */ (layers.get(to)));
    if (after.length && !(last.get(id) ?? []).length && sides.get(id) !== "left") layers.set(id, Math.max(gates.size ? 2 : 1, Math.min(...after) - 1));
  }
  const end = Math.max(1, ...units.filter((unit) => unit.side !== "right").map((unit) => /** @type {number} */ (layers.get(unit.id))));
  for (const unit of units) if (unit.side === "right") layers.set(unit.id, end + 1);
  return layers;
}

/** An order in which callers come first, as far as there is one. */
function circleFree(/** @type {Unit[]} */ units, /** @type {Map<string, string[]>} */ next, /** @type {Map<string, string[]>} */ last) {
  const state = new Map();
  /** @type {string[]} */
  const done = [];
  const sides = ["left", "", "right"];
  const entry = (/** @type {Unit} */ unit) => (last.has(unit.id) ? 1 : 0);
  const starts = [...units].sort((a, b) => sides.indexOf(a.side) - sides.indexOf(b.side) || entry(a) - entry(b) || byAge(a, b));
  for (const start of starts) {
    const stack = state.has(start.id) ? [] : [{ id: start.id, at: 0 }];
    if (stack.length) state.set(start.id, "open");
    while (stack.length) {
      const top = stack[stack.length - 1];
      const to = (next.get(top.id) ?? [])[top.at];
      top.at += 1;
      if (to === undefined) done.push(/** @type {{id: string}} */ (stack.pop()).id);
      else if (!state.has(to)) {
        state.set(to, "open");
        stack.push({ id: to, at: 0 });
      }
    }
  }
  return done.reverse();
}

/** @param {Unit[]} units @param {Arc[]} arcs @returns {Spots} */
function fresh(units, arcs) {
  const [next, last] = neighbours(units, arcs);
  const loud = units.filter((unit) => !unit.quiet).sort(byAge);
  const layers = layersOf(loud, next, last);
  const deepest = Math.max(0, ...layers.values());
  const filled = folded(Array.from({ length: deepest + 1 }, (_, layer) => loud.filter((unit) => layers.get(unit.id) === layer)).filter((row) => row.length));
  arrange(filled, next, last);
  const columns = wrap(filled);
  const middles = settle(columns, next, last);
  const spots = new Map();
  let x = 0;
  let bottom = 0;
  columns.forEach((column, i) => {
    for (const unit of column.units) {
      const y = /** @type {number} */ (middles.get(unit.id)) - unit.h / 2;
      bottom = Math.max(bottom, y + unit.h);
      put(spots, unit, x + (unit.side === "right" ? 0 : column.w - unit.w) / (unit.side ? 1 : 2), y);
    }
    x += column.w + (columns[i + 1]?.layer === column.layer ? SPACE.sub : SPACE.column);
  });
  const inner = loud.filter((unit) => !unit.side).flatMap((unit) => unit.cards.map((card) => spots.get(card.id)?.x ?? Infinity));
  const left = inner.length ? Math.min(...inner) : 0;
  rest(units.filter((unit) => unit.quiet).sort(byAge), { left, top: loud.length ? bottom + SPACE.tray : 0, right: Math.max(left + 1100, x - SPACE.column) }, spots);
  return spots;
}

/** What an opened panel shows stands in its rows and has no place of its own. @param {import("./calls.js").Card} card @param {Unit} unit */
function inside(card, unit) {
  return card.goes !== undefined && unit.extra !== undefined;
}

/** @param {Spots} spots @param {Unit} unit @param {number} x @param {number} y */
function put(spots, unit, x, y) {
  const snap = (/** @type {number} */ value) => Math.round(value / SPACE.grid) * SPACE.grid;
  for (const card of unit.cards) if (!inside(card, unit)) spots.set(card.id, { x: snap(x) + card.dx, y: snap(y) + card.dy });
}

/** Whoever is called by nobody and calls nobody: rows under the rest. */
function rest(/** @type {Unit[]} */ units, /** @type {{left: number, top: number, right: number}} */ { left, top, right }, /** @type {Spots} */ spots) {
  let [x, y, tall] = [left, top, 0];
  for (const unit of units) {
    if (x > left && x + unit.w > right) [x, y, tall] = [left, y + tall + SPACE.row, 0];
    put(spots, unit, x, y);
    x += unit.w + SPACE.sub / 2;
    tall = Math.max(tall, unit.h);
  }
}

/** Sorts each layer by the middle of its neighbours, forth and back; equal ones by age. @param {Unit[][]} rows */
function arrange(rows, /** @type {Map<string, string[]>} */ next, /** @type {Map<string, string[]>} */ last) {
  for (let sweep = 0; sweep < SWEEPS; sweep += 1) {
    const down = sweep % 2 === 0;
    const order = down ? rows.slice(1) : rows.slice(0, -1).reverse();
    const place = new Map(rows.flatMap((row) => row.map((unit, i) => /** @type {[string, number]} */ ([unit.id, (i + 0.5) / row.length]))));
    for (const row of order) {
      const key = new Map(row.map((unit, i) => {
        const near = ((down ? last : next).get(unit.id) ?? []).map((id) => place.get(id)).filter((at) => at !== undefined);
        return [unit.id, near.length ? near.reduce((sum, at) => sum + at, 0) / near.length : (i + 0.5) / row.length];
      }));
      row.sort((a, b) => /** @type {number} */ (key.get(a.id)) - /** @type {number} */ (key.get(b.id)) || byAge(a, b));
      row.forEach((unit, i) => { place.set(unit.id, (i + 0.5) / row.length); });
    }
  }
}

/** Where many call each other in circles a layer holds one or two: neighbours share a column, until the whole is about as wide as a screen. @param {Unit[][]} rows @returns {Unit[][]} */
function folded(rows) {
  const inner = rows.filter((row) => row.every((unit) => !unit.side));
  const sizes = inner.map((row) => ({ w: Math.max(...row.map((unit) => unit.w)) + SPACE.column, h: row.reduce((sum, unit) => sum + unit.h + SPACE.row, 0) }));
  const total = sizes.reduce((sum, size) => sum + size.h, 0);
  const widest = Math.max(0, ...sizes.map((size) => size.w));
  const need = (/** @type {number} */ columns, /** @type {number} */ tall) => Math.max((columns * widest) / TARGET.w, tall / TARGET.h);
  const now = need(inner.length, Math.max(0, ...sizes.map((size) => size.h)));
  const best = inner.map((_, i) => i + 1).reduce((least, columns) => (need(columns, total / columns) < need(least, total / least) ? columns : least), inner.length);
  // A layer each is easier to read: given up only where it would make everything a good deal smaller.
  if (now < FOLD * need(best, total / best)) return rows;
  /** @type {Unit[][]} */
  const columns = Array.from({ length: best }, () => []);
  let seen = 0;
  inner.forEach((row, i) => {
    for (const unit of row) columns[Math.min(best - 1, Math.floor(((seen + sizes[i].h / 2) / total) * best))].push(unit);
    seen += sizes[i].h;
  });
  const first = rows.findIndex((row) => inner.includes(row));
  return [...rows.slice(0, first), ...columns.filter((column) => column.length), ...rows.slice(first).filter((row) => !inner.includes(row))];
}

/** Cuts tall layers into columns side by side, so that the whole is about as wide as a screen. @param {Unit[][]} rows */
function wrap(rows) {
  const cut = (/** @type {number} */ most) => rows.flatMap((row, layer) => chunks(row, most).map((units) => ({ layer, units, w: Math.max(...units.map((unit) => unit.w)) })));
  const tall = (/** @type {Unit[]} */ units) => units.reduce((sum, unit) => sum + unit.h + SPACE.row, 0);
  let [best, least] = [cut(Infinity), Infinity];
  for (const most of [Infinity, 6000, 4500, 3400, 2600, 2000, 1500, 1200, 950, 760]) {
    const columns = cut(most);
    const w = columns.reduce((sum, column) => sum + column.w + SPACE.column, 0);
    const need = Math.max(w / TARGET.w, Math.max(0, ...columns.map((column) => tall(column.units))) / TARGET.h);
    if (need < least - 0.01) [best, least] = [columns, need];
  }
  return best;
}

/** @param {Unit[]} row @param {number} most px @returns {Unit[][]} of about equal height */
function chunks(row, most) {
  const total = row.reduce((sum, unit) => sum + unit.h + SPACE.row, 0);
  const parts = Math.max(1, Math.ceil(total / most));
  /** @type {Unit[][]} */
  const out = Array.from({ length: parts }, () => []);
  let seen = 0;
  for (const unit of row) {
    out[Math.min(parts - 1, Math.floor((seen / total) * parts))].push(unit);
    seen += unit.h + SPACE.row;
  }
  return out.filter((part) => part.length);
}

/** The height of every unit: as near to its neighbours as the order allows. @returns {Map<string, number>} the middle of each */
function settle(/** @type {{units: Unit[]}[]} */ columns, /** @type {Map<string, string[]>} */ next, /** @type {Map<string, string[]>} */ last) {
  /** @type {Map<string, number>} */
  const middles = new Map();
  const tall = (/** @type {Unit[]} */ units) => units.reduce((sum, unit) => sum + unit.h + SPACE.row, -SPACE.row);
  const most = Math.max(0, ...columns.map(({ units }) => tall(units)));
  for (const { units } of columns) {
    let y = (most - tall(units)) / 2;
    for (const unit of units) {
      middles.set(unit.id, y + unit.h / 2);
      y += unit.h + SPACE.row;
    }
  }
  for (let sweep = 0; sweep < SWEEPS; sweep += 1) {
    for (const { units } of sweep % 2 ? [...columns].reverse() : columns) {
      const wanted = units.map((unit) => {
        const near = [...(next.get(unit.id) ?? []), ...(last.get(unit.id) ?? [])].map((id) => middles.get(id)).filter((y) => y !== undefined);
        const mine = /** @type {number} */ (middles.get(unit.id));
        return near.length ? (near.reduce((sum, y) => sum + y, 0) / near.length + mine) / 2 : mine;
      });
      spread(units, wanted, most).forEach((y, i) => { middles.set(units[i].id, y); });
    }
  }
  return middles;
}

/** As wanted, but in order, apart, and between 0 and `most`. @param {Unit[]} units @param {number[]} wanted middles @param {number} most */
function spread(units, wanted, most) {
  const out = [...wanted];
  let top = 0;
  units.forEach((unit, i) => {
    out[i] = Math.max(out[i], top + unit.h / 2);
    top = out[i] + unit.h / 2 + SPACE.row;
  });
  let bottom = most;
  for (let i = units.length - 1; i >= 0; i -= 1) {
    out[i] = Math.min(out[i], bottom - units[i].h / 2);
    bottom = out[i] - units[i].h / 2 - SPACE.row;
  }
  return out;
}

/** Who was there stays; a newcomer stands in the column after its callers, where there is room. */
function grown(/** @type {Unit[]} */ units, /** @type {Arc[]} */ arcs, /** @type {Layered} */ before, /** @type {Spots} */ moved) {
  /** @type {Spots} */
  const spots = new Map();
  for (const card of units.flatMap((unit) => unit.cards)) {
    const known = before.spots.get(card.id);
    if (known) spots.set(card.id, known);
  }
  const seated = (/** @type {import("./calls.js").Card} */ card) => spots.has(card.id);
  const settled = units.map((unit) => ({ ...unit, cards: unit.cards.filter(seated) }));
  /** @type {Rect[]} */
  const taken = [...place(settled, spots, moved).values()];
  for (const unit of [...units].sort(byAge)) {
    const strange = unit.cards.filter((card) => !seated(card) && !inside(card, unit));
    if (!strange.length) continue;
    const host = unit.cards.find((card) => before.spots.has(card.id));
    const anchor = host && /** @type {{x: number, y: number}} */ (before.spots.get(host.id));
    if (host && anchor) {
      for (const card of strange) {
        const spot = free({ x: anchor.x - host.dx + card.dx, y: anchor.y - host.dy + card.dy, w: card.w, h: card.h }, taken);
        spots.set(card.id, spot);
        taken.push({ ...spot, w: card.w, h: card.h });
      }
    } else {
      const spot = free({ ...wish(unit, arcs, spots, before), w: unit.w, h: unit.h }, taken);
      put(spots, unit, spot.x, spot.y);
      taken.push({ ...spot, w: unit.w, h: unit.h });
    }
  }
  return spots;
}

/** @param {Unit} unit @param {Arc[]} arcs @param {Spots} spots @param {Layered} before @returns {{x: number, y: number}} where it would like to stand */
function wish(unit, arcs, spots, before) {
  const { columns, frame, tray } = before;
  if (unit.quiet) return tray ? { x: tray.x + 24, y: tray.y + 60 } : { x: columns[0] ?? 0, y: frame.y + frame.h + 20 };
  if (unit.side) return { x: (unit.side === "left" ? columns[0] : columns[columns.length - 1]) ?? 0, y: frame.y + SPACE.head + 40 };
  const mine = new Set(unit.cards.map((card) => card.id));
  const callers = arcs.filter((arc) => mine.has(arc.to)).map((arc) => spots.get(arc.from)).filter((spot) => spot !== undefined);
  const after = callers.length ? Math.max(...callers.map((spot) => spot.x)) : -Infinity;
  const x = columns.find((column) => column > after + 40) ?? columns[columns.length - 1] ?? 0;
  return { x, y: callers.length ? Math.round(callers.reduce((sum, spot) => sum + spot.y, 0) / callers.length / SPACE.grid) * SPACE.grid : 0 };
}

/** The free place of this size nearest above or below. @param {Rect} rect @param {Rect[]} taken @returns {{x: number, y: number}} */
export function free(rect, taken) {
  const walls = taken.filter((one) => one.x < rect.x + rect.w + 8 && rect.x < one.x + one.w + 8);
  const hit = (/** @type {number} */ y) => walls.some((one) => one.y < y + rect.h + 12 && y < one.y + one.h + 12);
  const tries = [rect.y, ...walls.flatMap((one) => [one.y + one.h + SPACE.row, one.y - rect.h - SPACE.row])];
  const fits = tries.filter((y) => !hit(y)).sort((a, b) => Math.abs(a - rect.y) - Math.abs(b - rect.y) || b - a);
  return { x: rect.x, y: fits[0] ?? rect.y };
}
