// A record while it is worked on: values by path, and what formulas make of them where it is asked for.
// Its own state stands under "$", which no field can be called.

/** Makes records of an object in a form. `keys` goes before the names of its formulas: "lines/". */
export function recordsOf(live, plan, keys) {
  const shape = Object.create(null);
  const define = (path, get) => Object.defineProperty(shape, path, { get, enumerable: true });
  const innerOf = (path) => (path.startsWith("config.") ? path : path.slice(plan.by.length + 1));
  for (const path of plan.paths) define(path, function () { return this.$.values[path] ?? null; });
  for (const path of plan.ownerPaths) define(path, function () { return this.$.owner?.[innerOf(path)] ?? null; });
  for (const [name, worked] of Object.entries(plan.worked)) {
    define(name, function () { return this.$.once(name, () => fitted(live.fs, worked.fit, work(live, worked, keys, this))); });
  }
  return {
    read: plan.ownerPaths.map(innerOf),
    make: (values, prior, owner = null) => Object.create(shape, { $: { value: new State(values, prior, owner) } }),
  };
}

class State {
  constructor(values, prior, owner) {
    Object.assign(this, { values: { ...values }, prior, owner, made: new Map(), isChanged: true });
  }

  set(path, value) {
    this.values[path] = value;
    this.forget();
  }

  /** What is asked for next is worked out anew. */
  forget() {
    this.made.clear();
    this.isChanged = true;
  }

  /** Once; what is worked out from itself is blank. */
  once(name, make) {
    if (!this.made.has(name)) {
      this.made.set(name, null);
      this.made.set(name, make());
    }
    return this.made.get(name);
  }
}

/** A formula field, or a roll-up over the lines of the form. */
function work(live, worked, keys, record) {
  if (worked.formula) return live.value(keys + worked.formula, record);
  const { fs } = live;
  const counts = (line) => !worked.among || live.value(`${worked.lines}/${worked.among}`, line) === true;
  const among = (record[worked.lines] ?? []).filter(counts);
  if (worked.operation === "count") return String(among.length);
  const values = among.map((line) => line[worked.measured] ?? null).filter((value) => value !== null);
  if (worked.operation === "max" || worked.operation === "min") {
    const found = worked.kind === "number" ? values.map(fs.number) : values;
    return fs.shown(fs.extreme(found, worked.operation === "max" ? 1 : -1));
  }
  const total = values.reduce((sum, value) => sum + fs.number(value), 0n);
  if (worked.operation === "sum") return fs.plain(total);
  return values.length ? fs.shown(fs.arithmetic("/", total, fs.whole(values.length))) : null;
}

/** A number has the decimal places of its field. */
export function fitted(fs, scale, value) {
  if (value === null || scale === null || scale === undefined) return value;
  return fs.shown(fs.fitted(fs.number(value), scale));
}
