import { Code, Stack, Text } from "@mantine/core";

import type { Schemas } from "../../api/client";
import { fill, text } from "../../text";
import { formatNumber } from "../../ui/locale";
import { SmallTable } from "../../ui/table/SmallTable";
import { Ref } from "../parts/Ref";
import { difference, oversized, type Change } from "./difference";
import classes from "./Entry.module.css";

type Entry = Schemas["AuditEntry"];
const t = text.auditLog;

/** "program.update" in words: "Program: update". */
export function actionWords(action: string): string {
  return action.charAt(0).toUpperCase() + action.slice(1).replaceAll("_", " ").replace(".", ": ");
}

export function actorName(entry: Entry, name: (id: string) => string): string {
  const { kind, id, name: was } = entry.actor;
  return kind === "system" ? t.system : kind === "token" ? fill(t.token, { name: was || id }) : name(id);
}

export function Actor({ entry, name }: { entry: Entry; name: (id: string) => string }) {
  return entry.actor.kind === "person" ? <Ref id={entry.actor.id} name={actorName(entry, name)} /> : <>{actorName(entry, name)}</>;
}

/** What was and what is, as a table of what differs. */
export function Difference({ entry }: { entry: Entry }) {
  const large = oversized(entry.after) ?? oversized(entry.before);
  if (large) {
    return <Text size="sm">{fill(t.oversized, { bytes: formatNumber(large.oversized_bytes), sum: large.sha256 })}</Text>;
  }
  const changes = difference(entry.before, entry.after);
  if (changes.length === 0) {
    return (
      <Text size="sm" c="dimmed">
        {t.nothing}
      </Text>
    );
  }
  const both = entry.before !== null && entry.after !== null;
  return (
    <Stack gap="xs">
      <Text size="sm" fw={600}>
        {both ? t.changed : entry.before === null ? t.made : t.removed}
      </Text>
      <SmallTable
        name={t.changed}
        layout="fixed"
        minWidth={300}
        rows={changes}
        rowKey={(c) => c.field}
        columns={[
          { key: "field", title: t.field, head: true, width: "28%", value: (c) => c.field.replaceAll("_", " ") },
          ...(entry.before !== null ? [{ key: "before", title: t.before, value: (c: Change) => c.before ?? "", render: (c: Change) => <Value of={c.before} mark={both ? classes.old : undefined} /> }] : []),
          ...(entry.after !== null ? [{ key: "after", title: t.after, value: (c: Change) => c.after ?? "", render: (c: Change) => <Value of={c.after} mark={both ? classes.new : undefined} /> }] : []),
        ]}
      />
      {both && (
        <Text size="xs" c="dimmed">
          {t.unchanged}
        </Text>
      )}
    </Stack>
  );
}

function Value({ of, mark }: { of: string | undefined; mark?: string }) {
  return of === undefined ? (
    <Text span size="sm" c="dimmed" fs="italic">
      {t.blank}
    </Text>
  ) : (
    <Code className={mark} style={{ whiteSpace: "pre-wrap" }}>
      {of}
    </Code>
  );
}
