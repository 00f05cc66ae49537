import { Button, Card, Stack, Table, Text, Title } from "@mantine/core";
import { IconDownload } from "@tabler/icons-react";
import { useState } from "react";

import { api, type Schemas } from "../../api/client";
import { text } from "../../text";
import { formatMoney } from "../../ui/locale";
import { Money } from "../../ui/Money";
import { Page } from "../../ui/Page";
import { EmptyState, Loaded } from "../../ui/states";
import { SmallTable } from "../../ui/table/SmallTable";
import { useQueryState } from "../../ui/useQueryState";
import { AffiliatePicker } from "../parts/pickers";
import { ExportDialog } from "./ExportDialog";
import { TransactionTable } from "./TransactionTable";
import { Verify } from "./Verify";

const t = text.bookings;

export function Ledger() {
  const [affiliate, setAffiliate] = useQueryState("affiliate");
  const [exporting, setExporting] = useState(false);
  const balances = api.useQuery("get", "/api/v1/ledger/balances", { params: { query: affiliate ? { affiliate_id: affiliate } : {} } });
  return (
    <Page
      title={text.nav.ledger}
      about={t.ledgerAbout}
      actions={
        <Button variant="default" leftSection={<IconDownload size={16} aria-hidden />} onClick={() => setExporting(true)}>
          {t.export}
        </Button>
      }
    >
      <Verify />
      <section>
        <Title order={2}>{t.balances}</Title>
        {!affiliate && (
          <Text size="sm" c="dimmed" mb="xs">
            {t.balancesText}
          </Text>
        )}
        <Card padding="sm">
          <Loaded query={balances} lines={4}>
            {({ items }) => (items.length === 0 ? <EmptyState title={t.noTransactions} /> : <Balances items={items} sums={!affiliate} />)}
          </Loaded>
        </Card>
      </section>
      <section>
        <Title order={2} mb="xs">
          {t.transactions}
        </Title>
        <TransactionTable
          filter={affiliate ? { affiliate_id: affiliate } : {}}
          filters={<AffiliatePicker aria-label={t.affiliate} placeholder={t.anyAffiliate} value={affiliate} onChange={setAffiliate} w={{ base: "100%", xs: 220 }} />}
        />
      </section>
      {exporting && <ExportDialog onClose={() => setExporting(false)} />}
    </Page>
  );
}

const kinds = ["commission_expense", "pending", "payable", "in_flight", "paid", "withheld"];

function Balances({ items, sums }: { items: Schemas["Balance"][]; sums: boolean }) {
  const currencies = [...new Set(items.map((b) => b.amount.currency))].sort();
  const of = (kind: string, currency: string) => items.find((b) => b.kind === kind && b.amount.currency === currency)?.amount;
  const shown = [...kinds, ...items.map((b) => b.kind).filter((k) => !kinds.includes(k))].filter((kind) => items.some((b) => b.kind === kind));
  return (
    <Stack gap="xs">
      <SmallTable
        name={t.balances}
        rows={shown}
        rowKey={(kind) => kind}
        columns={[
          { key: "account", title: t.account, head: true, value: (kind) => text.partners.balanceKinds[kind] ?? kind },
          ...currencies.map((currency) => ({
            key: currency, title: currency, align: "right" as const, value: (kind: string) => of(kind, currency)?.minor ?? 0,
            render: (kind: string) => {
              const amount = of(kind, currency);
              return amount ? <Money amount={amount} /> : "–";
            },
          })),
        ]}
        foot={
          sums && (
            <Table.Tr>
              <Table.Th scope="row">{t.sumZero}</Table.Th>
              {currencies.map((currency) => (
                <Table.Td key={currency} ta="right" fw={650}>
                  {formatMoney({ currency, minor: items.reduce((n, b) => (b.amount.currency === currency ? n + b.amount.minor : n), 0) })}
                </Table.Td>
              ))}
            </Table.Tr>
          )
        }
      />
    </Stack>
  );
}
