import { createContext, useContext, useMemo, useState, type ReactNode } from "react";

const most = 12;

interface Searches {
  /** What is looked for now; it stays while a result is looked at. */
  words: string;
  setWords: (words: string) => void;
  /** What led to something, the newest first. */
  recent: string[];
  remember: (words: string) => void;
  forget: () => void;
}

const Context = createContext<Searches | undefined>(undefined);

/**
 * What was looked for. Addresses of people are among it, so it is kept in this window's memory and nowhere else: not in the
 * address of the page, and not in storage.
 */
export function SearchesProvider({ children }: { children: ReactNode }) {
  const [words, setWords] = useState("");
  const [recent, setRecent] = useState<string[]>([]);
  const value = useMemo<Searches>(
    () => ({
      words,
      setWords,
      recent,
      remember: (found) => setRecent((now) => [found, ...now.filter((r) => r !== found)].slice(0, most)),
      forget: () => setRecent([]),
    }),
    [words, recent],
  );
  return <Context value={value}>{children}</Context>;
}

export function useSearches(): Searches {
  const searches = useContext(Context);
  if (!searches) {
    throw new Error("BUG: useSearches outside of the support area");
  }
  return searches;
}
