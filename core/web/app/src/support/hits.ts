import type { Schemas } from "../api/client";
import type { StaffArea } from "../admin/parts/area";

export type Hit = Schemas["SearchHit"];

// Kinds whose page is that of the order they belong to.
const ofOrder = new Set<Hit["kind"]>(["order", "document", "order_refund", "payment", "payment_refund", "payment_event"]);

/** The page of what was found; undefined: what the hit says is all that there is to see. */
export function pageOfHit(hit: Hit, area: StaffArea): string | undefined {
  if (ofOrder.has(hit.kind)) {
    return hit.order_id ? area.pageOf(hit.order_id) : undefined;
  }
  if (hit.kind === "click") {
    return `/support/clicks/${encodeURIComponent(hit.id)}`;
  }
  if (hit.kind === "mail") {
    return `/support/mails/${hit.id}`;
  }
  return area.pageOf(hit.id);
}

/** Hits by kind, each kind where its first hit is. */
export function byKind(hits: Hit[]): [Hit["kind"], Hit[]][] {
  const kinds = new Map<Hit["kind"], Hit[]>();
  for (const hit of hits) {
    kinds.set(hit.kind, [...(kinds.get(hit.kind) ?? []), hit]);
  }
  return [...kinds];
}
