import { IconPackage, IconShieldLock, IconUser } from "@tabler/icons-react";

import { areasOf } from "../areas";
import { may, useMe } from "../session/Session";
import { text } from "../text";
import { Shell } from "../ui/Shell";

export function AccountShell() {
  const me = useMe();
  const items = [
    { to: "/account", label: text.nav.profile, icon: <IconUser size={18} />, end: true },
    { to: "/account/security", label: text.nav.security, icon: <IconShieldLock size={18} /> },
    ...(may(me, "learner:self") ? [{ to: "/account/orders", label: text.nav.orders_mine, icon: <IconPackage size={18} /> }] : []),
  ];
  const areas = areasOf(me);
  return <Shell nav={[{ items }, ...(areas.length > 0 ? [{ label: text.shell.area, items: areas }] : [])]} areas={areas} />;
}
