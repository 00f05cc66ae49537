import { Badge, Button, Group, Modal } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconPlus } from "@tabler/icons-react";
import { useState } from "react";

import { ok, source } from "../../api/call";
import { client, type Schemas } from "../../api/client";
import { sentence } from "../../api/problem";
import { may, useMe } from "../../session/Session";
import { text } from "../../text";
import { formatBasisPoints } from "../../ui/locale";
import { Money } from "../../ui/Money";
import { Page } from "../../ui/Page";
import { countryName } from "../../ui/span";
import { EmptyState } from "../../ui/states";
import { DataTable, type Column } from "../../ui/table/DataTable";
import { When } from "../../ui/When";
import { amountText } from "../payouts/Batches";
import { blankTerms, TaxRuleForm } from "./TaxRuleForm";

type Rule = Schemas["TaxRule"];
const t = text.tax;

const columns: Column<Rule>[] = [
  { key: "name", title: t.name, value: (r) => r.name },
  { key: "country", title: t.country, value: (r) => countryName(r.country) },
  { key: "valid_from", title: t.validFrom, value: (r) => r.valid_from, render: (r) => <When at={r.valid_from} as="date" /> },
  { key: "rate", title: t.rate, value: (r) => r.rate_bp, render: (r) => formatBasisPoints(r.rate_bp), align: "right" },
  { key: "noid", title: t.noIDRate, value: (r) => r.no_id_rate_bp, render: (r) => formatBasisPoints(r.no_id_rate_bp), align: "right", wide: true },
  { key: "threshold", title: t.threshold, value: (r) => amountText(r.threshold), render: (r) => <Money amount={r.threshold} />, align: "right" },
  { key: "mode", title: t.mode, value: (r) => t.modes[r.threshold_mode] ?? r.threshold_mode, wide: true },
  {
    key: "confirmed", title: t.confirmed, value: (r) => r.confirmed_by || t.unconfirmed,
    render: (r) =>
      r.confirmed_by || (
        <Badge color="orange" variant="light" tt="none">
          {t.unconfirmed}
        </Badge>
      ),
  },
];

/** Which tax is withheld from payouts, from when on. Rules are never changed: a new one begins. */
export function TaxRules() {
  const me = useMe();
  const [terms, setTerms] = useState<Schemas["TaxTerms"]>();
  const mine = may(me, "payouts:write");
  const example = async () => {
    try {
      setTerms(await ok(client.GET("/api/v1/tax-rules/example")));
    } catch (error) {
      notifications.show({ color: "red", message: sentence(error) });
    }
  };
  const make = mine && (
    <Group>
      <Button variant="default" onClick={() => void example()}>
        {t.example}
      </Button>
      <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setTerms(blankTerms())}>
        {t.new}
      </Button>
    </Group>
  );
  return (
    <Page title={text.nav.tax} about={t.about} actions={make}>
      <DataTable
        name={text.nav.tax}
        columns={columns}
        source={source(["tax-rules"], (page, signal) => client.GET("/api/v1/tax-rules", { params: { query: page }, signal }))}
        rowKey={(r) => r.id}
        empty={<EmptyState title={t.empty}>{t.emptyText}</EmptyState>}
      />
      <Modal opened={terms !== undefined} onClose={() => setTerms(undefined)} title={t.new} size="lg">
        {terms && <TaxRuleForm terms={terms} onDone={() => setTerms(undefined)} />}
      </Modal>
    </Page>
  );
}
