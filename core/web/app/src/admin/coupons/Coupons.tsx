import { Button, Group, Modal, Text } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconPlus } from "@tabler/icons-react";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { ok, source } from "../../api/call";
import { client, type Schemas } from "../../api/client";
import { sentence } from "../../api/problem";
import { may, useMe } from "../../session/Session";
import { fill, text } from "../../text";
import { formatBasisPoints, formatDate, formatMoney, formatNumber } from "../../ui/locale";
import { Page } from "../../ui/Page";
import { StateBadge } from "../../ui/StateBadge";
import { EmptyState } from "../../ui/states";
import { DataTable, type Column } from "../../ui/table/DataTable";
import { withNames, type Named } from "../parts/names";
import { Ref } from "../parts/Ref";
import { CouponForm } from "./CouponForm";

type Coupon = Schemas["Coupon"];
const t = text.coupons;

const off = (c: Coupon) => (c.percent_bp > 0 ? formatBasisPoints(c.percent_bp) : c.amounts.map(formatMoney).join(" / "));
const span = (c: Coupon) => (c.starts_at || c.ends_at ? [c.starts_at && formatDate(c.starts_at), c.ends_at && formatDate(c.ends_at)].map((x) => x || "…").join(" – ") : t.always);

const columns: Column<Named<Coupon>>[] = [
  { key: "code", title: t.code, value: ({ row: c }) => c.code },
  { key: "off", title: t.off, value: ({ row: c }) => off(c), align: "right" },
  {
    key: "owner", title: t.owner, value: ({ row: c, name }) => (c.affiliate_id ? name(c.affiliate_id) : t.business),
    render: ({ row: c, name }) => (c.affiliate_id ? <Ref id={c.affiliate_id} name={name(c.affiliate_id)} /> : t.business),
  },
  { key: "used", title: t.uses, value: ({ row: c }) => c.used, render: ({ row: c }) => (c.max_uses ? fill(t.usesOf, { n: formatNumber(c.used), max: formatNumber(c.max_uses) }) : formatNumber(c.used)), align: "right" },
  { key: "span", title: t.valid, value: ({ row: c }) => span(c), render: ({ row: c }) => <Text span inherit c={c.starts_at || c.ends_at ? undefined : "dimmed"}>{span(c)}</Text>, wide: true },
  { key: "status", title: t.status, value: ({ row: c }) => text.states[c.status] ?? c.status, render: ({ row: c }) => <StateBadge state={c.status} /> },
];

/** Discounts on orders. */
export function Coupons() {
  const me = useMe();
  const cache = useQueryClient();
  const [edited, setEdited] = useState<Coupon | "new">();
  const mine = may(me, "shop:write");
  const change = async (c: Coupon) => {
    try {
      await ok(client.PATCH("/api/v1/coupons/{id}", { params: { path: { id: c.id } }, body: { status: c.status === "active" ? "disabled" : "active" } }));
      notifications.show({ message: text.common.saved, color: "teal" });
      await cache.invalidateQueries();
    } catch (error) {
      notifications.show({ color: "red", message: sentence(error) });
    }
  };
  const make = mine && (
    <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setEdited("new")}>
      {t.new}
    </Button>
  );
  const deeds: Column<Named<Coupon>> = {
    key: "deeds", title: text.common.more, value: () => "", deeds: true,
    render: ({ row: c }) => (
      <Group gap={4} wrap="nowrap" justify="flex-end">
        <Button size="compact-sm" variant="default" onClick={() => setEdited(c)} aria-label={`${text.common.edit} ${c.code}`}>
          {text.common.edit}
        </Button>
        <Button size="compact-sm" variant="subtle" color={c.status === "active" ? "red" : "teal"} onClick={() => void change(c)} aria-label={`${c.status === "active" ? t.disable : t.enable} ${c.code}`}>
          {c.status === "active" ? t.disable : t.enable}
        </Button>
      </Group>
    ),
  };
  return (
    <Page title={text.nav.coupons} about={t.about} actions={make}>
      <DataTable
        name={text.nav.coupons}
        columns={mine ? [...columns, deeds] : columns}
        source={withNames(
          source<Coupon>(["coupons"], (page, signal) => client.GET("/api/v1/coupons", { params: { query: page }, signal })),
          (c) => (may(me, "catalog:read") ? [c.affiliate_id] : []),
        )}
        rowKey={({ row }) => row.id}
        empty={<EmptyState title={t.empty} action={make} />}
      />
      <Modal opened={edited !== undefined} onClose={() => setEdited(undefined)} title={edited === "new" ? t.new : edited?.code} size="lg">
        {edited && <CouponForm coupon={edited === "new" ? undefined : edited} onDone={() => setEdited(undefined)} />}
      </Modal>
    </Page>
  );
}
