import { Text, Textarea } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import type { Schemas } from "../../api/client";
import { fill, text } from "../../text";
import { ConfirmDialog } from "../../ui/ConfirmDialog";
import { change, patchOf, type Deed } from "./deeds";

/** Asks before an affiliate is approved, refused, suspended or activated, and tells what follows. */
export function DeedDialog({ affiliate, deed, onClose }: { affiliate: Schemas["Affiliate"]; deed: Deed; onClose: () => void }) {
  const t = text.partners;
  const cache = useQueryClient();
  const [reason, setReason] = useState("");
  const words = t.deeds[deed];
  const hard = deed === "refuse" || deed === "suspend";
  return (
    <ConfirmDialog
      opened
      onClose={onClose}
      title={fill(words.title, { name: affiliate.name })}
      action={words.action}
      danger={hard}
      disabled={hard && reason.trim() === ""}
      onConfirm={async () => {
        await change(affiliate.id, { ...patchOf(deed), ...(reason.trim() && { reason: reason.trim() }) });
        notifications.show({ message: fill(words.done, { name: affiliate.name }) });
        await cache.invalidateQueries();
      }}
    >
      <Text size="sm">{words.consequence}</Text>
      <Textarea label={t.reason} description={t.reasonHint} required={hard} autosize minRows={2} maxLength={500} value={reason} onChange={(e) => setReason(e.currentTarget.value)} data-autofocus />
    </ConfirmDialog>
  );
}
