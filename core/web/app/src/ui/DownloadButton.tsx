import { Button, type ButtonProps } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconDownload } from "@tabler/icons-react";
import { useState, type ReactNode } from "react";

import { download } from "../api/file";
import { sentence } from "../api/problem";

interface Props extends ButtonProps {
  /** Of the API, with its query. */
  path: string;
  /** Of the file. */
  name: string;
  children: ReactNode;
}

/** Hands a file of the API to the reader. */
export function DownloadButton({ path, name, children, ...button }: Props) {
  const [busy, setBusy] = useState(false);
  const get = async () => {
    setBusy(true);
    try {
      await download(path, name);
    } catch (error) {
      notifications.show({ color: "red", message: sentence(error) });
    } finally {
      setBusy(false);
    }
  };
  return (
    <Button variant="default" size="xs" leftSection={<IconDownload size={14} aria-hidden />} {...button} loading={busy} onClick={() => void get()}>
      {children}
    </Button>
  );
}
