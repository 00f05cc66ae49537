import { useQuery } from "@tanstack/react-query";

import { source } from "../../api/call";
import { client } from "../../api/client";
import { readAll } from "../../ui/table/source";
import { rank, type Rule } from "./rule";

export interface RuleFilter {
  program_id?: string;
  group_id?: string;
  affiliate_id?: string;
  ended?: boolean;
}

/** All rules that fit, by program and in the order in which they are tried. */
export function useRules(filter: RuleFilter, enabled = true) {
  return useQuery({
    queryKey: ["rules", filter],
    queryFn: async ({ signal }) => {
      const rules = await readAll(
        source<Rule>(["rules"], (page, signal) => client.GET("/api/v1/commission-rules", { params: { query: { ...page, ...filter } }, signal })),
        () => {},
        signal,
      );
      return rules.sort(
        (a, b) =>
          a.program_id.localeCompare(b.program_id) ||
          Number(a.ended_at !== null) - Number(b.ended_at !== null) ||
          b.on.localeCompare(a.on) ||
          rank(b) - rank(a) ||
          b.valid_from.localeCompare(a.valid_from),
      );
    },
    enabled,
  });
}
