import { Card, Group, Stack, Text, Timeline, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useParams } from "react-router";

import { ok } from "../../api/call";
import { client, type Schemas } from "../../api/client";
import { fill, text } from "../../text";
import { CopyText } from "../../ui/CopyText";
import { DownloadButton } from "../../ui/DownloadButton";
import { Facts } from "../../ui/Facts";
import { formatDate } from "../../ui/locale";
import { Money } from "../../ui/Money";
import { Page } from "../../ui/Page";
import { StateBadge } from "../../ui/StateBadge";
import { Loaded } from "../../ui/states";
import { DataTable, type Column } from "../../ui/table/DataTable";
import { When } from "../../ui/When";

type Detail = Schemas["PayoutDetail"];
const t = text.ownPayouts;

const columns: Column<Schemas["PayoutItem"]>[] = [
  { key: "commission", title: t.commission, value: (i) => i.commission_id },
  { key: "amount", title: t.amount, align: "right", value: (i) => i.amount.minor, render: (i) => <Money amount={i.amount} /> },
  { key: "note", title: t.reason, wide: true, value: (i) => (i.amount.minor < 0 ? t.negative : "") },
];

/** One payout: how far it is, what it pays, and its statement. */
export function PayoutPage() {
  const { id = "" } = useParams();
  const payout = useQuery({
    queryKey: ["own-payout", id],
    queryFn: ({ signal }) => ok(client.GET("/api/v1/me/affiliate/payouts/{id}", { params: { path: { id } }, signal })),
  });
  const p = payout.data;
  return (
    <Page title={p ? fill(t.payout, { at: formatDate(p.created_at) }) : text.nav.payouts} trail={[{ label: text.nav.payouts, to: "/affiliate/payouts" }]} actions={p && <Statement payout={p} />}>
      <Loaded query={payout} lines={8}>
        {(data) => (
          <Stack gap="lg">
            <Card>
              <About payout={data} />
            </Card>
            <Title order={2}>{t.covers}</Title>
            <DataTable name={t.covers} columns={columns} source={data.items} rowKey={(i) => i.commission_id} to={(i) => `/affiliate/commissions/${i.commission_id}`} />
            {data.events.length > 0 && <Events events={data.events} />}
          </Stack>
        )}
      </Loaded>
    </Page>
  );
}

function Statement({ payout: p }: { payout: Detail }) {
  if (p.state !== "paid" && p.state !== "returned") {
    return (
      <Text size="sm" c="dimmed">
        {t.noStatement}
      </Text>
    );
  }
  const path = `/api/v1/me/affiliate/payouts/${p.id}/statement`;
  return (
    <Group gap="xs">
      <DownloadButton path={`${path}?format=pdf`} name={`payout-${p.id}.pdf`}>
        {t.statementPDF}
      </DownloadButton>
      <DownloadButton path={`${path}?format=csv`} name={`payout-${p.id}.csv`}>
        {t.statementCSV}
      </DownloadButton>
    </Group>
  );
}

function About({ payout: p }: { payout: Detail }) {
  return (
    <Stack gap="sm">
      <Group>
        <StateBadge state={p.state} />
        <Text size="sm" style={{ flex: 1, minWidth: "12rem" }}>
          {t.stateText[p.state] ?? p.state}
        </Text>
      </Group>
      <Facts
        facts={[
          [t.net, <Money amount={p.net} fw={650} />],
          [t.gross, <Money amount={p.gross} />],
          [t.tax, p.tax.minor !== 0 && <><Money amount={p.tax} /> ({p.tax_text})</>],
          [t.account, p.account],
          [t.reference, p.reference && <CopyText value={p.reference} />],
          [t.reason, p.reason],
          [t.made, <When at={p.created_at} />],
          [t.arrived, p.paid_at && <When at={p.paid_at} />],
        ]}
      />
    </Stack>
  );
}

function Events({ events }: { events: Schemas["PayoutEvent"][] }) {
  return (
    <Card component="section">
      <Title order={2} size="h4" mb="md">
        {t.events}
      </Title>
      <Timeline bulletSize={16} active={events.length}>
        {events.map((e, i) => (
          <Timeline.Item key={i} title={text.states[e.to] ?? e.to}>
            {e.reason && <Text size="sm">{e.reason}</Text>}
            <Text size="xs" c="dimmed">
              <When at={e.created_at} />
            </Text>
          </Timeline.Item>
        ))}
      </Timeline>
    </Card>
  );
}
