import { Badge, Card, Group, Select, Stack, Text, Title } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { ok, source } from "../../api/call";
import { client, type Schemas } from "../../api/client";
import { useMe } from "../../session/Session";
import { fill, text } from "../../text";
import { formatBytes } from "../../ui/locale";
import { Page } from "../../ui/Page";
import { countryName } from "../../ui/span";
import { StateBadge } from "../../ui/StateBadge";
import { EmptyState, Loaded } from "../../ui/states";
import { DataTable, type Column } from "../../ui/table/DataTable";
import { When } from "../../ui/When";
import { countries } from "../payouts/countries";
import { useOutlooks } from "../payouts/Payouts";
import { UploadForm } from "./UploadForm";

type Document = Schemas["KYCDocument"];
const t = text.documents;

export const kindName = (kind: string): string => t.kinds[kind] ?? kind.replaceAll("_", " ");

const columns: Column<Document>[] = [
  { key: "kind", title: t.kind, value: (d) => `${kindName(d.kind)}, ${countryName(d.country)}` },
  { key: "file_name", title: t.name, value: (d) => d.file_name, wide: true },
  { key: "size", title: t.size, value: (d) => d.size, render: (d) => (d.size ? formatBytes(d.size) : "–"), align: "right", wide: true },
  { key: "updated_at", title: t.at, value: (d) => d.updated_at, render: (d) => <When at={d.updated_at} /> },
  { key: "reason", title: t.reason, value: (d) => d.reason, render: (d) => d.reason || "–" },
  { key: "state", title: t.state, value: (d) => d.state, render: (d) => <StateBadge state={d.state} /> },
];

/** The documents by which an affiliate is known: what is needed, sending it, and what was decided. */
export function Documents() {
  const me = useMe();
  const cache = useQueryClient();
  const need = useQuery({ queryKey: ["kyc-requirements"], queryFn: ({ signal }) => ok(client.GET("/api/v1/me/affiliate/kyc-requirements", { signal })) });
  const sent = useQuery({
    queryKey: ["own-documents"],
    queryFn: async ({ signal }) => (await ok(client.GET("/api/v1/me/affiliate/kyc-documents", { params: { query: { limit: 200 } }, signal }))).items,
  });
  const outlooks = useOutlooks();
  const [picked, setPicked] = useState<string | null>(null);
  const country = picked ?? outlooks.data?.find((o) => o.country)?.country ?? "IN";
  const done = () => Promise.all(["own-documents", "table", "own-outlook"].map((key) => cache.invalidateQueries({ queryKey: [key] })));
  return (
    <Page title={text.nav.documents} about={t.about}>
      <Loaded query={need}>
        {(rules) => {
          const kinds = [...new Set([...(rules.countries["*"] ?? []), ...(rules.countries[country] ?? [])])];
          return (
            <>
              <Card component="section" aria-label={t.needed}>
                <Group justify="space-between" align="flex-end" mb="sm">
                  <Title order={2} size="h4">
                    {t.needed}
                  </Title>
                  <Select aria-label={t.country} searchable allowDeselect={false} data={countries()} value={country} onChange={setPicked} w={190} />
                </Group>
                {kinds.length === 0 ? <Text>{fill(t.neededNone, { country: countryName(country) })}</Text> : <Needed kinds={kinds} country={country} sent={sent.data ?? []} />}
              </Card>
              {!me.read_only && <UploadForm key={country} country={country} kinds={kinds} rules={rules} waiting={(sent.data ?? []).filter((d) => d.country === country)} done={done} />}
            </>
          );
        }}
      </Loaded>
      <Title order={2}>{t.list}</Title>
      <DataTable
        name={t.list}
        columns={columns}
        source={source<Document>(["own-documents"], (query, signal) => client.GET("/api/v1/me/affiliate/kyc-documents", { params: { query }, signal }))}
        rowKey={(d) => d.id}
        empty={<EmptyState title={t.empty}>{t.emptyText}</EmptyState>}
      />
    </Page>
  );
}

function Needed({ kinds, country, sent }: { kinds: string[]; country: string; sent: Document[] }) {
  return (
    <Stack gap="xs" component="ul" m={0} p={0} style={{ listStyle: "none" }}>
      {kinds.map((kind) => {
        const mine = sent.filter((d) => d.kind === kind && d.country === country);
        // One that was accepted counts, whatever came after it.
        const best = mine.find((d) => d.state === "accepted") ?? mine[0];
        return (
          <Group key={kind} component="li" justify="space-between" align="flex-start">
            <div>
              <Text fw={600}>{kindName(kind)}</Text>
              {best?.state === "rejected" && <Text size="sm">{fill(t.refusedText, { reason: best.reason })}</Text>}
            </div>
            {best && best.state !== "awaiting" ? (
              <StateBadge state={best.state} />
            ) : (
              <Badge variant="light" color="orange" tt="none">
                {t.missing}
              </Badge>
            )}
          </Group>
        );
      })}
    </Stack>
  );
}
