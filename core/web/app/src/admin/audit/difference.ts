// What an entry of the audit log changed, field by field.

export interface Change {
  field: string;
  /** Undefined: it was not there. */
  before?: string;
  after?: string;
}

/** Times of change say nothing that the entry itself does not. */
const silent = new Set(["updated_at"]);

/** One value for people. Undefined stays it. */
function shown(value: unknown): string | undefined {
  if (value === undefined || value === null || value === "") {
    return undefined;
  }
  return typeof value === "string" ? value : Array.isArray(value) && value.every((v) => typeof v !== "object") ? value.join(", ") : JSON.stringify(value);
}

/** Nested objects become paths, so that one changed amount is one line. */
function flat(value: unknown, path = "", into = new Map<string, unknown>()): Map<string, unknown> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    for (const [key, inner] of Object.entries(value)) {
      flat(inner, path ? `${path}.${key}` : key, into);
    }
  } else if (path) {
    into.set(path, value);
  }
  return into;
}

/** The fields in which two states differ, in the order in which they are written. */
export function difference(before: unknown, after: unknown): Change[] {
  const [a, b] = [flat(before), flat(after)];
  const list: Change[] = [];
  for (const field of new Set([...a.keys(), ...b.keys()])) {
    const change = { field, before: shown(a.get(field)), after: shown(b.get(field)) };
    if (change.before !== change.after && !silent.has(field.split(".").pop() ?? "")) {
      list.push(change);
    }
  }
  return list;
}

/** What stands for a state that was too large to keep. */
export function oversized(value: unknown): { oversized_bytes: number; sha256: string } | undefined {
  return typeof value === "object" && value !== null && "oversized_bytes" in value && "sha256" in value ? (value as { oversized_bytes: number; sha256: string }) : undefined;
}
