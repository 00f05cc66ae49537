import { IconChartBar, IconCoins, IconFileText, IconLayoutDashboard, IconLink, IconPhoto, IconReceipt2, IconSend, IconShoppingCart, IconUsersGroup } from "@tabler/icons-react";

import { areasOf } from "../areas";
import { useMe } from "../session/Session";
import { text } from "../text";
import { Shell, type NavGroup } from "../ui/Shell";

const nav: NavGroup[] = [
  {
    items: [
      { to: "/affiliate", label: text.nav.overview, icon: <IconLayoutDashboard size={18} />, end: true },
      { to: "/affiliate/links", label: text.nav.links, icon: <IconLink size={18} /> },
      { to: "/affiliate/analytics", label: text.nav.analytics, icon: <IconChartBar size={18} /> },
      { to: "/affiliate/conversions", label: text.nav.conversions, icon: <IconShoppingCart size={18} /> },
      { to: "/affiliate/commissions", label: text.nav.commissions, icon: <IconReceipt2 size={18} /> },
      { to: "/affiliate/payouts", label: text.nav.payouts, icon: <IconCoins size={18} /> },
      { to: "/affiliate/documents", label: text.nav.documents, icon: <IconFileText size={18} /> },
      { to: "/affiliate/downline", label: text.nav.downline, icon: <IconUsersGroup size={18} /> },
      { to: "/affiliate/materials", label: text.nav.materials, icon: <IconPhoto size={18} /> },
      { to: "/affiliate/postbacks", label: text.nav.postbacks, icon: <IconSend size={18} /> },
    ],
  },
];

export function AffiliateShell() {
  return <Shell nav={nav} areas={areasOf(useMe())} />;
}
