import type { RouteObject } from "react-router";

/** Affiliates, groups, links, programs and rules. */
export const partnerRoutes: RouteObject[] = [
  { path: "affiliates", lazy: async () => ({ Component: (await import("./affiliates/Affiliates")).Affiliates }) },
  { path: "affiliates/:id", lazy: async () => ({ Component: (await import("./affiliates/Affiliate")).Affiliate }) },
  { path: "groups", lazy: async () => ({ Component: (await import("./affiliates/Groups")).Groups }) },
  { path: "links", lazy: async () => ({ Component: (await import("./links/Links")).Links }) },
  { path: "links/:id", lazy: async () => ({ Component: (await import("./links/Link")).LinkPage }) },
  { path: "programs", lazy: async () => ({ Component: (await import("./programs/Programs")).Programs }) },
  { path: "programs/:id", lazy: async () => ({ Component: (await import("./programs/Program")).ProgramPage }) },
  { path: "rules", lazy: async () => ({ Component: (await import("./rules/Rules")).Rules }) },
  { path: "rules/new", lazy: async () => ({ Component: (await import("./rules/RuleForm")).NewRule }) },
  { path: "rules/:id", lazy: async () => ({ Component: (await import("./rules/Rule")).RulePage }) },
  { path: "rules/:id/change", lazy: async () => ({ Component: (await import("./rules/RuleForm")).ChangeRule }) },
];
