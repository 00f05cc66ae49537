import type { RouteObject } from "react-router";

import { AdminShell } from "./AdminShell";
import { earningsRoutes } from "./earningsRoutes";
import { houseRoutes } from "./houseRoutes";
import { machineRoutes } from "./machineRoutes";
import { materialRoutes } from "./materialRoutes";
import { moneyRoutes } from "./moneyRoutes";
import { partnerRoutes } from "./partnerRoutes";
import { salesRoutes } from "./salesRoutes";
import { siteRoutes } from "./siteRoutes";

export const adminRoutes: RouteObject = {
  path: "admin",
  element: <AdminShell />,
  children: [
    { index: true, lazy: async () => ({ Component: (await import("./Overview")).Overview }) },
    ...partnerRoutes,
    ...materialRoutes,
    ...earningsRoutes,
    { path: "analytics", lazy: async () => ({ Component: (await import("./Analytics")).Analytics }) },
    ...salesRoutes,
    ...moneyRoutes,
    ...houseRoutes,
    ...siteRoutes,
    ...machineRoutes,
  ],
};
