import { Code, Stack, Table, Text } from "@mantine/core";

import type { Schemas } from "../../api/client";
import { fill, text } from "../../text";
import { formatNumber } from "../../ui/locale";
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
      <div tabIndex={0} role="region" aria-label={t.changed} className={classes.scroll}>
        <Table verticalSpacing={6} fz="sm" layout="fixed" className={classes.table}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th w="28%">{t.field}</Table.Th>
              {entry.before !== null && <Table.Th>{t.before}</Table.Th>}
              {entry.after !== null && <Table.Th>{t.after}</Table.Th>}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {changes.map((c) => (
              <Row key={c.field} change={c} before={entry.before !== null} after={entry.after !== null} />
            ))}
          </Table.Tbody>
        </Table>
      </div>
      {both && (
        <Text size="xs" c="dimmed">
          {t.unchanged}
        </Text>
      )}
    </Stack>
  );
}

function Row({ change: c, before, after }: { change: Change; before: boolean; after: boolean }) {
  return (
    <Table.Tr>
      <Table.Th scope="row" fw={500} className={classes.cell}>
        {c.field.replaceAll("_", " ")}
      </Table.Th>
      {before && (
        <Table.Td className={classes.cell}>
          <Value of={c.before} mark={after ? classes.old : undefined} />
        </Table.Td>
      )}
      {after && (
        <Table.Td className={classes.cell}>
          <Value of={c.after} mark={before ? classes.new : undefined} />
        </Table.Td>
      )}
    </Table.Tr>
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
