import type { RouteObject } from "react-router";

import { AccountShell } from "./AccountShell";

export const accountRoutes: RouteObject = {
  path: "account",
  element: <AccountShell />,
  children: [
    { index: true, lazy: async () => ({ Component: (await import("./Profile")).Profile }) },
    { path: "security", lazy: async () => ({ Component: (await import("./security/Security")).Security }) },
    { path: "orders", lazy: async () => ({ Component: (await import("./Orders")).Orders }) },
    { path: "orders/:id", lazy: async () => ({ Component: (await import("./OrderPage")).OrderPage }) },
  ],
};
