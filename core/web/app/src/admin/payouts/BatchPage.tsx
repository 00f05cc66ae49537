import { Alert, Button, Card, Group, Stack, Text, TextInput, Timeline, Title } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconDownload } from "@tabler/icons-react";
import { useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useParams } from "react-router";

import { ok, source } from "../../api/call";
import { api, client, type Schemas } from "../../api/client";
import { may, useMe } from "../../session/Session";
import { fill, text } from "../../text";
import { ConfirmDialog } from "../../ui/ConfirmDialog";
import { formatDateTime, formatMoney, formatNumber } from "../../ui/locale";
import { Money } from "../../ui/Money";
import { Page } from "../../ui/Page";
import { Stat, StatGrid } from "../../ui/Stat";
import { StateBadge } from "../../ui/StateBadge";
import { Loaded } from "../../ui/states";
import { save } from "../../ui/table/csv";
import { DataTable, type Column } from "../../ui/table/DataTable";
import { When } from "../../ui/When";
import { useNames, withNames, type Named } from "../parts/names";
import { amountText, batchState } from "./Batches";

type Batch = Schemas["PayoutBatch"];
type Payout = Schemas["Payout"];
const t = text.payouts;

const columns: Column<Named<Payout>>[] = [
  { key: "affiliate", title: t.affiliate, value: ({ row, name }) => name(row.affiliate_id) },
  { key: "account", title: t.account, value: ({ row: p }) => p.account },
  { key: "state", title: t.state, value: ({ row: p }) => text.states[p.state] ?? p.state, render: ({ row: p }) => <StateBadge state={p.state} /> },
  { key: "reference", title: t.reference, value: ({ row: p }) => p.reference || p.reason || "–", wide: true },
  { key: "gross", title: t.gross, value: ({ row: p }) => amountText(p.gross), render: ({ row: p }) => <Money amount={p.gross} />, align: "right", wide: true },
  { key: "tax", title: t.tax, value: ({ row: p }) => amountText(p.tax), render: ({ row: p }) => <Money amount={p.tax} />, align: "right", wide: true },
  { key: "net", title: t.net, value: ({ row: p }) => amountText(p.net), render: ({ row: p }) => <Money amount={p.net} fw={600} />, align: "right" },
];

/** One batch: what it pays, who approved, how far it is. */
export function BatchPage() {
  const { id = "" } = useParams();
  const sees = may(useMe(), "catalog:read");
  const query = api.useQuery("get", "/api/v1/payout-batches/{id}", { params: { path: { id } } }, { refetchInterval: 15_000 });
  return (
    <Page title={`${t.batch} ${id}`} trail={[{ label: text.nav.batches, to: "/admin/payouts" }]} about={query.data && <About batch={query.data} />} actions={query.data && <Actions batch={query.data} />}>
      <Loaded query={query} lines={10}>
        {(batch) => (
          <>
            <StatGrid>
              <Stat label={t.payouts} value={formatNumber(batch.payouts)} hint={Object.entries(batch.by_state).map(([state, n]) => `${text.states[state] ?? state}: ${n as number}`).join(", ")} />
              <Stat label={t.gross} value={formatMoney(batch.gross)} />
              <Stat label={t.tax} value={formatMoney(batch.tax)} />
              <Stat label={t.net} value={formatMoney(batch.net)} />
            </StatGrid>
            {batch.note && <Text>{batch.note}</Text>}
            <DataTable
              name={t.payouts}
              columns={columns}
              source={withNames(
                source<Payout>(["payouts", batch.id, batch.updated_at], (page, signal) => client.GET("/api/v1/payouts", { params: { query: { batch_id: batch.id, ...page } }, signal })),
                (p) => (sees ? [p.affiliate_id] : []),
              )}
              rowKey={({ row }) => row.id}
              to={({ row }) => `/admin/payouts/${batch.id}/${row.id}`}
            />
            <Events batch={batch} />
          </>
        )}
      </Loaded>
    </Page>
  );
}

function About({ batch }: { batch: Batch }) {
  const people = [batch.created_by, ...batch.approvals.map((a) => a.person_id)];
  const name = useNames(may(useMe(), "people:read") ? people : []);
  return (
    <Group gap="xs">
      <StateBadge state={batch.state === "created" ? "waiting" : batch.state} label={batchState(batch)} />
      <span>{t.executors[batch.executor] ?? batch.executor}</span>
      <span>
        {t.made} <When at={batch.created_at} /> {fill(text.story.by, { who: name(batch.created_by) })}
      </span>
      {batch.approvals.map((a) => (
        <span key={a.person_id}>
          {fill(t.approvedBy, { who: name(a.person_id) })} <When at={a.created_at} />
        </span>
      ))}
    </Group>
  );
}

function Actions({ batch }: { batch: Batch }) {
  const me = useMe();
  const [asking, setAsking] = useState<"approve" | "cancel" | "file">();
  const close = () => setAsking(undefined);
  const own = batch.created_by === me.id;
  return (
    <>
      {batch.executor === "bank_file" && (batch.state === "approved" || batch.state === "executing") && may(me, "payouts:write") && (
        <Button variant="default" leftSection={<IconDownload size={16} aria-hidden />} onClick={() => setAsking("file")}>
          {batch.file_at ? t.fileAgain : t.file}
        </Button>
      )}
      {(batch.state === "created" || batch.state === "approved") && may(me, "payouts:write") && (
        <Button variant="light" color="red" onClick={() => setAsking("cancel")}>
          {t.cancel}
        </Button>
      )}
      {batch.state === "created" && may(me, "payouts:approve") && (
        <Button onClick={() => setAsking("approve")} disabled={own} title={own ? t.ownBatch : undefined}>
          {t.approve}
        </Button>
      )}
      {batch.state === "created" && own && (
        <Text size="sm" c="dimmed" w="100%">
          {t.ownBatch}
        </Text>
      )}
      <ApproveDialog batch={batch} opened={asking === "approve"} onClose={close} />
      <CancelDialog batch={batch} opened={asking === "cancel"} onClose={close} />
      <FileDialog batch={batch} opened={asking === "file"} onClose={close} />
    </>
  );
}

