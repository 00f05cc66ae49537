import { Button, Group, Modal, Stack } from "@mantine/core";
import { useState, type ReactNode } from "react";

import { text } from "../text";
import { ErrorState } from "./states";

interface Props {
  opened: boolean;
  onClose: () => void;
  title: string;
  /** What will happen, and what will not. */
  children: ReactNode;
  /** Names the deed: "Suspend", not "OK". */
  action: string;
  danger?: boolean;
  disabled?: boolean;
  /** Resolves when it is done; what it throws is shown. */
  onConfirm: () => Promise<unknown>;
}

/** Asks before something that cannot be taken back, and shows how it goes. */
export function ConfirmDialog({ opened, onClose, title, children, action, danger, disabled, onConfirm }: Props) {
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<unknown>();
  const close = () => {
    if (!busy) {
      setFailure(undefined);
      onClose();
    }
  };
  const confirm = async () => {
    setBusy(true);
    setFailure(undefined);
    try {
      await onConfirm();
      onClose();
    } catch (error) {
      setFailure(error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Modal opened={opened} onClose={close} title={title}>
      <Stack>
        {children}
        {failure !== undefined && <ErrorState error={failure} title={text.error.deed} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={close} disabled={busy}>
            {text.common.cancel}
          </Button>
          <Button color={danger ? "red" : undefined} onClick={() => void confirm()} loading={busy} disabled={disabled}>
            {action}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
