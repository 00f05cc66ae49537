import { SegmentedControl } from "@mantine/core";

import { source } from "../../api/call";
import { client, type Schemas } from "../../api/client";
import { fill, text } from "../../text";
import { Money } from "../../ui/Money";
import { StateBadge } from "../../ui/StateBadge";
import { EmptyState } from "../../ui/states";
import { DataTable, type Column } from "../../ui/table/DataTable";
import { useQueryState } from "../../ui/useQueryState";
import { When } from "../../ui/When";
import { withNames, type Named } from "../parts/names";
import { AffiliatePicker } from "../parts/pickers";
import { Ref } from "../parts/Ref";

type Commission = Schemas["Commission"];

const t = text.bookings;
const states = ["pending", "payable", "paid", "reversed"] as const;

/** Commissions, of one affiliate or of all. */
export function CommissionTable({ affiliate }: { affiliate?: string }) {
  const [state, setState] = useQueryState("state");
  const [whose, setWhose] = useQueryState("affiliate");
  const id = affiliate ?? whose;
  const query = { ...(id && { affiliate_id: id }), ...(state && { state: state as Commission["state"] }) };
  const who: Column<Named<Commission>> = {
    key: "affiliate",
    title: t.affiliate,
    value: ({ row, name }) => name(row.affiliate_id),
    render: ({ row, name }) => <Ref id={row.affiliate_id} name={name(row.affiliate_id)} />,
  };
  const columns: Column<Named<Commission>>[] = [
    { key: "made", title: t.made, value: ({ row }) => row.created_at, render: ({ row }) => <When at={row.created_at} /> },
    ...(affiliate ? [] : [who]),
    { key: "program", title: t.program, value: ({ row, name }) => name(row.program_id), wide: true },
    { key: "amount", title: t.earned, value: ({ row }) => row.amount.minor, render: ({ row }) => <Money amount={row.amount} />, align: "right" },
    { key: "reversed", title: t.reversed, value: ({ row }) => row.reversed.minor, render: ({ row }) => (row.reversed.minor ? <Money amount={row.reversed} /> : "–"), align: "right" },
    { key: "currency", title: text.partners.currency, value: ({ row }) => row.amount.currency, wide: true },
    { key: "level", title: t.level, value: ({ row }) => row.level, render: ({ row }) => (row.level === 0 ? t.own : fill(t.levelN, { n: row.level })), wide: true },
    { key: "state", title: t.state, value: ({ row }) => text.states[row.state] ?? row.state, render: ({ row }) => <StateBadge state={row.state} /> },
    { key: "release", title: t.release, value: ({ row }) => row.release_at, render: ({ row }) => <When at={row.release_at} as="date" /> },
  ];
  return (
    <DataTable
      name={text.nav.commissions}
      source={withNames(
        source<Commission>(["commissions", query], (page, signal) => client.GET("/api/v1/commissions", { params: { query: { ...page, ...query } }, signal })),
        (row) => [row.affiliate_id, row.program_id],
      )}
      rowKey={({ row }) => row.id}
      columns={columns}
      to={({ row }) => `/admin/commissions/${row.id}`}
      empty={<EmptyState title={state || id ? t.noCommissionFits : t.noCommissions} />}
      filters={
        <>
          <SegmentedControl aria-label={t.state} value={state} onChange={setState} data={[{ value: "", label: text.common.all }, ...states.map((value) => ({ value, label: text.states[value] ?? value }))]} />
          {!affiliate && <AffiliatePicker aria-label={t.affiliate} placeholder={t.anyAffiliate} value={whose} onChange={setWhose} w={{ base: "100%", xs: 200 }} />}
        </>
      }
    />
  );
}
