import { Code, Text } from "@mantine/core";

import { source } from "../../api/call";
import { api, client, type Schemas } from "../../api/client";
import { may, useMe } from "../../session/Session";
import { text } from "../../text";
import { EmptyState } from "../../ui/states";
import { DataTable, type Column } from "../../ui/table/DataTable";
import { When } from "../../ui/When";
import { actionWords } from "../audit/Entry";
import { Ref } from "./Ref";

type Entry = Schemas["AuditEntry"];

const t = text.partners;

const columns: Column<Entry>[] = [
  { key: "action", title: t.action, value: (e) => e.action, render: (e) => actionWords(e.action) },
  { key: "changes", title: t.updated, value: (e) => JSON.stringify(changes(e)), render: (e) => <Changes entry={e} /> },
  { key: "reason", title: t.reason, value: (e) => e.reason },
  { key: "by", title: t.by, value: (e) => e.actor.id || e.actor.name || t.bySystem, render: (e) => (e.actor.kind === "person" ? <Person id={e.actor.id} /> : e.actor.name || t.bySystem) },
  { key: "at", title: t.at, value: (e) => e.at, render: (e) => <When at={e.at} /> },
];

/** What was done to one object, from the audit log. */
export function History({ object }: { object: string }) {
  return (
    <DataTable
      name={t.history}
      source={source<Entry>(["audit", object], (page, signal) => client.GET("/api/v1/audit-log", { params: { query: { ...page, object } }, signal }))}
      rowKey={(e) => e.id}
      columns={columns}
      empty={<EmptyState title={t.noHistory} />}
    />
  );
}

/** Few people change things, so each is asked for once. */
function Person({ id }: { id: string }) {
  const seen = may(useMe(), "people:read");
  const { data } = api.useQuery("get", "/api/v1/people/{id}", { params: { path: { id } } }, { enabled: seen, staleTime: 300_000 });
  return <Ref id={id} name={data?.name || data?.email} />;
}

type Change = [field: string, before: unknown, after: unknown];

/** The fields that are not what they were. Times of change say nothing. */
function changes({ before, after }: Entry): Change[] {
  const [a, b] = [before, after].map((v) => (typeof v === "object" && v !== null ? (v as Record<string, unknown>) : {})) as [Record<string, unknown>, Record<string, unknown>];
  if (!before || !after) {
    return [];
  }
  return [...new Set([...Object.keys(a), ...Object.keys(b)])]
    .filter((key) => key !== "updated_at" && JSON.stringify(a[key]) !== JSON.stringify(b[key]))
    .map((key) => [key, a[key], b[key]]);
}

function Changes({ entry }: { entry: Entry }) {
  const list = changes(entry);
  if (list.length === 0) {
    return null;
  }
  return (
    <div>
      {list.map(([field, before, after]) => (
        <Text key={field} size="xs" style={{ overflowWrap: "anywhere" }}>
          {field.replaceAll("_", " ")}: <Code>{shown(before)}</Code> → <Code>{shown(after)}</Code>
        </Text>
      ))}
    </div>
  );
}

function shown(value: unknown): string {
  if (value === undefined || value === null || value === "") {
    return "–";
  }
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length > 120 ? text.slice(0, 119) + "…" : text;
}
