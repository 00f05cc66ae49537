import { useQuery } from "@tanstack/react-query";

import { ok } from "../../api/call";
import { client, type Schemas } from "../../api/client";
import { locale } from "../../ui/locale";

export type OpenProgram = Schemas["OpenProgram"];

/** Programs in which links can be made. */
export function usePrograms() {
  return useQuery({
    queryKey: ["open-programs"],
    queryFn: async ({ signal }) => (await ok(client.GET("/api/v1/me/affiliate/programs", { params: { query: { limit: 200 } }, signal }))).items,
    staleTime: 300_000,
  });
}

/** "shop.example or *.example.com" */
export const hostsOf = (hosts: readonly string[]): string => new Intl.ListFormat(locale, { type: "disjunction" }).format(hosts);
