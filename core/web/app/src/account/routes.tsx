import type { RouteObject } from "react-router";

import { AccountShell } from "./AccountShell";

export const accountRoutes: RouteObject = {
  path: "account",
  element: <AccountShell />,
  children: [{ index: true, lazy: async () => ({ Component: (await import("./Overview")).Overview }) }],
};
