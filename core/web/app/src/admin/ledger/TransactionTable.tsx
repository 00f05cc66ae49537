import { Modal, SimpleGrid, Stack, Text } from "@mantine/core";
import { useState, type ReactNode } from "react";

import { source } from "../../api/call";
import { client, type Schemas } from "../../api/client";
import { text } from "../../text";
import { CopyText } from "../../ui/CopyText";
import { formatMoney } from "../../ui/locale";
import { Money } from "../../ui/Money";
import { EmptyState } from "../../ui/states";
import { DataTable, type Column } from "../../ui/table/DataTable";
import { SmallTable } from "../../ui/table/SmallTable";
import { When } from "../../ui/When";
import { Fact } from "../parts/Fact";
import { withNames, type Named } from "../parts/names";
import { Ref } from "../parts/Ref";

type Transaction = Schemas["LedgerTransaction"];

const t = text.bookings;

/** What moved: the credits of each currency. They equal its debits. */
function moved(row: Transaction): { minor: number; currency: string }[] {
  const sums = new Map<string, number>();
  for (const { amount } of row.entries) {
    if (amount.minor > 0) {
      sums.set(amount.currency, (sums.get(amount.currency) ?? 0) + amount.minor);
    }
  }
  return [...sums].map(([currency, minor]) => ({ currency, minor }));
}

const owners = (row: Transaction): string[] => [...new Set(row.entries.map((e) => e.affiliate_id).filter(Boolean))];

const columns: Column<Named<Transaction>>[] = [
  { key: "at", title: t.at, value: ({ row }) => row.posted_at, render: ({ row }) => <When at={row.posted_at} /> },
  { key: "kind", title: t.kind, value: ({ row }) => t.transactionKinds[row.kind] ?? row.kind },
  { key: "affiliate", title: t.affiliate, value: ({ row, name }) => owners(row).map(name).join(", "), render: ({ row, name }) => owners(row).map((id) => <Ref key={id} id={id} name={name(id)} />) },
  {
    key: "amount",
    title: t.amount,
    value: ({ row }) => moved(row)[0]?.minor ?? 0,
    render: ({ row }) => moved(row).map((m) => <Money key={m.currency} amount={m} />),
    align: "right",
  },
  { key: "reason", title: t.ledgerReason, value: ({ row }) => row.reason, wide: true },
];

interface Props {
  filter: { affiliate_id?: string; commission_id?: string };
  filters?: ReactNode;
}

/** Transactions of the ledger; each opens to its postings. */
export function TransactionTable({ filter, filters }: Props) {
  const [open, setOpen] = useState<Named<Transaction>>();
  return (
    <>
      <DataTable
        name={t.transactions}
        source={withNames(
          source<Transaction>(["ledger", filter], (page, signal) => client.GET("/api/v1/ledger/transactions", { params: { query: { ...page, ...filter } }, signal })),
          owners,
        )}
        rowKey={({ row }) => row.id}
        columns={columns}
        onRow={setOpen}
        filters={filters}
        empty={<EmptyState title={Object.keys(filter).length > 0 ? t.noTransactionFits : t.noTransactions} />}
      />
      <Modal opened={open !== undefined} onClose={() => setOpen(undefined)} title={open && (t.transactionKinds[open.row.kind] ?? open.row.kind)} size="lg">
        {open && <Postings {...open} />}
      </Modal>
    </>
  );
}

function Postings({ row, name }: Named<Transaction>) {
  return (
    <Stack>
      <Text size="sm">{row.reason}</Text>
      <SimpleGrid cols={2}>
        <Fact label={t.at}>
          <When at={row.posted_at} />
        </Fact>
        <Fact label={text.common.id}>
          <CopyText value={row.id} />
        </Fact>
        {row.conversion_id && (
          <Fact label={t.conversion}>
            <Ref id={row.conversion_id} />
          </Fact>
        )}
        {row.commission_id && (
          <Fact label={t.commission}>
            <Ref id={row.commission_id} />
          </Fact>
        )}
      </SimpleGrid>
      <SmallTable
        name={t.postings}
        rows={row.entries}
        rowKey={(e) => e.account_id}
        columns={[
          {
            key: "account", title: t.account, value: (e) => `${text.partners.balanceKinds[e.kind] ?? e.kind} ${e.affiliate_id ? name(e.affiliate_id) : t.business}`,
            render: (e) => (
              <>
                {text.partners.balanceKinds[e.kind] ?? e.kind}
                <Text size="xs" c="dimmed" component="div">
                  {e.affiliate_id ? name(e.affiliate_id) : t.business}
                </Text>
              </>
            ),
          },
          { key: "debit", title: t.debit, align: "right", value: (e) => Math.max(-e.amount.minor, 0), render: (e) => e.amount.minor < 0 && formatMoney({ ...e.amount, minor: -e.amount.minor }) },
          { key: "credit", title: t.credit, align: "right", value: (e) => Math.max(e.amount.minor, 0), render: (e) => e.amount.minor > 0 && formatMoney(e.amount) },
        ]}
      />
    </Stack>
  );
}