interface DialogProps {
  batch: Batch;
  opened: boolean;
  onClose: () => void;
}

function ApproveDialog({ batch, opened, onClose }: DialogProps) {
  const cache = useQueryClient();
  const approve = async () => {
    // What the person has seen goes along, so that nothing else is approved.
    await ok(client.POST("/api/v1/payout-batches/{id}/approve", { params: { path: { id: batch.id } }, body: { net: batch.net, payouts: batch.payouts } }));
    notifications.show({ message: t.approved, color: "teal" });
    await cache.invalidateQueries();
  };
  return (
    <ConfirmDialog opened={opened} onClose={onClose} title={fill(t.approveTitle, { net: formatMoney(batch.net), n: formatNumber(batch.payouts) })} action={t.approve} onConfirm={approve}>
      <Text size="sm">{t.approveAbout}</Text>
    </ConfirmDialog>
  );
}

function CancelDialog({ batch, opened, onClose }: DialogProps) {
  const cache = useQueryClient();
  const [reason, setReason] = useState("");
  const cancel = async () => {
    await ok(client.POST("/api/v1/payout-batches/{id}/cancel", { params: { path: { id: batch.id } }, body: { reason: reason.trim() } }));
    notifications.show({ message: t.cancelled });
    await cache.invalidateQueries();
  };
  return (
    <ConfirmDialog opened={opened} onClose={onClose} title={t.cancel} action={t.cancel} danger disabled={!reason.trim()} onConfirm={cancel}>
      <Text size="sm">{t.cancelAbout}</Text>
      <TextInput label={t.reason} value={reason} onChange={(e) => setReason(e.currentTarget.value)} required maxLength={128} data-autofocus />
    </ConfirmDialog>
  );
}

function FileDialog({ batch, opened, onClose }: DialogProps) {
  const cache = useQueryClient();
  const [again, setAgain] = useState("");
  const get = async () => {
    const file = await ok(client.POST("/api/v1/payout-batches/{id}/file", { params: { path: { id: batch.id } }, body: batch.file_at ? { again: again.trim() } : {} }));
    save(file.name, file.content, "text/csv");
    await cache.invalidateQueries();
  };
  return (
    <ConfirmDialog opened={opened} onClose={onClose} title={batch.file_at ? t.fileAgain : t.file} action={text.common.download} disabled={batch.file_at !== null && !again.trim()} onConfirm={get}>
      <Text size="sm">{t.fileAbout}</Text>
      {batch.file_at && (
        <>
          <Alert color="orange">{fill(t.fileAgainAbout, { at: formatDateTime(batch.file_at) })}</Alert>
          <TextInput label={t.fileWhy} value={again} onChange={(e) => setAgain(e.currentTarget.value)} required maxLength={128} />
        </>
      )}
    </ConfirmDialog>
  );
}

function Events({ batch }: { batch: Batch }) {
  const query = useInfiniteQuery({
    queryKey: ["payout-events", batch.id, batch.updated_at],
    queryFn: ({ pageParam, signal }) => ok(client.GET("/api/v1/payout-batches/{id}/events", { params: { path: { id: batch.id }, query: { limit: 50, cursor: pageParam } }, signal })),
    initialPageParam: "",
    getNextPageParam: (last) => last.next_cursor || undefined,
  });
  return (
    <Card component="section" aria-labelledby="events">
      <Title order={2} id="events" mb="md">
        {t.events}
      </Title>
      <Loaded query={{ ...query, data: query.data?.pages.flatMap((p) => p.items) }}>
        {(events) => (
          <Stack>
            <EventList events={events} />
            {query.hasNextPage && (
              <Button variant="light" size="xs" onClick={() => void query.fetchNextPage()} loading={query.isFetchingNextPage} style={{ alignSelf: "flex-start" }}>
                {text.common.more}
              </Button>
            )}
          </Stack>
        )}
      </Loaded>
    </Card>
  );
}

/** What happened; of one payout it need not be said which. */
export function EventList({ events, one }: { events: Schemas["PayoutEvent"][]; one?: boolean }) {
  const sees = may(useMe(), "people:read");
  const name = useNames(sees ? events.map((e) => e.by).filter((by) => by.startsWith("per_")) : []);
  return (
    <Timeline bulletSize={14} lineWidth={2}>
      {events.map((e, i) => (
        <Timeline.Item key={i}>
          <Group gap="xs">
            <Text size="sm" fw={600}>
              {text.states[e.to] ?? e.to.replaceAll("_", " ")}
            </Text>
            <Text size="sm" c="dimmed">
              {[!one && e.payout_id, fill(text.story.by, { who: e.by ? name(e.by) : t.system }), e.reason].filter(Boolean).join(" · ")}
            </Text>
          </Group>
          <Text size="xs" c="dimmed">
            <When at={e.created_at} />
          </Text>
        </Timeline.Item>
      ))}
    </Timeline>
  );
}
