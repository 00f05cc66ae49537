import type { RouteObject } from "react-router";

/** What keeps the house running: mails, and all that others connect to. */
export const houseRoutes: RouteObject[] = [
  { path: "people", lazy: async () => ({ Component: (await import("./people/People")).People }) },
  { path: "people/:id", lazy: async () => ({ Component: (await import("../support/person/PersonPage")).PersonPage }) },
  { path: "audit", lazy: async () => ({ Component: (await import("./audit/AuditLog")).AuditLog }) },
  { path: "mails", lazy: async () => ({ Component: (await import("./mails/Mails")).Mails }) },
  { path: "webhooks", lazy: async () => ({ Component: (await import("./webhooks/Webhooks")).Webhooks }) },
  { path: "webhooks/:id", lazy: async () => ({ Component: (await import("./webhooks/WebhookPage")).WebhookPage }) },
  { path: "tokens", lazy: async () => ({ Component: (await import("./tokens/Tokens")).Tokens }) },
  { path: "settings", lazy: async () => ({ Component: (await import("./settings/Settings")).Settings }) },
];
