import { Select } from "@mantine/core";

import { source } from "../../api/call";
import { client, type Schemas } from "../../api/client";
import { fill, text } from "../../text";
import { Money } from "../../ui/Money";
import { Page } from "../../ui/Page";
import { StateBadge } from "../../ui/StateBadge";
import { EmptyState } from "../../ui/states";
import { DataTable, type Column } from "../../ui/table/DataTable";
import { useQueryState } from "../../ui/useQueryState";
import { When } from "../../ui/When";

type Commission = Schemas["Commission"];
const t = text.earnings;
const states = ["pending", "payable", "paid", "reversed"] as const;

export const levelName = (level: number): string => (level === 0 ? t.levelOwn : fill(t.levelN, { n: level }));

const columns: Column<Commission>[] = [
  { key: "created_at", title: t.made, value: (c) => c.created_at, render: (c) => <When at={c.created_at} /> },
  { key: "amount", title: t.earned, align: "right", value: (c) => c.amount.minor, render: (c) => <Money amount={c.amount} /> },
  { key: "reversed", title: t.reversed, align: "right", wide: true, value: (c) => c.reversed.minor, render: (c) => (c.reversed.minor ? <Money amount={c.reversed} /> : "–") },
  {
    key: "left", title: t.left, align: "right", value: (c) => c.amount.minor - c.reversed.minor,
    render: (c) => <Money amount={{ ...c.amount, minor: c.amount.minor - c.reversed.minor }} fw={600} />,
  },
  { key: "level", title: t.level, value: (c) => levelName(c.level) },
  { key: "release_at", title: t.release, wide: true, value: (c) => c.release_at, render: (c) => <When at={c.release_at} as="date" /> },
  { key: "state", title: t.state, value: (c) => c.state, render: (c) => <StateBadge state={c.state} /> },
];

/** What the affiliate earns, each with its why. */
export function Commissions() {
  const [state, setState] = useQueryState("state");
  const chosen = states.find((known) => known === state);
  return (
    <Page title={text.nav.commissions} about={t.commissionsAbout}>
      <DataTable
        name={text.nav.commissions}
        columns={columns}
        source={source<Commission>(["my-commissions", chosen], (query, signal) => client.GET("/api/v1/me/affiliate/commissions", { params: { query: { ...query, state: chosen } }, signal }))}
        rowKey={(c) => c.id}
        to={(c) => `/affiliate/commissions/${c.id}`}
        filters={
          <Select aria-label={t.state} placeholder={t.anyState} clearable value={chosen ?? null} onChange={setState} data={states.map((value) => ({ value, label: text.states[value] ?? value }))} w={150} />
        }
        empty={<EmptyState title={t.commissionsEmpty}>{t.commissionsEmptyText}</EmptyState>}
      />
    </Page>
  );
}
