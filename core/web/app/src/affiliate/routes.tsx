import type { RouteObject } from "react-router";

import { AffiliateShell } from "./AffiliateShell";
import { clickRoutes } from "./clickRoutes";
import { earningRoutes } from "./earningRoutes";

export const affiliateRoutes: RouteObject = {
  path: "affiliate",
  element: <AffiliateShell />,
  children: [
    { index: true, lazy: async () => ({ Component: (await import("./overview/Overview")).Overview }) },
    ...clickRoutes,
    ...earningRoutes,
  ],
};
