// The order of rows, as tables of all sizes have it.

/** What rows are sorted by. */
export interface Sortable<T> {
  key: string;
  /** Amounts: minor units; times: as the API gives them. */
  value: (row: T) => string | number;
}

export interface Order {
  key: string;
  down: boolean;
}

/** A press on a heading: upwards, downwards, as it was. */
export function pressed(now: Order | undefined, key: string): Order | undefined {
  return now?.key !== key ? { key, down: false } : now.down ? undefined : { key, down: true };
}

const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });

/** The rows in an order, the given ones untouched; equal ones stay as they are. */
export function ordered<T>(rows: readonly T[], columns: readonly Sortable<T>[], order: Order | undefined): readonly T[] {
  const column = columns.find((c) => c.key === order?.key);
  if (!column || !order) {
    return rows;
  }
  return [...rows].sort((a, b) => {
    const [x, y] = [column.value(a), column.value(b)];
    const by = typeof x === "number" && typeof y === "number" ? x - y : collator.compare(String(x), String(y));
    return order.down ? -by : by;
  });
}
