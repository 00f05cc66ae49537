import { IconHeartbeat, IconSearch } from "@tabler/icons-react";
import { useEffect } from "react";
import { useLocation, useNavigate } from "react-router";

import { areasOf } from "../areas";
import { may, useMe } from "../session/Session";
import { text } from "../text";
import { Shell } from "../ui/Shell";
import { SearchesProvider } from "./Searches";

export const searchField = "support-search";

/** One search, and the pages of what it finds. */
export function SupportShell() {
  const me = useMe();
  useSlash();
  const nav = [
    {
      items: [
        { to: "/support", label: text.nav.find, icon: <IconSearch size={18} />, end: true },
        ...(may(me, "system:read") ? [{ to: "/support/system", label: text.nav.system, icon: <IconHeartbeat size={18} /> }] : []),
      ],
    },
  ];
  return (
    <SearchesProvider>
      <Shell nav={nav} areas={areasOf(me)} />
    </SearchesProvider>
  );
}

// "/" leads to the search from anywhere, unless somebody is writing.
function useSlash() {
  const navigate = useNavigate();
  const { pathname } = useLocation();
  useEffect(() => {
    const key = (event: KeyboardEvent) => {
      const writing = event.target instanceof HTMLElement && event.target.closest("input, textarea, select, [contenteditable], [role=dialog]");
      if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || writing) {
        return;
      }
      event.preventDefault();
      if (pathname === "/support") {
        const field = document.getElementById(searchField) as HTMLInputElement | null;
        field?.focus();
        field?.select();
      } else {
        void navigate("/support");
      }
    };
    document.addEventListener("keydown", key);
    return () => document.removeEventListener("keydown", key);
  }, [navigate, pathname]);
}
