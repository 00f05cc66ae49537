import { Alert, Card, Group, SimpleGrid, Stack, Text, Title } from "@mantine/core";
import { useDocumentVisibility } from "@mantine/hooks";
import { IconAlertTriangle, IconCheck, IconX } from "@tabler/icons-react";
import type { ReactNode } from "react";

import { api } from "../../api/client";
import type { paths } from "../../api/schema";
import { fill, text } from "../../text";
import { HealthBadge } from "../../ui/HealthBadge";
import { formatBytes, formatAgo, formatDateTime } from "../../ui/locale";
import { Page } from "../../ui/Page";
import { Loaded } from "../../ui/states";
import { Nodes } from "./Nodes";
import { Bench, LedgerCheck, Queues, Stores } from "./parts";

export type Health = paths["/api/v1/system"]["get"]["responses"][200]["content"]["application/json"];
const t = text.system;

const refreshEvery = 10_000; // ms

/** The state of the whole machinery on one page. */
export function System() {
  const visible = useDocumentVisibility() === "visible";
  const query = api.useQuery("get", "/api/v1/system", {}, { refetchInterval: visible ? refreshEvery : false });
  return (
    <Page title={text.nav.system} about={t.about}>
      <Loaded query={query} lines={12}>
        {(health) => (
          <Stack gap="lg">
            <Verdict health={health} />
            <Nodes nodes={health.nodes} />
            <Queues queues={health.queues} />
            <SimpleGrid cols={{ base: 1, md: 2 }} spacing="lg">
              <Stores stores={health.stores} />
              <LedgerCheck ledger={health.ledger} />
            </SimpleGrid>
            <SimpleGrid cols={{ base: 1, md: 2 }} spacing="lg" style={{ alignItems: "start" }}>
              <Lines title={t.checks} lines={health.checks.map((c) => ({ ...c, detail: c.text }))} />
              <Lines title={t.work} lines={health.work.map((w) => ({ ...w, detail: w.ended_at ? fill(t.ended, { at: formatDateTime(w.ended_at) }) : t.running }))} />
            </SimpleGrid>
            <SimpleGrid cols={{ base: 1, md: 2 }} spacing="lg">
              <Process process={health.process} />
              <Bench bench={health.bench} />
            </SimpleGrid>
          </Stack>
        )}
      </Loaded>
    </Page>
  );
}

function Verdict({ health }: { health: Health }) {
  const states = [...health.nodes, ...health.stores, ...health.queues, ...health.checks, ...health.work, health.ledger].map((p) => p.state);
  const worst = states.includes("bad") ? "bad" : states.includes("warn") ? "warn" : "ok";
  const looks = {
    ok: { color: "teal", title: t.allGood, icon: <IconCheck /> },
    warn: { color: "orange", title: t.someWarn, icon: <IconAlertTriangle /> },
    bad: { color: "red", title: t.someBad, icon: <IconX /> },
  }[worst];
  return (
    <Alert role="status" color={looks.color} title={looks.title} icon={looks.icon}>
      {fill(t.refreshed, { at: formatDateTime(health.at) })}
    </Alert>
  );
}

export function Section({ title, about, children }: { title: string; about?: string; children: ReactNode }) {
  const id = title.toLowerCase().replaceAll(" ", "-");
  return (
    <Card component="section" aria-labelledby={id}>
      <Title order={2} id={id} mb={about ? 0 : "sm"}>
        {title}
      </Title>
      {about && (
        <Text size="sm" c="dimmed" mb="sm">
          {about}
        </Text>
      )}
      {children}
    </Card>
  );
}

interface Line {
  name: string;
  state: "ok" | "warn" | "bad";
  detail: string;
}

function Lines({ title, lines }: { title: string; lines: Line[] }) {
  return (
    <Section title={title}>
      <Stack gap={6}>
        {lines.map((l) => (
          <Group key={l.name} justify="space-between" wrap="nowrap" gap="sm">
            <div style={{ minWidth: 0 }}>
              <Text size="sm" fw={600}>
                {capital(l.name)}
              </Text>
              <Text size="xs" c="dimmed" style={{ overflowWrap: "anywhere" }}>
                {capital(l.detail)}
              </Text>
            </div>
            <HealthBadge state={l.state} />
          </Group>
        ))}
      </Stack>
    </Section>
  );
}

function Process({ process: p }: { process: Health["process"] }) {
  const facts: [string, ReactNode][] = [
    [t.version, `${p.version} (${p.go_version})`],
    [t.role, p.role],
    [t.up, `${formatDateTime(p.started_at)} (${formatAgo(p.started_at)})`],
    [t.memory, formatBytes(p.memory_bytes)],
  ];
  return (
    <Section title={t.process}>
      <Stack gap={4}>
        {facts.map(([name, value]) => (
          <Group key={name} justify="space-between" gap="sm">
            <Text size="sm" c="dimmed">
              {name}
            </Text>
            <Text size="sm">{value}</Text>
          </Group>
        ))}
      </Stack>
    </Section>
  );
}

/** What the core says of its parts begins small, as in the middle of a sentence. */
export const capital = (words: string): string => words.charAt(0).toUpperCase() + words.slice(1);
