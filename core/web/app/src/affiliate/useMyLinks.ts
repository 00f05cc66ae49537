import { useQuery, type QueryClient } from "@tanstack/react-query";

import { ok } from "../api/call";
import { client, type Schemas } from "../api/client";

export type MyLink = Schemas["Link"];

const key = ["my-links"];

/** All links of the affiliate, the newest first: there are at most 1,000, which is five pages. */
export function useMyLinks() {
  return useQuery({
    queryKey: key,
    queryFn: async ({ signal }) => {
      const links: MyLink[] = [];
      let cursor = "";
      do {
        const page = await ok(client.GET("/api/v1/me/affiliate/links", { params: { query: { limit: 200, ...(cursor && { cursor }) } }, signal }));
        links.push(...page.items);
        cursor = page.next_cursor;
      } while (cursor);
      return links;
    },
    staleTime: 60_000,
  });
}

/** After a link was made or changed. */
export async function linksChanged(queries: QueryClient, changed: MyLink): Promise<void> {
  queries.setQueryData(["my-link", changed.id], changed);
  queries.setQueryData<MyLink[]>(key, (now) => now && [changed, ...now.filter(({ id }) => id !== changed.id)].sort((a, b) => (a.created_at < b.created_at ? 1 : -1)));
  await queries.invalidateQueries({ queryKey: key });
}
