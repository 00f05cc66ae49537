import { Badge, Card, Group, SimpleGrid, Stack, Text, Title, UnstyledButton } from "@mantine/core";
import { IconChevronRight, IconCircleCheck } from "@tabler/icons-react";
import { useQueries } from "@tanstack/react-query";
import { Link } from "react-router";

import { ok } from "../../api/call";
import { client, type Schemas } from "../../api/client";
import { may, useMe } from "../../session/Session";
import { fill, text } from "../../text";
import { formatNumber } from "../../ui/locale";
import { LoadingState } from "../../ui/states";

const t = text.business;

/** Counting stops here: whoever has so much to do needs no exact number. */
const most = 100;

interface Item {
  key: string;
  label: string;
  to: string;
  scope: Schemas["Me"]["scopes"][number];
  list: (signal: AbortSignal) => Promise<{ items: unknown[]; next_cursor: string }>;
}

const items: Item[] = [
  { key: "applications", label: t.applications, to: "/admin/affiliates?status=pending", scope: "catalog:read", list: (signal) => ok(client.GET("/api/v1/affiliates", { params: { query: { status: "pending", limit: most } }, signal })) },
  { key: "orders", label: t.orderReviews, to: "/admin/reviews", scope: "orders:read", list: (signal) => ok(client.GET("/api/v1/order-reviews", { params: { query: { open: true, limit: most } }, signal })) },
  { key: "balances", label: t.commissionReviews, to: "/admin/reviews?tab=balances", scope: "ledger:read", list: (signal) => ok(client.GET("/api/v1/commission-reviews", { params: { query: { limit: most } }, signal })) },
  {
    key: "conflicts",
    label: t.conflicts,
    to: "/admin/conversions?tab=conflicts",
    scope: "conversions:read",
    // A conflict is never closed; what came in lately is what somebody should look at.
    list: async (signal) => {
      const page = await ok(client.GET("/api/v1/conversion-conflicts", { params: { query: { limit: most } }, signal }));
      const since = Date.now() - 7 * 86_400_000;
      const recent = page.items.filter((c) => new Date(c.created_at).getTime() >= since);
      return { items: recent, next_cursor: recent.length === page.items.length ? page.next_cursor : "" };
    },
  },
  { key: "kyc", label: t.kyc, to: "/admin/kyc", scope: "kyc:read", list: (signal) => ok(client.GET("/api/v1/kyc-documents", { params: { query: { state: "submitted", limit: most } }, signal })) },
  { key: "batches", label: t.batches, to: "/admin/payouts", scope: "payouts:read", list: (signal) => ok(client.GET("/api/v1/payout-batches", { params: { query: { state: "created", limit: most } }, signal })) },
  { key: "payout-requests", label: t.payoutRequests, to: "/admin/payout-requests", scope: "payouts:read", list: (signal) => ok(client.GET("/api/v1/payout-requests", { params: { query: { state: "waiting", limit: most } }, signal })) },
  { key: "webhooks", label: t.deadWebhooks, to: "/admin/webhooks?state=dead", scope: "webhooks:read", list: (signal) => ok(client.GET("/api/v1/webhook-deliveries", { params: { query: { state: "dead", limit: most } }, signal })) },
  { key: "mails", label: t.deadMails, to: "/admin/mails?state=dead", scope: "mail:read", list: (signal) => ok(client.GET("/api/v1/mails", { params: { query: { state: "dead", limit: most } }, signal })) },
];

/** What waits for somebody, with the way to it. */
export function Todo() {
  const me = useMe();
  const seen = items.filter(({ scope }) => may(me, scope));
  const answers = useQueries({
    queries: seen.map(({ key, list }) => ({ queryKey: ["todo", key], queryFn: ({ signal }: { signal: AbortSignal }) => list(signal), refetchInterval: 60_000 })),
  });
  const waiting = seen.map((item, i) => ({ ...item, answer: answers[i] })).filter(({ answer }) => (answer?.data?.items.length ?? 0) > 0);
  const failed = answers.some((a) => a.isError);
  const pending = answers.some((a) => a.isPending);
  return (
    <Stack gap="xs" component="section" aria-label={t.todo}>
      <Title order={2}>{t.todo}</Title>
      {pending && waiting.length === 0 && <LoadingState lines={2} />}
      {!pending && !failed && waiting.length === 0 && (
        <Group gap="xs" c="teal">
          <IconCircleCheck size={18} aria-hidden />
          <Text size="sm">{t.todoNone}</Text>
        </Group>
      )}
      <SimpleGrid cols={{ base: 1, xs: 2, md: 3, lg: 4 }} spacing="sm">
        {waiting.map(({ key, label, to, answer }) => (
          <UnstyledButton key={key} component={Link} to={to}>
            <Card padding="sm" radius="md">
              <Group wrap="nowrap" gap="sm">
                <Badge size="lg" variant="filled" color="red.9" circle={false}>
                  {answer?.data?.next_cursor ? fill(t.atLeast, { n: formatNumber(most) }) : formatNumber(answer?.data?.items.length ?? 0)}
                </Badge>
                <Text size="sm" style={{ flex: 1 }}>
                  {label}
                </Text>
                <IconChevronRight size={16} aria-hidden />
              </Group>
            </Card>
          </UnstyledButton>
        ))}
      </SimpleGrid>
      {failed && (
        <Text size="sm" c="dimmed">
          {t.todoUnknown}
        </Text>
      )}
    </Stack>
  );
}
