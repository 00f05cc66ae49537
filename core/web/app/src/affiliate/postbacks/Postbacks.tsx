import { Button } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import { Link } from "react-router";

import { source } from "../../api/call";
import { client, type Schemas } from "../../api/client";
import { useMe } from "../../session/Session";
import { text } from "../../text";
import { Page } from "../../ui/Page";
import { StateBadge } from "../../ui/StateBadge";
import { EmptyState } from "../../ui/states";
import { DataTable, type Column } from "../../ui/table/DataTable";
import { When } from "../../ui/When";

type Webhook = Schemas["Webhook"];
const t = text.postbacks;

const columns: Column<Webhook>[] = [
  { key: "url", title: t.url, value: (w) => w.url },
  { key: "description", title: t.description, value: (w) => w.description, wide: true },
  { key: "events", title: t.events, value: (w) => w.events.map((e) => t.eventNames[e] ?? e).join(", "), wide: true },
  { key: "failing_since", title: t.failing, value: (w) => w.failing_since ?? "", render: (w) => (w.failing_since ? <When at={w.failing_since} as="ago" /> : "–") },
  { key: "state", title: t.state, value: (w) => w.state, render: (w) => <StateBadge state={w.state} /> },
];

/** The affiliate's own postbacks. */
export function Postbacks() {
  const me = useMe();
  const make = !me.read_only && (
    <Button component={Link} to="/affiliate/postbacks/new" leftSection={<IconPlus size={16} aria-hidden />}>
      {t.make}
    </Button>
  );
  return (
    <Page title={text.nav.postbacks} about={t.about} actions={make}>
      <DataTable
        name={text.nav.postbacks}
        columns={columns}
        source={source<Webhook>(["my-webhooks"], (query, signal) => client.GET("/api/v1/me/affiliate/webhooks", { params: { query }, signal }))}
        rowKey={(w) => w.id}
        to={(w) => `/affiliate/postbacks/${w.id}`}
        empty={
          <EmptyState title={t.empty} action={make}>
            {t.emptyText}
          </EmptyState>
        }
      />
    </Page>
  );
}
