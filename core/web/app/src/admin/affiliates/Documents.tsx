import { source } from "../../api/call";
import { client, type Schemas } from "../../api/client";
import { text } from "../../text";
import { StateBadge } from "../../ui/StateBadge";
import { EmptyState } from "../../ui/states";
import { DataTable, type Column } from "../../ui/table/DataTable";
import { When } from "../../ui/When";

type Document = Schemas["KYCDocument"];

const t = text.partners;

const columns: Column<Document>[] = [
  { key: "kind", title: t.kind, value: (d) => d.kind },
  { key: "state", title: t.status, value: (d) => text.states[d.state] ?? d.state, render: (d) => <StateBadge state={d.state} /> },
  { key: "country", title: t.country, value: (d) => d.country },
  { key: "reason", title: t.reason, value: (d) => d.reason },
  { key: "sent", title: t.at, value: (d) => d.created_at, render: (d) => <When at={d.created_at} as="date" /> },
];

/** Identity documents of an affiliate. They are opened and reviewed on their own page. */
export function AffiliateDocuments({ id }: { id: string }) {
  return (
    <DataTable
      name={t.documentsOf}
      source={source<Document>(["kyc", id], (page, signal) => client.GET("/api/v1/kyc-documents", { params: { query: { ...page, affiliate_id: id } }, signal }))}
      rowKey={(d) => d.id}
      columns={columns}
      to={(d) => `/admin/kyc?affiliate=${id}&open=${d.id}`}
      empty={<EmptyState title={t.noDocuments} />}
    />
  );
}
