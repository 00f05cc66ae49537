import type { RouteObject } from "react-router";

import { SupportShell } from "./SupportShell";

export const supportRoutes: RouteObject = {
  path: "support",
  element: <SupportShell />,
  children: [{ index: true, lazy: async () => ({ Component: (await import("./Overview")).Overview }) }],
};
