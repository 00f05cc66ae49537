import { Alert, Anchor, Button, Card, Grid, Group, Stack, Text, TextInput, Title } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Link, useParams } from "react-router";

import { ok } from "../../api/call";
import { api, client, type Schemas } from "../../api/client";
import { may, useMe } from "../../session/Session";
import { fill, text } from "../../text";
import { ConfirmDialog } from "../../ui/ConfirmDialog";
import { CopyText } from "../../ui/CopyText";
import { DownloadButton } from "../../ui/DownloadButton";
import { formatMoney, formatNumber } from "../../ui/locale";
import { Money } from "../../ui/Money";
import { Page } from "../../ui/Page";
import { Stat, StatGrid } from "../../ui/Stat";
import { StateBadge } from "../../ui/StateBadge";
import { Loaded } from "../../ui/states";
import { DataTable, type Column } from "../../ui/table/DataTable";
import { useNames } from "../parts/names";
import { amountText } from "./Batches";
import { EventList } from "./BatchPage";

type Detail = Schemas["PayoutDetail"];
type Deed = "settle" | "fail" | "return" | "cancel";
const t = text.payouts;

const items: Column<Schemas["PayoutItem"]>[] = [
  { key: "commission", title: t.commission, value: (i) => i.commission_id },
  { key: "amount", title: t.gross, value: (i) => amountText(i.amount), render: (i) => <Money amount={i.amount} />, align: "right" },
];

/** One transfer to one affiliate: what it pays, what was withheld, how far it is. */
export function PayoutPage() {
  const { batch = "", id = "" } = useParams();
  const me = useMe();
  const query = api.useQuery("get", "/api/v1/payouts/{id}", { params: { path: { id } } });
  const name = useNames(query.data && may(me, "catalog:read") ? [query.data.affiliate_id] : []);
  return (
    <Page
      title={query.data ? fill(t.payoutOf, { net: formatMoney(query.data.net), to: name(query.data.affiliate_id) }) : t.payout}
      trail={[
        { label: text.nav.batches, to: "/admin/payouts" },
        { label: `${t.batch} ${batch}`, to: `/admin/payouts/${batch}` },
      ]}
      about={query.data && <About payout={query.data} name={name} />}
      actions={query.data && <Actions payout={query.data} />}
    >
      <Loaded query={query} lines={10}>
        {(p) => (
          <>
            {p.state === "sending" && <Alert color="yellow">{t.unknown}</Alert>}
            <StatGrid>
              <Stat label={t.gross} value={formatMoney(p.gross)} />
              <Stat label={t.tax} value={formatMoney(p.tax)} hint={p.tax_text} />
              <Stat label={t.net} value={formatMoney(p.net)} />
              <Stat label={t.reference} value={p.reference || "–"} hint={p.reason} />
            </StatGrid>
            <Grid gap="lg">
              <Grid.Col span={{ base: 12, md: 7 }}>
                <Stack gap="sm">
                  <Title order={2}>{t.pays}</Title>
                  <DataTable name={t.pays} columns={items} source={p.items} rowKey={(i) => i.commission_id} to={(i) => `/admin/commissions/${i.commission_id}`} />
                </Stack>
              </Grid.Col>
              <Grid.Col span={{ base: 12, md: 5 }}>
                <Stack>
                  {p.attempt && <Attempt attempt={p.attempt} />}
                  <Card component="section" aria-labelledby="events">
                    <Title order={2} id="events" mb="md">
                      {t.events}
                    </Title>
                    <EventList events={p.events} one />
                  </Card>
                </Stack>
              </Grid.Col>
            </Grid>
          </>
        )}
      </Loaded>
    </Page>
  );
}

function About({ payout: p, name }: { payout: Detail; name: (id: string) => string }) {
  return (
    <Group gap="xs">
      <StateBadge state={p.state} />
      <Anchor component={Link} to={`/admin/affiliates/${p.affiliate_id}`}>
        {name(p.affiliate_id)}
      </Anchor>
      <CopyText value={p.id} />
      <span>{p.account}</span>
      <span>{t.executors[p.executor] ?? p.executor}</span>
    </Group>
  );
}

