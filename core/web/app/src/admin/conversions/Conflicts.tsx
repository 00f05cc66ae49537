import { Anchor, Stack, Text } from "@mantine/core";
import { Link } from "react-router";

import { source } from "../../api/call";
import { client, type Schemas } from "../../api/client";
import { text } from "../../text";
import { Money } from "../../ui/Money";
import { EmptyState } from "../../ui/states";
import { DataTable, type Column } from "../../ui/table/DataTable";
import { When } from "../../ui/When";
import { withNames, type Named } from "../parts/names";
import { Ref } from "../parts/Ref";

type Conflict = Schemas["Conflict"];

const t = text.bookings;

const columns: Column<Named<Conflict>>[] = [
  { key: "txn", title: t.transaction, value: ({ row }) => row.txn_id },
  { key: "type", title: t.type, value: ({ row }) => text.conversionTypes[row.type] ?? row.type },
  { key: "amount", title: t.amount, value: ({ row }) => row.amount?.minor ?? 0, render: ({ row }) => row.amount && <Money amount={row.amount} />, align: "right" },
  { key: "program", title: t.program, value: ({ row, name }) => name(row.program_id), render: ({ row, name }) => <Ref id={row.program_id} name={name(row.program_id)} /> },
  { key: "detail", title: t.detail, value: ({ row }) => row.detail },
  { key: "channel", title: t.channel, value: ({ row }) => t.channels[row.channel] ?? row.channel, wide: true },
  { key: "at", title: t.at, value: ({ row }) => row.created_at, render: ({ row }) => <When at={row.created_at} /> },
  {
    key: "booked",
    title: t.about,
    value: () => "",
    render: ({ row }) => (
      <Anchor component={Link} to={`/admin/conversions?txn=${encodeURIComponent(row.txn_id)}`} inherit>
        {t.bookedBefore}
      </Anchor>
    ),
  },
];

/** What came in and could not be booked. */
export function Conflicts() {
  return (
    <Stack gap="sm">
      <Text c="dimmed" size="sm" maw="44rem">
        {t.conflictsAbout}
      </Text>
      <DataTable
        name={t.conflicts}
        source={withNames(
          source<Conflict>(["conflicts"], (query, signal) => client.GET("/api/v1/conversion-conflicts", { params: { query }, signal })),
          (row) => [row.program_id],
        )}
        rowKey={({ row }) => row.id}
        columns={columns}
        empty={<EmptyState title={t.noConflicts} />}
      />
    </Stack>
  );
}
