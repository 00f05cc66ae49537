import type { RouteObject } from "react-router";

/** Links and what comes of them. */
export const clickRoutes: RouteObject[] = [
  { path: "analytics", lazy: async () => ({ Component: (await import("./Analytics")).Analytics }) },
];
