import { Text, TextInput } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import type { Schemas } from "../../api/client";
import { fill, text } from "../../text";
import { BulkDialog } from "../../ui/table/BulkDialog";
import { GroupPicker } from "../parts/pickers";
import { change, patchOf, type Deed } from "./deeds";

export type BulkDeed = Deed | "group";

type Affiliate = Schemas["Affiliate"];

/** Does the same to all affiliates that were chosen and that it fits. */
export function BulkDeeds({ kind, rows, onClose }: { kind: BulkDeed; rows: Affiliate[]; onClose: () => void }) {
  const t = text.partners;
  const cache = useQueryClient();
  const [reason, setReason] = useState("");
  const [group, setGroup] = useState("");
  const fitting = rows.filter((row) => t.fits[kind].includes(row.status));
  const words = t.deeds[kind];
  const needsReason = kind === "refuse" || kind === "suspend";
  return (
    <BulkDialog
      opened
      onClose={onClose}
      title={fill(t.bulkTitle, { deed: words.action, n: fitting.length })}
      action={words.action}
      danger={needsReason}
      disabled={needsReason && reason.trim() === ""}
      rows={fitting}
      name={(row) => row.name}
      run={(row) => change(row.id, { ...(kind === "group" ? { group_id: group } : patchOf(kind)), ...(reason.trim() && { reason: reason.trim() }) })}
      onDone={() => void cache.invalidateQueries()}
    >
      <Text size="sm">{words.consequence}</Text>
      {fitting.length < rows.length && (
        <Text size="sm" c="dimmed">
          {fill(t.notFitting, { n: rows.length - fitting.length })}
        </Text>
      )}
      {kind === "group" ? (
        <GroupPicker label={t.group} description={t.groupEmpty} value={group} onChange={setGroup} />
      ) : (
        <TextInput label={t.reason} description={t.reasonHint} required={needsReason} maxLength={500} value={reason} onChange={(e) => setReason(e.currentTarget.value)} />
      )}
    </BulkDialog>
  );
}
