import { Textarea } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";

import { ConfirmDialog } from "../../ui/ConfirmDialog";

interface Props {
  title: string;
  action: string;
  label: string;
  hint: string;
  children?: ReactNode;
  onClose: () => void;
  run: (note: string) => Promise<unknown>;
}

/** Ends a case with a note of what was done. */
export function NoteDialog({ title, action, label, hint, children, onClose, run }: Props) {
  const cache = useQueryClient();
  const [note, setNote] = useState("");
  return (
    <ConfirmDialog
      opened
      onClose={onClose}
      title={title}
      action={action}
      disabled={note.trim() === ""}
      onConfirm={async () => {
        await run(note.trim());
        await cache.invalidateQueries();
      }}
    >
      {children}
      <Textarea label={label} description={hint} required autosize minRows={2} maxLength={500} value={note} onChange={(e) => setNote(e.currentTarget.value)} data-autofocus />
    </ConfirmDialog>
  );
}
