// The areas of the application and who finds which: affiliates their business, staff the back office.
import { IconBuildingStore, IconHeadset, IconUser } from "@tabler/icons-react";
import type { ReactNode } from "react";

import { may, type Me } from "./session/Session";
import { text } from "./text";

export interface Area {
  to: string;
  label: string;
  icon: ReactNode;
}

export function areasOf(me: Me): Area[] {
  const areas: Area[] = [];
  if (may(me, "affiliate:self") && me.affiliate_id) {
    areas.push({ to: "/affiliate", label: text.shell.affiliate, icon: <IconUser size={18} /> });
  }
  if (me.roles.some((role) => role === "owner" || role === "admin" || role === "finance" || role === "instructor")) {
    areas.push({ to: "/admin", label: text.shell.admin, icon: <IconBuildingStore size={18} /> });
  }
  if (may(me, "people:read")) {
    areas.push({ to: "/support", label: text.shell.support, icon: <IconHeadset size={18} /> });
  }
  return me.read_only ? areas.slice(0, 1) : areas;
}

/** Where somebody begins. */
export function home(me: Me): string {
  const areas = areasOf(me);
  const staff = areas.find(({ to }) => to === "/admin") ?? areas.find(({ to }) => to === "/support");
  return (staff ?? areas[0])?.to ?? "/account";
}
