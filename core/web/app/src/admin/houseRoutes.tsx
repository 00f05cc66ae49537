import type { RouteObject } from "react-router";

/** What keeps the house running: mails, and all that others connect to. */
export const houseRoutes: RouteObject[] = [
  { path: "mails", lazy: async () => ({ Component: (await import("./mails/Mails")).Mails }) },
];
