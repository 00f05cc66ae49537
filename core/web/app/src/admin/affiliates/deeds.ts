// What can be done to an affiliate, and what the request for it is.
import { ok } from "../../api/call";
import { client, type Schemas } from "../../api/client";

export type Deed = "approve" | "refuse" | "suspend" | "activate";

export function patchOf(deed: Deed): { status: "active" | "suspended" } {
  return { status: deed === "approve" || deed === "activate" ? "active" : "suspended" };
}

/** Which of them fit an affiliate. */
export function deedsFor(status: Schemas["Affiliate"]["status"]): Deed[] {
  return status === "pending" ? ["approve", "refuse"] : status === "active" ? ["suspend"] : ["activate"];
}

export function change(id: string, body: Schemas["AffiliatePatchRequest"]) {
  return ok(client.PATCH("/api/v1/affiliates/{id}", { params: { path: { id } }, body }));
}
