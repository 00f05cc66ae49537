import { useMemo } from "react";
import { useSearchParams } from "react-router";

import { zone } from "../ui/locale";
import { change, readView, withFilters, type Filter, type View } from "./state";

export interface ViewControl {
  view: View;
  set: (changes: Record<string, string | undefined>) => void;
  setFilters: (filters: readonly Filter[]) => void;
}

/** The view that the page's address describes. Changes replace it there, so that going back leaves the page. */
export function useView(by: View["by"]): ViewControl {
  const [query, setQuery] = useSearchParams();
  const day = new Date().toDateString(); // days move on at midnight, not with each drawing
  const view = useMemo(() => readView(query, { by, zone }, Date.now()), [query, by, day]);
  return {
    view,
    set: (changes) => setQuery((now) => change(now, changes), { replace: true }),
    setFilters: (filters) => setQuery((now) => withFilters(now, filters), { replace: true }),
  };
}
