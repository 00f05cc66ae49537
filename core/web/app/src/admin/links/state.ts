import type { Schemas } from "../../api/client";

/** What a link does now: one that has ended is active by its status. */
export function linkState(link: Schemas["Link"]): string {
  return link.status === "active" && link.expires_at && new Date(link.expires_at) <= new Date() ? "expired" : link.status;
}
