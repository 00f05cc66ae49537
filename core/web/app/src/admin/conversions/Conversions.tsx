import { Select, Tabs, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconSearch } from "@tabler/icons-react";

import { source } from "../../api/call";
import { client, type Schemas } from "../../api/client";
import { may, useMe } from "../../session/Session";
import { text } from "../../text";
import { Money } from "../../ui/Money";
import { Page } from "../../ui/Page";
import { StateBadge } from "../../ui/StateBadge";
import { EmptyState } from "../../ui/states";
import { DataTable, type Column } from "../../ui/table/DataTable";
import { useQueryState } from "../../ui/useQueryState";
import { When } from "../../ui/When";
import { withNames, type Named } from "../parts/names";
import { AffiliatePicker, ProgramPicker } from "../parts/pickers";
import { Ref } from "../parts/Ref";
import { Conflicts } from "./Conflicts";
import { Upload } from "./Upload";

type Conversion = Schemas["Conversion"];

const t = text.bookings;

export const conversionState = (c: Conversion): string => (c.closed && c.state === "booked" ? c.closed : c.state);

const columns: Column<Named<Conversion>>[] = [
  { key: "txn", title: t.transaction, value: ({ row }) => row.txn_id },
  { key: "type", title: t.type, value: ({ row }) => text.conversionTypes[row.type] ?? row.type },
  { key: "amount", title: t.amount, value: ({ row }) => row.amount?.minor ?? 0, render: ({ row }) => row.amount && <Money amount={row.amount} />, align: "right" },
  { key: "affiliate", title: t.affiliate, value: ({ row, name }) => (row.affiliate_id ? name(row.affiliate_id) : ""), render: ({ row, name }) => (row.affiliate_id ? <Ref id={row.affiliate_id} name={name(row.affiliate_id)} /> : t.unattributed) },
  { key: "state", title: t.state, value: ({ row }) => text.states[conversionState(row)] ?? row.state, render: ({ row }) => <StateBadge state={conversionState(row)} /> },
  { key: "channel", title: t.channel, value: ({ row }) => t.channels[row.channel] ?? row.channel, wide: true },
  { key: "program", title: t.program, value: ({ row, name }) => name(row.program_id), wide: true },
  { key: "received", title: t.received, value: ({ row }) => row.received_at, render: ({ row }) => <When at={row.received_at} /> },
];

export function Conversions() {
  const me = useMe();
  const [tab, setTab] = useQueryState("tab", "all");
  return (
    <Page title={text.nav.conversions} about={t.conversionsAbout}>
      <Tabs value={tab} onChange={setTab} keepMounted={false}>
        <Tabs.List mb="md">
          <Tabs.Tab value="all">{t.tabs.all}</Tabs.Tab>
          <Tabs.Tab value="conflicts">{t.tabs.conflicts}</Tabs.Tab>
          {may(me, "conversions:write") && <Tabs.Tab value="upload">{t.tabs.upload}</Tabs.Tab>}
        </Tabs.List>
        <Tabs.Panel value="all">
          <All />
        </Tabs.Panel>
        <Tabs.Panel value="conflicts">
          <Conflicts />
        </Tabs.Panel>
        <Tabs.Panel value="upload">
          <Upload />
        </Tabs.Panel>
      </Tabs>
    </Page>
  );
}

const types = ["lead", "sale", "refund", "rejected", "restored"] as const;
const states = ["booked", "waiting", "refused"] as const;

function All() {
  const [type, setType] = useQueryState("type");
  const [state, setState] = useQueryState("state");
  const [program, setProgram] = useQueryState("program");
  const [affiliate, setAffiliate] = useQueryState("affiliate");
  const [needle, setNeedle] = useQueryState("txn");
  const [txn] = useDebouncedValue(needle.trim(), 300);
  const query = {
    ...(type && { type: type as Conversion["type"] }),
    ...(state && { state: state as Conversion["state"] }),
    ...(program && { program_id: program }),
    ...(affiliate && { affiliate_id: affiliate }),
    ...(txn && { txn_id: txn }),
  };
  return (
    <DataTable
      name={text.nav.conversions}
      source={withNames(
        source<Conversion>(["conversions", query], (page, signal) => client.GET("/api/v1/conversions", { params: { query: { ...page, ...query } }, signal })),
        (row) => [row.affiliate_id, row.program_id],
      )}
      rowKey={({ row }) => row.id}
      columns={columns}
      to={({ row }) => `/admin/conversions/${row.id}`}
      empty={<EmptyState title={Object.keys(query).length > 0 ? t.noConversionFits : t.noConversions} />}
      filters={
        <>
          <Select aria-label={t.type} placeholder={t.anyType} clearable data={types.map((value) => ({ value, label: text.conversionTypes[value] ?? value }))} value={type || null} onChange={setType} w={{ base: "100%", xs: 140 }} />
          <Select aria-label={t.state} placeholder={t.anyState} clearable data={states.map((value) => ({ value, label: text.states[value] ?? value }))} value={state || null} onChange={setState} w={{ base: "100%", xs: 150 }} />
          <ProgramPicker aria-label={t.program} placeholder={text.partners.anyProgram} value={program} onChange={setProgram} w={{ base: "100%", xs: 170 }} />
          <AffiliatePicker aria-label={t.affiliate} placeholder={t.anyAffiliate} value={affiliate} onChange={setAffiliate} w={{ base: "100%", xs: 190 }} />
          <TextInput aria-label={t.transactionIs} placeholder={t.transactionIs} leftSection={<IconSearch size={16} aria-hidden />} value={needle} onChange={(e) => setNeedle(e.currentTarget.value)} w={{ base: "100%", xs: 180 }} />
        </>
      }
    />
  );
}
