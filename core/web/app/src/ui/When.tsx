import { Tooltip } from "@mantine/core";

import { formatAgo, formatDate, formatDateTime } from "./locale";

/** A moment; the exact one on hover and focus. */
export function When({ at, as = "datetime" }: { at: string; as?: "datetime" | "date" | "ago" }) {
  const shown = as === "ago" ? formatAgo(at) : as === "date" ? formatDate(at) : formatDateTime(at);
  return (
    <Tooltip label={formatDateTime(at)} disabled={as === "datetime"}>
      <time dateTime={at}>
        {shown}
      </time>
    </Tooltip>
  );
}
