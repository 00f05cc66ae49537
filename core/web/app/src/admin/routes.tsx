import type { RouteObject } from "react-router";

import { AdminShell } from "./AdminShell";
import { moneyRoutes } from "./moneyRoutes";
import { salesRoutes } from "./salesRoutes";

export const adminRoutes: RouteObject = {
  path: "admin",
  element: <AdminShell />,
  children: [
    { index: true, lazy: async () => ({ Component: (await import("./Overview")).Overview }) },
    ...salesRoutes,
    ...moneyRoutes,
  ],
};
