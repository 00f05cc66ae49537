import { Card, Group, SimpleGrid, Stack, Text, Title } from "@mantine/core";

import { fill, text } from "../../text";
import { HealthBadge } from "../../ui/HealthBadge";
import { formatBytes, formatNumber } from "../../ui/locale";
import { EmptyState } from "../../ui/states";
import { When } from "../../ui/When";
import { capital, Section, type Health } from "./System";

type Node = Health["nodes"][number];
const t = text.system;

/** Trackers, and how far behind they are. */
export function Nodes({ nodes }: { nodes: Node[] }) {
  return (
    <Section title={t.nodes} about={t.nodesAbout}>
      {nodes.length === 0 ? (
        <EmptyState title={t.noNodes} />
      ) : (
        <SimpleGrid cols={{ base: 1, sm: 2, xl: 3 }}>
          {nodes.map((n) => (
            <NodeCard key={n.node} node={n} />
          ))}
        </SimpleGrid>
      )}
    </Section>
  );
}

function NodeCard({ node: n }: { node: Node }) {
  return (
    <Card padding="sm" radius="md">
      <Group justify="space-between">
        <Title order={3} fz="md">
          {fill(t.node, { n: n.node })}
          {n.here && (
            <Text span size="sm" c="dimmed" fw={400}>
              {" "}
              {t.here}
            </Text>
          )}
        </Title>
        <HealthBadge state={n.state} />
      </Group>
      <Text size="sm" mb="xs">
        {capital(n.text)}
      </Text>
      <Stack gap={2}>
        <Fact name={t.seen}>
          <When at={n.seen_at} as="ago" />
        </Fact>
        <Fact name={t.version}>{n.version}</Fact>
        <Fact name={t.links}>{formatNumber(n.links)}</Fact>
        <Fact name={t.feed}>{n.feed_behind === 0 ? t.feedNone : fill(t.feedBehind, { n: formatNumber(n.feed_behind), s: formatNumber(Math.round(n.feed_lag_seconds)) })}</Fact>
        {n.spools.map((s) => (
          <Fact key={s.name} name={`${t.spool}: ${t.spools[s.name] ?? s.name}`}>
            {s.pending === 0 ? t.nothingWaits : fill(t.waiting, { n: formatNumber(s.pending), s: formatNumber(Math.round(s.oldest_seconds)) })}
            {s.quarantined > 0 && ` · ${fill(t.quarantined, { n: formatNumber(s.quarantined) })}`}
            {" · "}
            {fill(t.disk, { used: formatBytes(s.disk_bytes), limit: formatBytes(s.limit_bytes) })}
          </Fact>
        ))}
      </Stack>
    </Card>
  );
}

function Fact({ name, children }: { name: string; children: React.ReactNode }) {
  return (
    <Group justify="space-between" gap="sm" align="flex-start" wrap="nowrap">
      <Text size="sm" c="dimmed" style={{ flex: "none" }}>
        {name}
      </Text>
      <Text size="sm" ta="right" component="div">
        {children}
      </Text>
    </Group>
  );
}
