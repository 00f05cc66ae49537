import { Button, Group, Modal, Select, Tabs } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import { useState } from "react";
import { useNavigate } from "react-router";

import { source } from "../../api/call";
import { client, type Schemas } from "../../api/client";
import { may, useMe } from "../../session/Session";
import { text } from "../../text";
import { Page } from "../../ui/Page";
import { SecretOnce } from "../../ui/SecretOnce";
import { StateBadge } from "../../ui/StateBadge";
import { StateFilter } from "../../ui/StateFilter";
import { EmptyState } from "../../ui/states";
import { DataTable, type Column } from "../../ui/table/DataTable";
import { useQueryState } from "../../ui/useQueryState";
import { When } from "../../ui/When";
import { withNames, type Named } from "../parts/names";
import { Ref } from "../parts/Ref";
import { Deliveries } from "./Deliveries";
import { WebhookForm } from "./WebhookForm";

type Webhook = Schemas["Webhook"];
const t = text.webhooks;

const columns: Column<Named<Webhook>>[] = [
  { key: "url", title: t.url, value: ({ row }) => row.url.replace(/^https:\/\//, "") },
  { key: "kind", title: t.kind, value: ({ row }) => t.kinds[row.kind] ?? row.kind },
  {
    key: "of",
    title: t.of,
    value: ({ row, name }) => (row.affiliate_id ? name(row.affiliate_id) : t.business),
    render: ({ row, name }) => (row.affiliate_id ? <Ref id={row.affiliate_id} name={name(row.affiliate_id)} /> : t.business),
  },
  { key: "description", title: t.description, value: ({ row }) => row.description, wide: true },
  { key: "events", title: t.events, value: ({ row }) => row.events.join(", "), render: ({ row }) => row.events.length, align: "right", wide: true },
  { key: "state", title: t.state, value: ({ row }) => text.states[row.state] ?? row.state, render: ({ row }) => <StateBadge state={row.state} /> },
  { key: "failing", title: t.failing, value: ({ row }) => row.failing_since ?? "", render: ({ row }) => (row.failing_since ? <When at={row.failing_since} as="ago" /> : "–"), wide: true },
  { key: "made", title: t.made, value: ({ row }) => row.created_at, render: ({ row }) => <When at={row.created_at} as="date" /> },
];

/** Where events are sent to, and whether they arrive. */
export function Webhooks() {
  const me = useMe();
  const navigate = useNavigate();
  const [state, setState] = useQueryState("state");
  // Whoever asks for a state of deliveries, as the overview does, wants those.
  const [tab, setTab] = useQueryState("tab", ["pending", "delivered", "dead"].includes(state) ? "deliveries" : "endpoints");
  const [kind, setKind] = useQueryState("kind");
  const [making, setMaking] = useState(false);
  const [made, setMade] = useState<Schemas["WebhookWithSecret"]>();
  const query = state === "active" || state === "disabled" ? ({ state } as const) : {};
  const make = may(me, "webhooks:write") && (
    <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setMaking(true)}>
      {t.new}
    </Button>
  );
  return (
    <Page title={text.nav.webhooks} about={t.about} actions={make}>
      <Tabs
        value={tab}
        onChange={(next) => {
          setTab(next);
          setState(null);
        }}
        keepMounted={false}
      >
        <Tabs.List mb="md">
          <Tabs.Tab value="endpoints">{t.endpoints}</Tabs.Tab>
          <Tabs.Tab value="deliveries">{t.deliveries}</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="endpoints">
          <DataTable
            name={t.endpoints}
            columns={columns}
            source={withNames(
              source<Webhook>(["webhooks", query, kind], async (page, signal) => {
                const answer = await client.GET("/api/v1/webhooks", { params: { query: { ...query, ...page } }, signal });
                return kind && answer.data ? { ...answer, data: { ...answer.data, items: answer.data.items.filter((w) => w.kind === kind) } } : answer;
              }),
              (w) => [w.affiliate_id],
            )}
            rowKey={({ row }) => row.id}
            to={({ row }) => `/admin/webhooks/${row.id}`}
            filters={
              <Group gap="xs">
                <StateFilter states={["active", "disabled"]} value={state} onChange={setState} label={t.state} />
                <Select aria-label={t.kind} data={[{ value: "", label: text.common.all }, ...Object.entries(t.kinds).map(([value, label]) => ({ value, label }))]} value={kind} onChange={setKind} allowDeselect={false} w={140} />
              </Group>
            }
            empty={
              <EmptyState title={t.empty} action={make}>
                {t.emptyText}
              </EmptyState>
            }
          />
        </Tabs.Panel>
        <Tabs.Panel value="deliveries">
          <Deliveries />
        </Tabs.Panel>
      </Tabs>
      <Modal opened={making} onClose={() => setMaking(false)} title={t.new} size="lg">
        <WebhookForm
          onDone={(webhook) => {
            setMaking(false);
            setMade(webhook as Schemas["WebhookWithSecret"]);
          }}
        />
      </Modal>
      {made && <SecretOnce title={t.secretTitle} about={t.secretOnce} secret={made.secret} onClose={() => void navigate(`/admin/webhooks/${made.id}`)} />}
    </Page>
  );
}
