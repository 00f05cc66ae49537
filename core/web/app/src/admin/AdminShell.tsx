import {
  IconActivity, IconAdjustments, IconBuildingBank, IconCash, IconCashBanknote, IconChartBar, IconCode, IconCreditCard, IconDiscount, IconFileCertificate, IconGavel, IconHistory, IconKey, IconLayoutDashboard,
  IconLink, IconMail, IconPackage, IconPhoto, IconReceipt2, IconScale, IconShoppingCart, IconTarget, IconUsers, IconUsersGroup, IconWebhook, IconWorld,
} from "@tabler/icons-react";
import type { ReactNode } from "react";

import { areasOf } from "../areas";
import { may, useMe, type Me } from "../session/Session";
import { text } from "../text";
import { Shell, type NavGroup } from "../ui/Shell";

type Scope = Me["scopes"][number];

interface Entry {
  path: string;
  label: string;
  icon: ReactNode;
  scope: Scope;
}

const groups: { label?: string; entries: Entry[] }[] = [
  {
    entries: [
      { path: "", label: text.nav.overview, icon: <IconLayoutDashboard size={18} />, scope: "reports:read" },
      { path: "analytics", label: text.nav.analytics, icon: <IconChartBar size={18} />, scope: "reports:read" },
    ],
  },
  {
    label: text.admin.navPartners,
    entries: [
      { path: "affiliates", label: text.nav.affiliates, icon: <IconUsers size={18} />, scope: "catalog:read" },
      { path: "groups", label: text.nav.groups, icon: <IconUsersGroup size={18} />, scope: "catalog:read" },
      { path: "links", label: text.nav.links, icon: <IconLink size={18} />, scope: "catalog:read" },
      { path: "programs", label: text.nav.programs, icon: <IconTarget size={18} />, scope: "catalog:read" },
      { path: "materials", label: text.nav.materials, icon: <IconPhoto size={18} />, scope: "catalog:read" },
      { path: "rules", label: text.nav.rules, icon: <IconScale size={18} />, scope: "catalog:read" },
    ],
  },
  {
    label: text.admin.navSales,
    entries: [
      { path: "orders", label: text.nav.orders, icon: <IconShoppingCart size={18} />, scope: "orders:read" },
      { path: "payments", label: text.nav.payments, icon: <IconCreditCard size={18} />, scope: "orders:read" },
      { path: "products", label: text.nav.products, icon: <IconPackage size={18} />, scope: "shop:read" },
      { path: "coupons", label: text.nav.coupons, icon: <IconDiscount size={18} />, scope: "shop:read" },
      { path: "conversions", label: text.nav.conversions, icon: <IconActivity size={18} />, scope: "conversions:read" },
      { path: "reviews", label: text.nav.reviews, icon: <IconGavel size={18} />, scope: "orders:read" },
    ],
  },
  {
    label: text.admin.navMoney,
    entries: [
      { path: "commissions", label: text.nav.commissions, icon: <IconReceipt2 size={18} />, scope: "ledger:read" },
      { path: "payout-requests", label: text.nav.payoutRequests, icon: <IconCashBanknote size={18} />, scope: "payouts:read" },
      { path: "payouts", label: text.nav.batches, icon: <IconCash size={18} />, scope: "payouts:read" },
      { path: "ledger", label: text.nav.ledger, icon: <IconBuildingBank size={18} />, scope: "ledger:read" },
      { path: "tax", label: text.nav.tax, icon: <IconFileCertificate size={18} />, scope: "payouts:read" },
      { path: "kyc", label: text.nav.kyc, icon: <IconFileCertificate size={18} />, scope: "kyc:read" },
    ],
  },
  {
    label: text.admin.navHouse,
    entries: [
      { path: "people", label: text.nav.people, icon: <IconUsers size={18} />, scope: "people:read" },
      { path: "mails", label: text.nav.mails, icon: <IconMail size={18} />, scope: "mail:read" },
      { path: "site", label: text.nav.site, icon: <IconWorld size={18} />, scope: "settings:read" },
      { path: "webhooks", label: text.nav.webhooks, icon: <IconWebhook size={18} />, scope: "webhooks:read" },
      { path: "tokens", label: text.nav.tokens, icon: <IconKey size={18} />, scope: "admin" },
      { path: "audit", label: text.nav.audit, icon: <IconHistory size={18} />, scope: "audit:read" },
      { path: "settings", label: text.nav.settings, icon: <IconAdjustments size={18} />, scope: "settings:read" },
      { path: "system", label: text.nav.system, icon: <IconCode size={18} />, scope: "system:read" },
    ],
  },
];

/** The back office shows each person what their roles let them see. */
export function AdminShell() {
  const me = useMe();
  const nav: NavGroup[] = groups
    .map(({ label, entries }) => ({
      label,
      items: entries.filter(({ scope }) => may(me, scope)).map(({ path, label, icon }) => ({ to: path ? `/admin/${path}` : "/admin", label, icon, end: path === "" })),
    }))
    .filter(({ items }) => items.length > 0);
  return <Shell nav={nav} areas={areasOf(me)} />;
}
