import type { ReactNode } from "react";

import { useMe } from "../session/Session";

/** What changes something. Who only looks at another person's pages is not offered it; the core would refuse. */
export function Writes({ children }: { children: ReactNode }) {
  return useMe().read_only ? null : children;
}
