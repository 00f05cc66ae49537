import { Button, Group, SegmentedControl, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconPlus, IconSearch } from "@tabler/icons-react";
import { useState } from "react";

import { source } from "../../api/call";
import { client, type Schemas } from "../../api/client";
import { may, useMe } from "../../session/Session";
import { text } from "../../text";
import { Page } from "../../ui/Page";
import { StateBadge } from "../../ui/StateBadge";
import { EmptyState } from "../../ui/states";
import { DataTable, type Column } from "../../ui/table/DataTable";
import { useQueryState } from "../../ui/useQueryState";
import { When } from "../../ui/When";
import { withNames, type Named } from "../parts/names";
import { GroupPicker } from "../parts/pickers";
import { Ref } from "../parts/Ref";
import { AffiliateForm } from "./AffiliateForm";
import { BulkDeeds, type BulkDeed } from "./BulkDeeds";

export type Affiliate = Schemas["Affiliate"];

const t = text.partners;

const columns: Column<Named<Affiliate>>[] = [
  { key: "name", title: t.name, value: ({ row }) => row.name },
  { key: "email", title: t.email, value: ({ row }) => row.email },
  { key: "status", title: t.status, value: ({ row }) => text.states[row.status] ?? row.status, render: ({ row }) => <StateBadge state={row.status} label={row.status === "pending" ? t.applied : undefined} /> },
  { key: "group", title: t.group, value: ({ row, name }) => (row.group_id ? name(row.group_id) : "") },
  { key: "sponsor", title: t.sponsor, value: ({ row, name }) => (row.sponsor_id ? name(row.sponsor_id) : ""), render: ({ row, name }) => row.sponsor_id && <Ref id={row.sponsor_id} name={name(row.sponsor_id)} />, wide: true },
  { key: "joined", title: t.joined, value: ({ row }) => row.created_at, render: ({ row }) => <When at={row.created_at} as="date" /> },
];

export function Affiliates() {
  const me = useMe();
  const [status, setStatus] = useQueryState("status");
  const [group, setGroup] = useQueryState("group");
  const [needle, setNeedle] = useQueryState("q");
  const [wanted] = useDebouncedValue(needle.trim(), 250);
  const [making, setMaking] = useState(false);
  const [deed, setDeed] = useState<{ kind: BulkDeed; rows: Affiliate[] }>();
  const writes = may(me, "catalog:write");

  const query = { ...(status && { status: status as Affiliate["status"] }), ...(group && { group_id: group }), ...(wanted && (wanted.includes("@") ? { email: wanted } : { name: wanted })) };
  const list = withNames(
    source<Affiliate>(["affiliates", query], (page, signal) => client.GET("/api/v1/affiliates", { params: { query: { ...page, ...query } }, signal })),
    (row) => [row.group_id, row.sponsor_id],
  );
  const begin = (kind: BulkDeed, chosen: Named<Affiliate>[]) => setDeed({ kind, rows: chosen.map(({ row }) => row) });

  return (
    <Page
      title={text.nav.affiliates}
      about={t.affiliatesAbout}
      actions={
        writes && (
          <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setMaking(true)}>
            {t.addAffiliate}
          </Button>
        )
      }
    >
      <DataTable
        name={text.nav.affiliates}
        source={list}
        rowKey={({ row }) => row.id}
        columns={columns}
        to={({ row }) => `/admin/affiliates/${row.id}`}
        empty={<EmptyState title={status === "pending" ? t.noApplications : t.noAffiliates} />}
        searched
        filters={
          <>
            <SegmentedControl
              aria-label={t.status}
              value={status}
              onChange={setStatus}
              data={[
                { value: "", label: text.common.all },
                { value: "pending", label: t.applications },
                { value: "active", label: text.states["active"] },
                { value: "suspended", label: text.states["suspended"] },
              ]}
            />
            <TextInput
              aria-label={t.find}
              placeholder={t.find}
              leftSection={<IconSearch size={16} aria-hidden />}
              value={needle}
              onChange={(e) => setNeedle(e.currentTarget.value)}
              w={{ base: "100%", xs: 240 }}
            />
            <GroupPicker aria-label={t.group} placeholder={t.anyGroup} value={group} onChange={setGroup} w={{ base: "100%", xs: 170 }} />
          </>
        }
        bulk={
          writes
            ? (chosen) => (
                <Group gap="xs">
                  {(["approve", "refuse", "suspend", "activate", "group"] as const).map((kind) => (
                    <Button key={kind} size="compact-sm" variant="default" onClick={() => begin(kind, chosen)} disabled={!chosen.some(({ row }) => t.fits[kind].includes(row.status))}>
                      {t.deeds[kind].action}
                    </Button>
                  ))}
                </Group>
              )
            : undefined
        }
      />
      {making && <AffiliateForm opened onClose={() => setMaking(false)} />}
      {deed && <BulkDeeds kind={deed.kind} rows={deed.rows} onClose={() => setDeed(undefined)} />}
    </Page>
  );
}
