import type { RouteObject } from "react-router";

/** What the public pages say. */
export const siteRoutes: RouteObject[] = [{ path: "site", lazy: async () => ({ Component: (await import("./site/Site")).Site }) }];
