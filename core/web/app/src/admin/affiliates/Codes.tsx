import { Button, Modal, Group, Stack, Text, TextInput, Title } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { ok, source } from "../../api/call";
import { client, type Schemas } from "../../api/client";
import { may, useMe } from "../../session/Session";
import { fill, text } from "../../text";
import { ConfirmDialog } from "../../ui/ConfirmDialog";
import { StateBadge } from "../../ui/StateBadge";
import { EmptyState, ErrorState, Loaded } from "../../ui/states";
import { DataTable, type Column } from "../../ui/table/DataTable";
import { readAll, type Source } from "../../ui/table/source";
import { When } from "../../ui/When";
import { useNames, withNames, type Named } from "../parts/names";
import { AffiliatePicker, ProgramPicker, usePrograms } from "../parts/pickers";
import { Ref } from "../parts/Ref";

type Code = Schemas["CouponCode"];
type Coupon = Schemas["Coupon"];

const t = text.partners;

function codesOf(program: string): Source<Code> {
  return source(["coupon-codes", program], (page, signal) => client.GET("/api/v1/coupon-codes", { params: { query: { ...page, program_id: program } }, signal }));
}

/** Codes by which sales from elsewhere are an affiliate's, and the coupons of the shop that are his. */
export function AffiliateCodes({ id }: { id: string }) {
  const programs = usePrograms();
  // The API lists codes by program, of which there are few.
  const codes = useQuery({
    queryKey: ["table", "coupon-codes", "of", id],
    queryFn: async ({ signal }) => (await Promise.all((programs.data ?? []).map((p) => readAll(codesOf(p.id), () => {}, signal)))).flat().filter((c) => c.affiliate_id === id),
    enabled: programs.isSuccess,
  });
  const me = useMe();
  const name = useNames((codes.data ?? []).map((c) => c.program_id));
  return (
    <Stack gap="xl">
      <Loaded query={programs.error ? { ...codes, error: programs.error, refetch: programs.refetch } : codes}>{(rows) => <CodeTable rows={rows.map((row) => ({ row, name }))} affiliate={id} empty={t.noCodesOf} />}</Loaded>
      {may(me, "shop:read") && (
        <section>
          <Title order={2} mb="xs">
            {t.codesShop}
          </Title>
          <DataTable
            name={t.codesShop}
            source={source<Coupon>(["coupons", id], (page, signal) => client.GET("/api/v1/coupons", { params: { query: { ...page, affiliate_id: id } }, signal }))}
            rowKey={(c) => c.id}
            columns={[
              { key: "code", title: t.code, value: (c) => c.code },
              { key: "status", title: t.status, value: (c) => text.states[c.status] ?? c.status, render: (c) => <StateBadge state={c.status} /> },
              { key: "used", title: text.bookings.used, value: (c) => c.used, align: "right" },
            ]}
            to={(c) => `/admin/coupons?open=${c.id}`}
            empty={<EmptyState title={t.noCodesOf} />}
          />
        </section>
      )}
    </Stack>
  );
}

/** All codes of a program, whosever they are. */
export function ProgramCodes({ id }: { id: string }) {
  return <CodeTable rows={withNames(codesOf(id), (c) => [c.affiliate_id])} program={id} empty={t.noCodes} />;
}

function CodeTable({ rows, affiliate, program, empty }: { rows: Source<Named<Code>> | Named<Code>[]; affiliate?: string; program?: string; empty: string }) {
  const writes = may(useMe(), "catalog:write");
  const [giving, setGiving] = useState(false);
  const [taking, setTaking] = useState<Code>();
  const cache = useQueryClient();
  const columns: Column<Named<Code>>[] = [
    { key: "code", title: t.code, value: ({ row }) => row.code },
    program
      ? { key: "affiliate", title: t.affiliate, value: ({ row, name }) => name(row.affiliate_id), render: ({ row, name }) => <Ref id={row.affiliate_id} name={name(row.affiliate_id)} /> }
      : { key: "program", title: t.program, value: ({ row, name }) => name(row.program_id), render: ({ row, name }) => <Ref id={row.program_id} name={name(row.program_id)} /> },
    { key: "created", title: t.created, value: ({ row }) => row.created_at, render: ({ row }) => <When at={row.created_at} as="date" /> },
  ];
  if (writes) {
    columns.push({
      key: "deeds",
      title: t.actions,
      deeds: true,
      value: () => "",
      render: ({ row }) => (
        <Button size="compact-sm" variant="subtle" color="red" onClick={() => setTaking(row)} aria-label={`${t.takeCode}: ${row.code}`}>
          {t.takeCode}
        </Button>
      ),
    });
  }
  return (
    <Stack gap="sm">
      <Text c="dimmed" size="sm" maw="44rem">
        {t.codesAbout}
      </Text>
      <DataTable
        name={t.codes}
        source={rows}
        rowKey={({ row }) => row.program_id + row.code}
        columns={columns}
        empty={<EmptyState title={empty} />}
        actions={
          writes && (
            <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setGiving(true)}>
              {t.giveCode}
            </Button>
          )
        }
      />
      {giving && <GiveCode affiliate={affiliate} program={program} onClose={() => setGiving(false)} />}
      {taking && (
        <ConfirmDialog
          opened
          onClose={() => setTaking(undefined)}
          title={fill(t.takeCodeTitle, { code: taking.code })}
          action={t.takeCode}
          danger
          onConfirm={async () => {
            await ok(client.DELETE("/api/v1/coupon-codes/{program}/{code}", { params: { path: { program: taking.program_id, code: taking.code } } }));
            await cache.invalidateQueries();
          }}
        >
          <Text size="sm">{t.takeCodeText}</Text>
        </ConfirmDialog>
      )}
    </Stack>
  );
}

function GiveCode({ affiliate, program, onClose }: { affiliate?: string; program?: string; onClose: () => void }) {
  const cache = useQueryClient();
  const [body, setBody] = useState({ affiliate_id: affiliate ?? "", program_id: program ?? "", code: "" });
  const save = useMutation({
    mutationFn: () => ok(client.POST("/api/v1/coupon-codes", { body: { ...body, code: body.code.trim() } })),
    onSuccess: async () => {
      await cache.invalidateQueries();
      onClose();
    },
  });
  return (
    <Modal opened onClose={onClose} title={t.giveCode}>
      <form
        onSubmit={(e) => {
          e.preventDefault();
          save.mutate();
        }}
      >
        <Stack>
          {!affiliate && <AffiliatePicker label={t.affiliate} required value={body.affiliate_id} onChange={(affiliate_id) => setBody({ ...body, affiliate_id })} />}
          {!program && <ProgramPicker label={t.program} required value={body.program_id} onChange={(program_id) => setBody({ ...body, program_id })} />}
          <TextInput label={t.code} description={t.codeHint} required maxLength={64} value={body.code} onChange={(e) => setBody({ ...body, code: e.currentTarget.value })} />
          {save.error && <ErrorState error={save.error} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              {text.common.cancel}
            </Button>
            <Button type="submit" loading={save.isPending} disabled={!body.affiliate_id || !body.program_id || !body.code.trim()}>
              {t.giveCode}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
