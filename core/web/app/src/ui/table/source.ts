import { useInfiniteQuery, type QueryKey } from "@tanstack/react-query";

/** Rows on a page; on a phone each is a card as high as five. */
export const pageSize = (): number => (matchMedia("(max-width: 47.99em)").matches ? 20 : 100);

/** Sorting and exporting read at most so many rows; beyond that the server's reports are the better tool. */
export const maxRows = 20_000;

export interface Page<T> {
  items: T[];
  next_cursor: string;
}

/** A list of the API, read page by page. */
export interface Source<T> {
  key: QueryKey;
  page: (cursor: string, limit: number, signal: AbortSignal) => Promise<Page<T>>;
  /** ms between looks at the first page; absent: only when asked. */
  refresh?: number;
}

export function useSource<T>(source: Source<T>) {
  return useInfiniteQuery({
    queryKey: ["table", ...source.key],
    queryFn: ({ pageParam, signal }) => source.page(pageParam, pageSize(), signal),
    initialPageParam: "",
    getNextPageParam: (last) => last.next_cursor || undefined,
    refetchInterval: source.refresh,
  });
}

/** Reads a whole list. progress is told after each page; the signal stops it. */
export async function readAll<T>(source: Source<T>, progress: (rows: number) => void, signal: AbortSignal): Promise<T[]> {
  const rows: T[] = [];
  let cursor = "";
  do {
    const page = await source.page(cursor, 200, signal);
    signal.throwIfAborted();
    rows.push(...page.items);
    progress(rows.length);
    cursor = page.next_cursor;
  } while (cursor && rows.length < maxRows);
  return rows;
}
