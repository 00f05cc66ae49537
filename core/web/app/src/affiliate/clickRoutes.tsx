import type { RouteObject } from "react-router";

/** Links and what comes of them. */
export const clickRoutes: RouteObject[] = [
  { path: "analytics", lazy: async () => ({ Component: (await import("./Analytics")).Analytics }) },
  { path: "links", lazy: async () => ({ Component: (await import("./links/Links")).Links }) },
  { path: "links/:id", lazy: async () => ({ Component: (await import("./links/LinkPage")).LinkPage }) },
  { path: "materials", lazy: async () => ({ Component: (await import("./materials/Materials")).Materials }) },
];