function Attempt({ attempt }: { attempt: Schemas["PayoutAttempt"] }) {
  return (
    <Card component="section" aria-labelledby="attempt">
      <Title order={2} id="attempt" mb="sm">
        {t.attempt}
      </Title>
      <Text size="sm">{t.key}</Text>
      <CopyText value={attempt.key} />
      {attempt.provider_id && (
        <>
          <Text size="sm" mt="xs">
            {t.provider}
          </Text>
          <CopyText value={attempt.provider_id} />
        </>
      )}
      <Text size="sm" c="dimmed" mt="xs">
        {t.sends}: {formatNumber(attempt.sends)} · {t.lookups}: {formatNumber(attempt.lookups)}
        {attempt.last_error && ` · ${attempt.last_error}`}
      </Text>
    </Card>
  );
}

const deeds: Record<Deed, { states: string[]; scope: "payouts:write" | "payouts:approve"; title: string; about: string; label: string; danger: boolean }> = {
  settle: { states: ["sent", "sending"], scope: "payouts:write", title: t.settle, about: t.settleAbout, label: t.reference, danger: false },
  fail: { states: ["sent", "sending"], scope: "payouts:approve", title: t.fail, about: t.failAbout, label: t.reason, danger: true },
  return: { states: ["paid"], scope: "payouts:write", title: t.return, about: t.returnAbout, label: t.reason, danger: true },
  cancel: { states: ["reserved"], scope: "payouts:write", title: t.cancelOne, about: t.cancelOneAbout, label: t.reason, danger: true },
};

function Actions({ payout: p }: { payout: Detail }) {
  const me = useMe();
  const [deed, setDeed] = useState<Deed>();
  const possible = (Object.keys(deeds) as Deed[]).filter((d) => deeds[d].states.includes(p.state) && may(me, deeds[d].scope));
  return (
    <>
      {["paid", "returned", "sent"].includes(p.state) && (
        <DownloadButton size="sm" path={`/api/v1/payouts/${p.id}/statement?format=pdf`} name={`${p.id}.pdf`}>
          {t.statement}
        </DownloadButton>
      )}
      {possible.map((d) => (
        <Button key={d} variant={deeds[d].danger ? "light" : "filled"} color={deeds[d].danger ? "red" : undefined} onClick={() => setDeed(d)}>
          {deeds[d].title}
        </Button>
      ))}
      {deed && <DeedDialog payout={p} deed={deed} onClose={() => setDeed(undefined)} />}
    </>
  );
}

function DeedDialog({ payout, deed, onClose }: { payout: Detail; deed: Deed; onClose: () => void }) {
  const cache = useQueryClient();
  const [words, setWords] = useState("");
  const { title, about, label, danger } = deeds[deed];
  const confirm = async () => {
    const params = { path: { id: payout.id } };
    const value = words.trim();
    switch (deed) {
      case "settle":
        await ok(client.POST("/api/v1/payouts/{id}/settle", { params, body: { reference: value } }));
        break;
      case "fail":
        await ok(client.POST("/api/v1/payouts/{id}/fail", { params, body: { reason: value } }));
        break;
      case "return":
        await ok(client.POST("/api/v1/payouts/{id}/return", { params, body: { reason: value } }));
        break;
      case "cancel":
        await ok(client.POST("/api/v1/payouts/{id}/cancel", { params, body: { reason: value } }));
    }
    notifications.show({ message: t.done, color: "teal" });
    await cache.invalidateQueries();
  };
  return (
    <ConfirmDialog opened onClose={onClose} title={title} action={title} danger={danger} disabled={!words.trim()} onConfirm={confirm}>
      <Text size="sm">{about}</Text>
      <TextInput label={label} value={words} onChange={(e) => setWords(e.currentTarget.value)} required maxLength={128} data-autofocus />
    </ConfirmDialog>
  );
}
