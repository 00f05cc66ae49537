import { IconSearch } from "@tabler/icons-react";

import { areasOf } from "../areas";
import { useMe } from "../session/Session";
import { text } from "../text";
import { Shell } from "../ui/Shell";

const nav = [{ items: [{ to: "/support", label: text.nav.find, icon: <IconSearch size={18} />, end: true }] }];

export function SupportShell() {
  return <Shell nav={nav} areas={areasOf(useMe())} />;
}
