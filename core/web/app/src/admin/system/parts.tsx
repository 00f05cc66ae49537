import { Anchor, Group, Stack, Text, Title } from "@mantine/core";
import { Link } from "react-router";

import { may, useMe } from "../../session/Session";
import { fill, text } from "../../text";
import { CopyText } from "../../ui/CopyText";
import { HealthBadge } from "../../ui/HealthBadge";
import { formatBytes, formatDateTime, formatNumber } from "../../ui/locale";
import { EmptyState } from "../../ui/states";
import { DataTable, type Column } from "../../ui/table/DataTable";
import { capital, Section, type Health } from "./System";

const t = text.system;

type Queue = Health["queues"][number];

const columns: Column<Queue>[] = [
  { key: "name", title: t.queue, value: (q) => capital(q.name) },
  { key: "state", title: t.state, value: (q) => t.states[q.state] ?? q.state, render: (q) => <HealthBadge state={q.state} /> },
  { key: "pending", title: t.pending, value: (q) => q.pending, render: (q) => formatNumber(q.pending), align: "right" },
  { key: "oldest", title: t.oldest, value: (q) => Math.round(q.oldest_seconds), render: (q) => fill(t.seconds, { n: formatNumber(Math.round(q.oldest_seconds)) }), align: "right" },
  { key: "dead", title: t.dead, value: (q) => q.dead, render: (q) => formatNumber(q.dead), align: "right" },
  { key: "text", title: t.what, value: (q) => capital(q.text) },
];

export function Queues({ queues }: { queues: Queue[] }) {
  return (
    <Stack gap="sm" component="section" aria-labelledby="queues">
      <Title order={2} id="queues">
        {t.queues}
      </Title>
      <DataTable name={t.queues} columns={columns} source={queues} rowKey={(q) => q.name} />
    </Stack>
  );
}

export function Stores({ stores }: { stores: Health["stores"] }) {
  return (
    <Section title={t.stores}>
      <Stack gap="sm">
        {stores.map((s) => (
          <div key={s.name}>
            <Group justify="space-between">
              <Text fw={600}>{t.storeNames[s.name] ?? s.name}</Text>
              <HealthBadge state={s.state} />
            </Group>
            <Text size="sm">{capital(s.text)}</Text>
            <Text size="sm" c="dimmed">
              {[s.kind, fill(t.latency, { ms: formatNumber(Math.round(s.latency_ms * 10) / 10) }), s.size_bytes > 0 && formatBytes(s.size_bytes), s.schema_version > 0 && fill(t.schema, { n: s.schema_version })]
                .filter(Boolean)
                .join(" · ")}
            </Text>
          </div>
        ))}
      </Stack>
    </Section>
  );
}

export function LedgerCheck({ ledger: l }: { ledger: Health["ledger"] }) {
  const me = useMe();
  return (
    <Section title={t.ledger}>
      <Stack gap={4}>
        <Group justify="space-between">
          {may(me, "ledger:read") ? (
            <Anchor component={Link} to="/admin/ledger">
              {t.verify}
            </Anchor>
          ) : (
            <span />
          )}
          <HealthBadge state={l.state} />
        </Group>
        <Text size="sm">{capital(l.text)}</Text>
        <Text size="sm" c="dimmed">
          {l.verified_at ? fill(t.verified, { at: formatDateTime(l.verified_at), n: formatNumber(l.transactions) }) : t.unverified}
          {l.unsealed > 0 && ` · ${fill(t.unsealed, { n: formatNumber(l.unsealed) })}`}
        </Text>
        {l.head && (
          <Text size="sm" component="div">
            {t.head}: <CopyText value={l.head} />
          </Text>
        )}
      </Stack>
    </Section>
  );
}

// As edgeref bench writes it; a page shows what it finds there.
interface Result {
  command?: string;
  links?: { rate?: number; p99_ns?: number; failed?: number };
}

export function Bench({ bench }: { bench: Health["bench"] }) {
  const result = bench.result as Result | null;
  return (
    <Section title={t.bench}>
      {bench.at && result ? (
        <>
          <Text size="sm">
            {fill(t.benchOf, {
              command: result.command ?? "bench", rate: formatNumber(Math.round(result.links?.rate ?? 0)),
              p99: formatNumber(Math.round((result.links?.p99_ns ?? 0) / 1e5) / 10), errors: formatNumber(result.links?.failed ?? 0),
            })}
          </Text>
          <Text size="sm" c="dimmed">
            {formatDateTime(bench.at)}
          </Text>
        </>
      ) : (
        <EmptyState title={t.noBench}>{t.benchHow}</EmptyState>
      )}
    </Section>
  );
}
