import { Button, SegmentedControl, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconPlus, IconSearch } from "@tabler/icons-react";
import { useState } from "react";

import { ok, source } from "../../api/call";
import { client, type Schemas } from "../../api/client";
import { may, useMe } from "../../session/Session";
import { fill, text } from "../../text";
import { Text } from "@mantine/core";
import { StateBadge } from "../../ui/StateBadge";
import { EmptyState } from "../../ui/states";
import { BulkDialog } from "../../ui/table/BulkDialog";
import { DataTable, type Column } from "../../ui/table/DataTable";
import { useQueryState } from "../../ui/useQueryState";
import { When } from "../../ui/When";
import { useQueryClient } from "@tanstack/react-query";
import { withNames, type Named } from "../parts/names";
import { ProgramPicker } from "../parts/pickers";
import { useStaffArea } from "../parts/area";
import { Ref } from "../parts/Ref";
import { LinkForm } from "./LinkForm";
import { linkState } from "./state";

type Link = Schemas["Link"];

const t = text.partners;

/** Links, of one affiliate or of all. */
export function LinkTable({ affiliate }: { affiliate?: string }) {
  const writes = may(useMe(), "catalog:write");
  const cache = useQueryClient();
  const [status, setStatus] = useQueryState("status");
  const [program, setProgram] = useQueryState("program");
  const [needle, setNeedle] = useQueryState("q");
  const [slug] = useDebouncedValue(needle.trim(), 250);
  const { pageOf } = useStaffArea();
  const [making, setMaking] = useState(false);
  const [bulk, setBulk] = useState<{ to: Link["status"]; rows: Link[] }>();
  const query = { ...(affiliate && { affiliate_id: affiliate }), ...(program && { program_id: program }), ...(status && { status: status as Link["status"] }), ...(slug && { slug }) };
  const columns: Column<Named<Link>>[] = [
    { key: "slug", title: t.slug, value: ({ row }) => row.slug },
    ...(affiliate
      ? []
      : [{ key: "affiliate", title: t.affiliate, value: ({ row, name }: Named<Link>) => name(row.affiliate_id), render: ({ row, name }: Named<Link>) => <Ref id={row.affiliate_id} name={name(row.affiliate_id)} /> }]),
    { key: "program", title: t.program, value: ({ row, name }) => name(row.program_id), render: ({ row, name }) => <Ref id={row.program_id} name={name(row.program_id)} /> },
    {
      key: "destination",
      title: t.destination,
      value: ({ row }) => row.destination,
      render: ({ row }) => (
        <Text inherit component="span" lineClamp={1} maw={320} title={row.destination} style={{ overflowWrap: "anywhere" }}>
          {row.destination.replace(/^https?:\/\//, "")}
        </Text>
      ),
      wide: true,
    },
    { key: "status", title: t.status, value: ({ row }) => text.states[linkState(row)] ?? row.status, render: ({ row }) => <StateBadge state={linkState(row)} /> },
    { key: "created", title: t.created, value: ({ row }) => row.created_at, render: ({ row }) => <When at={row.created_at} as="date" /> },
  ];
  return (
    <>
      <DataTable
        name={text.nav.links}
        source={withNames(
          source<Link>(["links", query], (page, signal) => client.GET("/api/v1/links", { params: { query: { ...page, ...query } }, signal })),
          (row) => [row.affiliate_id, row.program_id],
        )}
        rowKey={({ row }) => row.id}
        columns={columns}
        to={({ row }) => pageOf(row.id) ?? ""}
        empty={<EmptyState title={status || program || slug ? t.noLinkFits : t.noLinks} />}
        actions={
          writes && (
            <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setMaking(true)}>
              {t.addLink}
            </Button>
          )
        }
        searched
        filters={
          <>
            <SegmentedControl
              aria-label={t.status}
              value={status}
              onChange={setStatus}
              data={[
                { value: "", label: text.common.all },
                { value: "active", label: text.states["active"] },
                { value: "disabled", label: text.states["disabled"] },
              ]}
            />
            <TextInput aria-label={t.slugBegins} placeholder={t.slugBegins} leftSection={<IconSearch size={16} aria-hidden />} value={needle} onChange={(e) => setNeedle(e.currentTarget.value)} w={{ base: "100%", xs: 210 }} />
            <ProgramPicker aria-label={t.program} placeholder={t.anyProgram} value={program} onChange={setProgram} w={{ base: "100%", xs: 180 }} />
          </>
        }
        bulk={
          writes
            ? (chosen) =>
                (["disabled", "active"] as const).map((to) => {
                  const rows = chosen.map(({ row }) => row).filter((row) => row.status !== to);
                  return (
                    <Button key={to} size="compact-sm" variant="default" disabled={rows.length === 0} onClick={() => setBulk({ to, rows })}>
                      {to === "active" ? t.enable : t.disable}
                    </Button>
                  );
                })
            : undefined
        }
      />
      {making && <LinkForm affiliate={affiliate} onClose={() => setMaking(false)} />}
      {bulk && (
        <BulkDialog
          opened
          onClose={() => setBulk(undefined)}
          title={fill(t.bulkTitle, { deed: bulk.to === "active" ? t.enable : t.disable, n: bulk.rows.length })}
          action={bulk.to === "active" ? t.enable : t.disable}
          danger={bulk.to === "disabled"}
          rows={bulk.rows}
          name={(row) => row.slug}
          run={(row) => ok(client.PATCH("/api/v1/links/{id}", { params: { path: { id: row.id } }, body: { status: bulk.to } }))}
          onDone={() => void cache.invalidateQueries()}
        >
          <Text size="sm">{bulk.to === "active" ? t.enableText : t.disableText}</Text>
        </BulkDialog>
      )}
    </>
  );
}
