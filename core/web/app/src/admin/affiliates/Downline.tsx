import { Alert, Stack } from "@mantine/core";

import { api, type Schemas } from "../../api/client";
import { text } from "../../text";
import { StateBadge } from "../../ui/StateBadge";
import { EmptyState, Loaded } from "../../ui/states";
import { DataTable, type Column } from "../../ui/table/DataTable";
import { When } from "../../ui/When";
import { useStaffArea } from "../parts/area";
import { useNames } from "../parts/names";
import { Ref } from "../parts/Ref";

type Member = Schemas["DownlineMember"];

const t = text.partners;
const depth = 10; // all levels that rules can pay

/** Who came through an affiliate, directly and through others. */
export function AffiliateDownline({ id }: { id: string }) {
  const query = api.useQuery("get", "/api/v1/affiliates/{id}/downline", { params: { path: { id }, query: { depth } } });
  return (
    <Loaded query={query}>
      {({ members, more }) => (
        <Stack>
          {more && <Alert color="yellow">{t.downlineMore}</Alert>}
          <Members members={members} />
        </Stack>
      )}
    </Loaded>
  );
}

function Members({ members }: { members: Member[] }) {
  const { pageOf } = useStaffArea();
  const own = new Map(members.map((m) => [m.id, m.name]));
  const other = useNames(members.map((m) => m.sponsor_id).filter((s) => !own.has(s)));
  const name = (s: string) => own.get(s) ?? other(s);
  const columns: Column<Member>[] = [
    { key: "name", title: t.name, value: (m) => m.name },
    { key: "level", title: t.level, value: (m) => m.depth, align: "right" },
    { key: "status", title: t.status, value: (m) => text.states[m.status] ?? m.status, render: (m) => <StateBadge state={m.status} /> },
    { key: "sponsor", title: t.sponsor, value: (m) => name(m.sponsor_id), render: (m) => <Ref id={m.sponsor_id} name={name(m.sponsor_id)} /> },
    { key: "joined", title: t.joined, value: (m) => m.joined_at, render: (m) => <When at={m.joined_at} as="date" /> },
  ];
  return <DataTable name={text.nav.downline} source={members} rowKey={(m) => m.id} columns={columns} to={(m) => pageOf(m.id) ?? ""} empty={<EmptyState title={t.noDownline} />} />;
}
