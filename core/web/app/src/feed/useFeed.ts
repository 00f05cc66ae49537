import { useQuery, useQueryClient, type QueryFunctionContext } from "@tanstack/react-query";
import { useState } from "react";

import { ok } from "../api/call";
import { client } from "../api/client";
import { useStream } from "../api/useStream";
import type { StreamState } from "../api/follow";
import { happenings, merged, nothing, told, type Happening, type News } from "./happenings";

const day = 86_400_000; // ms
const minute = 60_000; // ms
const every = 5_000; // ms between looks while there is no stream
const shown = 30;

/** Whose events: the affiliate's own, or those of the business as far as the reader may see them. */
export type Whose = "mine" | "all";

export interface Kinds {
  conversions: boolean;
  commissions: boolean;
}

export interface FeedState {
  /** Undefined until all lists were read. */
  items: Happening[] | undefined;
  error: unknown;
  retry: () => void;
  stream: StreamState;
}

const paths = { mine: "/api/v1/me/affiliate/live", all: "/api/v1/live" } as const;

/**
 * What happens, as it happens. A stream says what is new; lists say what was before it, and are looked at every few
 * seconds as long as there is no stream. Nothing is asked for while nobody looks at the page.
 */
export function useFeed(whose: Whose, kinds: Kinds, enabled: boolean): FeedState {
  const cache = useQueryClient();
  const [news, setNews] = useState<News>(nothing);
  const again = () => cache.invalidateQueries({ queryKey: ["feed", whose] });
  const stream = useStream(paths[whose], enabled, {
    onOpen: () => void again(),
    onEvents: (events) => {
      setNews((now) => told(now, events, shown));
      if (events.some(({ kind }) => kind === "missed")) {
        void again();
      }
    },
  });
  const look = { refetchInterval: stream === "open" ? (false as const) : every };
  const clicks = useQuery({ queryKey: ["feed", whose, "clicks"], queryFn: ({ signal }) => readClicks(whose, signal), enabled, ...look });
  const conversions = useQuery({
    queryKey: ["feed", whose, "conversions"],
    queryFn: ({ signal }: QueryFunctionContext) => {
      const options = { params: { query: { limit: shown } }, signal };
      return ok(whose === "mine" ? client.GET("/api/v1/me/affiliate/conversions", options) : client.GET("/api/v1/conversions", options));
    },
    enabled: enabled && kinds.conversions,
    ...look,
  });
  const commissions = useQuery({
    queryKey: ["feed", whose, "commissions"],
    queryFn: ({ signal }: QueryFunctionContext) => {
      const options = { params: { query: { limit: shown } }, signal };
      return ok(whose === "mine" ? client.GET("/api/v1/me/affiliate/commissions", options) : client.GET("/api/v1/commissions", options));
    },
    enabled: enabled && kinds.commissions,
    ...look,
  });
  const asked = [clicks, ...(kinds.conversions ? [conversions] : []), ...(kinds.commissions ? [commissions] : [])];
  const before = asked.every((q) => q.data) ? { clicks: clicks.data?.items ?? [], conversions: conversions.data?.items ?? [], commissions: commissions.data?.items ?? [] } : undefined;
  return {
    items: before && happenings(merged(seen(news, kinds), before), Date.now() - day, shown),
    error: asked.find((q) => q.error)?.error,
    retry: () => void again(),
    stream,
  };
}

// Kinds that the reader's lists do not have are left out of what the stream says as well.
function seen(news: News, kinds: Kinds): News {
  return { ...news, ...(!kinds.conversions && { conversions: [] }), ...(!kinds.commissions && { commissions: [] }) };
}

function readClicks(whose: Whose, signal: AbortSignal) {
  const to = Math.ceil(Date.now() / minute) * minute + minute; // a clock that is ahead of ours has news too
  const options = { params: { query: { from: new Date(to - day).toISOString(), to: new Date(to).toISOString(), limit: shown } }, signal };
  return ok(whose === "mine" ? client.GET("/api/v1/me/affiliate/clicks", options) : client.GET("/api/v1/reports/clicks", options));
}
