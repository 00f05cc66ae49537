import { Badge } from "@mantine/core";

import { text } from "../text";

const good = new Set(["active", "booked", "paid", "accepted", "completed", "succeeded", "delivered", "sent", "done", "ok", "resolved", "closed", "approved", "taken"]);
const bad = new Set(["failed", "refused", "rejected", "dead", "charged_back", "disputed", "suspended", "erased", "returned", "declined"]);
const asks = new Set(["pending", "waiting", "submitted", "review", "open", "unknown", "stray", "awaiting", "executing", "sending", "reserved", "created"]);

/** The state of a thing in words, with a colour that says whether it is well, waits, or went wrong. */
export function StateBadge({ state, label }: { state: string; label?: string }) {
  const color = good.has(state) ? "teal" : bad.has(state) ? "red" : asks.has(state) ? "orange" : "gray";
  return (
    <Badge variant="light" color={color} tt="none" fw={600} style={{ flex: "none", minWidth: "max-content" }}>
      {label ?? text.states[state] ?? state}
    </Badge>
  );
}
