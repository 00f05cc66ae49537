import { source } from "../../api/call";
import { client, type Schemas } from "../../api/client";
import { text } from "../../text";
import { LevelFilter } from "../../ui/LevelFilter";
import { StateBadge } from "../../ui/StateBadge";
import { EmptyState } from "../../ui/states";
import { DataTable, type Column } from "../../ui/table/DataTable";
import { useQueryState } from "../../ui/useQueryState";
import { When } from "../../ui/When";
import { useStaffArea } from "../parts/area";
import { Ref } from "../parts/Ref";

type Member = Schemas["DownlineMember"];

const t = text.partners;

const columns: Column<Member>[] = [
  { key: "name", title: t.name, value: (m) => m.name },
  { key: "level", title: t.level, value: (m) => m.depth, align: "right" },
  { key: "status", title: t.status, value: (m) => text.states[m.status] ?? m.status, render: (m) => <StateBadge state={m.status} /> },
  { key: "sponsor", title: t.sponsor, value: (m) => m.sponsor_name, render: (m) => <Ref id={m.sponsor_id} name={m.sponsor_name} /> },
  { key: "joined", title: t.joined, value: (m) => m.joined_at, render: (m) => <When at={m.joined_at} as="date" /> },
];

/** Who came through an affiliate, directly and through others. */
export function AffiliateDownline({ id }: { id: string }) {
  const { pageOf } = useStaffArea();
  const [level, setLevel] = useQueryState("level");
  const query = level ? { level: Number(level) } : {};
  return (
    <DataTable
      name={text.nav.downline}
      source={source<Member>(["downline", id, level], (page, signal) => client.GET("/api/v1/affiliates/{id}/downline", { params: { path: { id }, query: { ...page, ...query } }, signal }))}
      rowKey={(m) => m.id}
      columns={columns}
      to={(m) => pageOf(m.id) ?? ""}
      filters={<LevelFilter value={level} onChange={setLevel} />}
      empty={<EmptyState title={level ? text.table.noMatch : t.noDownline} />}
    />
  );
}
