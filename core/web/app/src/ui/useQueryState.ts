import { useCallback } from "react";
import { useSearchParams } from "react-router";

/** A choice kept in the address of the page, so that it survives going back and can be shared. */
export function useQueryState(key: string, initial = ""): [string, (next: string | null) => void] {
  const [query, setQuery] = useSearchParams();
  const set = useCallback(
    (next: string | null) =>
      setQuery(
        (now) => {
          if (next && next !== initial) {
            now.set(key, next);
          } else {
            now.delete(key);
          }
          return now;
        },
        { replace: true },
      ),
    [key, initial, setQuery],
  );
  return [query.get(key) ?? initial, set];
}
