import { useState } from "react";

/** One thing that a form does: whether it runs, and why it failed. */
export function useDeed() {
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<unknown>();
  return {
    busy,
    failure,
    reset: () => setFailure(undefined),
    run: async (deed: () => Promise<unknown>) => {
      setBusy(true);
      setFailure(undefined);
      try {
        await deed();
      } catch (error) {
        setFailure(error);
      } finally {
        setBusy(false);
      }
    },
  };
}
