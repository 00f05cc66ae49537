import { Stack, Title } from "@mantine/core";
import { useMemo } from "react";

import { valueLabel } from "../../analytics/words";
import { source } from "../../api/call";
import { client, type Schemas } from "../../api/client";
import { text } from "../../text";
import { namedPeriod } from "../../ui/period";
import { EmptyState } from "../../ui/states";
import { DataTable, type Column } from "../../ui/table/DataTable";
import { pageSize } from "../../ui/table/source";
import { When } from "../../ui/When";
import type { MyLink } from "../useMyLinks";

const { myLinks: words } = text;
type Click = Schemas["Click"];

const ids = ["sub1", "sub2", "sub3", "sub4", "sub5"] as const;
const given = (c: Click) => ids.map((id) => c[id]).filter(Boolean).join(" · ");
// "Other" of one kind after the other says nothing.
const device = (c: Click) => [...new Set([valueLabel("device", c.device, {}), c.os, c.browser])].filter((part) => part && part !== "Other").join(", ") || text.common.unknown;

const columns: Column<Click>[] = [
  { key: "time", title: words.time, value: (c) => c.time, render: (c) => <When at={c.time} /> },
  { key: "country", title: text.analytics.dimensions.country, value: (c) => valueLabel("country", c.country, {}) },
  { key: "referrer", title: text.analytics.dimensions.referrer_host, value: (c) => c.referrer_host, render: (c) => valueLabel("referrer_host", c.referrer_host, {}) },
  { key: "device", title: words.device, value: device },
  { key: "subs", title: words.subs, value: given, wide: true },
  ...ids.map((id): Column<Click> => ({ key: id, title: text.analytics.dimensions[id], value: (c) => c[id], hidden: true })),
  { key: "utm", title: text.analytics.dimensions.utm_campaign, value: (c) => c.utm_campaign, wide: true },
  { key: "bot", title: words.bot, value: (c) => (c.bot ? valueLabel("bot", c.bot, {}) : ""), wide: true },
];

/** Single clicks of the last 90 days, the newest first; few at a time, since each is a card on a phone. */
export function LastClicks({ link }: { link: MyLink }) {
  const { from, to } = namedPeriod("90d");
  const span = `${from.toISOString()} ${to.toISOString()}`;
  const clicks = useMemo(() => {
    const [from = "", to = ""] = span.split(" ");
    return source<Click>(["my-clicks", link.id, span], (query, signal) =>
      client.GET("/api/v1/me/affiliate/clicks", { params: { query: { ...query, limit: query.limit === pageSize() ? 20 : query.limit, from, to, filter: [`link:${link.id}`] } }, signal }),
    );
  }, [link.id, span]);
  return (
    <Stack gap="sm" component="section" aria-labelledby="last-clicks">
      <Title order={2} id="last-clicks">
        {words.lastClicks}
      </Title>
      <DataTable name={words.lastClicks} columns={columns} source={clicks} rowKey={(c) => c.id} empty={<EmptyState title={words.breakdownEmpty} />} />
    </Stack>
  );
}
