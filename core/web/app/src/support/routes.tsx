import type { RouteObject } from "react-router";

import { SupportShell } from "./SupportShell";

/** The search, and the pages of what it finds. Most of them stand in the back office too. */
export const supportRoutes: RouteObject = {
  path: "support",
  element: <SupportShell />,
  children: [
    { index: true, lazy: async () => ({ Component: (await import("./Overview")).Overview }) },
    { path: "people/:id", lazy: async () => ({ Component: (await import("./person/PersonPage")).PersonPage }) },
    { path: "orders/:id", lazy: async () => ({ Component: (await import("../admin/orders/OrderPage")).OrderPage }) },
    { path: "affiliates/:id", lazy: async () => ({ Component: (await import("../admin/affiliates/Affiliate")).Affiliate }) },
    { path: "links/:id", lazy: async () => ({ Component: (await import("../admin/links/Link")).LinkPage }) },
    { path: "conversions/:id", lazy: async () => ({ Component: (await import("../admin/conversions/Conversion")).Conversion }) },
    { path: "clicks/:id", lazy: async () => ({ Component: (await import("./ClickPage")).ClickPage }) },
    { path: "system", lazy: async () => ({ Component: (await import("../admin/system/System")).System }) },
    { path: "mails/:id", lazy: async () => ({ Component: (await import("./MailPage")).MailPage }) },
  ],
};
