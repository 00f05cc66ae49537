import { Alert, Anchor, Button, Group, Stack, Text, Title } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "react-router";

import { ok, source } from "../../api/call";
import { client, type Schemas } from "../../api/client";
import { useMe } from "../../session/Session";
import { fill, text } from "../../text";
import { ConfirmDialog } from "../../ui/ConfirmDialog";
import { formatDate, formatMoney } from "../../ui/locale";
import { Money } from "../../ui/Money";
import { StateBadge } from "../../ui/StateBadge";
import { DataTable, type Column } from "../../ui/table/DataTable";
import { When } from "../../ui/When";

type Request = Schemas["OwnPayoutRequest"];
type Outlook = Schemas["PayoutOutlook"];
const t = text.ownRequests;
const key = ["own-requests"];

/** The newest requests of the affiliate. */
export function useOwnRequests() {
  return useQuery({
    queryKey: [...key, "newest"],
    queryFn: async ({ signal }) => (await ok(client.GET("/api/v1/me/affiliate/payout-requests", { params: { query: { limit: 50 } }, signal }))).items,
  });
}

/** Of one currency: what became of the request, or the way to make one. */
export function RequestPart({ outlook: o, requests }: { outlook: Outlook; requests: readonly Request[] }) {
  const me = useMe();
  const [asking, setAsking] = useState(false);
  const newest = requests.find((r) => r.currency === o.currency && r.state !== "withdrawn");
  const waiting = newest?.state === "waiting";
  return (
    <Stack gap="sm" mt="sm" align="flex-start">
      {newest && waiting && <Waiting request={newest} ready={o.ready} />}
      {newest?.state === "declined" && (
        <Alert color="orange" title={fill(t.declinedTitle, { at: formatDate(newest.updated_at) })} w="100%">
          <Text size="sm">{fill(t.declined, { reason: newest.reason })}</Text>
          <Text size="sm" c="dimmed">
            {t.declinedNext}
          </Text>
        </Alert>
      )}
      {newest?.state === "taken" && (
        <Text size="sm">
          {fill(t.taken, { at: formatDate(newest.created_at) })}{" "}
          <Anchor component={Link} to={`/affiliate/payouts/${newest.payout_id}`} size="sm">
            {t.seePayout}
          </Anchor>
        </Text>
      )}
      {!waiting && o.ready && !me.read_only && <Button onClick={() => setAsking(true)}>{fill(t.ask, { currency: o.currency })}</Button>}
      {!waiting && !o.ready && (
        <Text size="sm" c="dimmed">
          {t.later}
        </Text>
      )}
      <AskDialog outlook={o} opened={asking} onClose={() => setAsking(false)} />
    </Stack>
  );
}

function AskDialog({ outlook: o, opened, onClose }: { outlook: Outlook; opened: boolean; onClose: () => void }) {
  const cache = useQueryClient();
  const ask = async () => {
    await ok(client.POST("/api/v1/me/affiliate/payout-requests", { body: { currency: o.currency } }));
    notifications.show({ message: t.sent, color: "teal" });
    await cache.invalidateQueries({ queryKey: key });
  };
  return (
    <ConfirmDialog opened={opened} onClose={onClose} title={fill(t.ask, { currency: o.currency })} action={t.send} onConfirm={ask}>
      <Text size="sm">{t.askText}</Text>
      <Text size="sm">{fill(t.askNow, { net: formatMoney(o.net), account: o.account })}</Text>
    </ConfirmDialog>
  );
}

function Waiting({ request: r, ready }: { request: Request; ready: boolean }) {
  const me = useMe();
  const cache = useQueryClient();
  const [withdrawing, setWithdrawing] = useState(false);
  const withdraw = async () => {
    await ok(client.POST("/api/v1/me/affiliate/payout-requests/{id}/withdraw", { params: { path: { id: r.id } } }));
    notifications.show({ message: t.withdrawn });
    await cache.invalidateQueries({ queryKey: key });
  };
  return (
    <Alert color="blue" title={t.waitingTitle} w="100%">
      <Group justify="space-between" gap="sm">
        <Text size="sm" style={{ flex: "1 1 14rem" }}>
          {fill(t.waiting, { at: formatDate(r.created_at), net: formatMoney(r.net) })} {!ready && t.waitingNotReady}
        </Text>
        {!me.read_only && (
          <Button size="xs" variant="default" onClick={() => setWithdrawing(true)}>
            {t.withdraw}
          </Button>
        )}
      </Group>
      <ConfirmDialog opened={withdrawing} onClose={() => setWithdrawing(false)} title={t.withdrawTitle} action={t.withdraw} onConfirm={withdraw}>
        <Text size="sm">{t.withdrawText}</Text>
      </ConfirmDialog>
    </Alert>
  );
}

const columns: Column<Request>[] = [
  { key: "created_at", title: t.asked, value: (r) => r.created_at, render: (r) => <When at={r.created_at} as="date" /> },
  { key: "net", title: t.amount, align: "right", value: (r) => r.net.minor, render: (r) => <Money amount={r.net} /> },
  { key: "state", title: t.state, value: (r) => t.states[r.state] ?? r.state, render: (r) => <StateBadge state={r.state} label={t.states[r.state]} /> },
  {
    key: "answer", title: t.answer, value: (r) => r.reason || r.payout_id || "–",
    render: (r) =>
      r.payout_id ? (
        <Anchor component={Link} to={`/affiliate/payouts/${r.payout_id}`} size="sm">
          {t.seePayout}
        </Anchor>
      ) : (
        r.reason || "–"
      ),
  },
];

/** All requests of the affiliate, where there are any. */
export function RequestList({ requests }: { requests: readonly Request[] }) {
  if (requests.length === 0) {
    return null;
  }
  return (
    <>
      <Title order={2}>{t.list}</Title>
      <DataTable
        name={t.list}
        columns={columns}
        source={source<Request>([...key, "all"], (query, signal) => client.GET("/api/v1/me/affiliate/payout-requests", { params: { query }, signal }))}
        rowKey={(r) => r.id}
      />
    </>
  );
}
