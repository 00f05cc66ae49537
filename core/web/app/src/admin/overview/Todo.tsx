import { Badge, Card, Group, SimpleGrid, Stack, Text, Title, UnstyledButton } from "@mantine/core";
import { IconChevronRight, IconCircleCheck } from "@tabler/icons-react";
import { Link } from "react-router";

import { api, type Schemas } from "../../api/client";
import { text } from "../../text";
import { formatNumber } from "../../ui/locale";
import { Loaded } from "../../ui/states";
import { Troubles } from "./Troubles";

const t = text.business;

type Task = Schemas["TodoItem"]["task"];

/** Where each is seen to. */
const pages: Record<Task, string> = {
  unknown_payouts: "/admin/payouts?state=executing",
  stray_payments: "/admin/payments?state=stray",
  payment_events: "/admin/payments?tab=events",
  order_reviews: "/admin/reviews",
  conflicts: "/admin/conversions?tab=conflicts",
  payout_batches: "/admin/payouts?state=created",
  payout_requests: "/admin/payout-requests",
  commission_reviews: "/admin/reviews?tab=balances",
  kyc_documents: "/admin/kyc",
  applications: "/admin/affiliates?status=pending",
  dead_webhooks: "/admin/webhooks?state=dead",
  dead_mails: "/admin/mails?state=dead",
};

// What a queue gave up is a task already, and no warning beside.
const givenUp: Record<string, Task> = { webhooks: "dead_webhooks", mail: "dead_mails", "payment events": "payment_events" };

function warningsOf(troubles: Schemas["Trouble"][], todo: Schemas["TodoItem"][]): number {
  const waits = (task: Task | undefined) => todo.some((item) => item.task === task && item.count > 0);
  return troubles.filter(({ state, kind, name }) => state === "warn" && !(kind === "queue" && waits(givenUp[name]))).length;
}

const refreshEvery = 60_000; // ms

/** What waits for somebody and what is not well, with the way to it. The core counts, and tells each only what they may see. */
export function Todo() {
  const overview = api.useQuery("get", "/api/v1/overview", {}, { refetchInterval: refreshEvery });
  return (
    <Stack gap="xs" component="section" aria-label={t.todo}>
      <Title order={2}>{t.todo}</Title>
      <Loaded query={overview} lines={2}>
        {({ todo, system }) => (
          <>
            {system?.state === "bad" && <Troubles of={system.troubles.filter(({ state }) => state === "bad")} />}
            <Waiting todo={todo} warnings={system ? warningsOf(system.troubles, todo) : 0} well={system?.state !== "bad"} />
          </>
        )}
      </Loaded>
    </Stack>
  );
}

function Waiting({ todo, warnings, well }: { todo: Schemas["TodoItem"][]; warnings: number; well: boolean }) {
  const waiting = todo.filter(({ count }) => count > 0);
  if (waiting.length === 0 && warnings === 0) {
    return (
      well && (
        <Group gap="xs" c="teal">
          <IconCircleCheck size={18} aria-hidden />
          <Text size="sm">{t.todoNone}</Text>
        </Group>
      )
    );
  }
  return (
    <SimpleGrid cols={{ base: 1, xs: 2, md: 3, lg: 4 }} spacing="sm">
      {waiting.map(({ task, count }) => (
        <Entry key={task} to={pages[task] ?? "/admin"} label={t.tasks[task] ?? task} count={count} color="red.9" />
      ))}
      {warnings > 0 && <Entry to="/admin/system" label={t.systemWarns} count={warnings} color="orange.9" />}
    </SimpleGrid>
  );
}

function Entry({ to, label, count, color }: { to: string; label: string; count: number; color: string }) {
  return (
    <UnstyledButton component={Link} to={to}>
      <Card padding="sm" radius="md">
        <Group wrap="nowrap" gap="sm">
          <Badge size="lg" variant="filled" color={color} circle={false}>
            {formatNumber(count)}
          </Badge>
          <Text size="sm" style={{ flex: 1 }}>
            {label}
          </Text>
          <IconChevronRight size={16} aria-hidden />
        </Group>
      </Card>
    </UnstyledButton>
  );
}
