import { Button, Group, Stack } from "@mantine/core";
import { IconDownload } from "@tabler/icons-react";

import { fill, text } from "../../text";
import { QRCode, qrPNG, qrSVG } from "../../ui/QRCode";
import { save } from "../../ui/table/csv";

/** An address as a QR code, to look at and to take away. name is that of the file. */
export function QRDownload({ value, name, size }: { value: string; name: string; size?: number }) {
  return (
    <Stack gap="xs" align="flex-start">
      <QRCode value={value} label={fill(text.myLinks.qrLabel, { address: value })} size={size} />
      <Group gap="xs">
        <Button size="xs" variant="default" leftSection={<IconDownload size={14} aria-hidden />} onClick={() => void qrPNG(value).then((png) => save(`${name}.png`, png, "image/png"))} aria-label={`${text.myLinks.qr} ${text.myLinks.qrPNG}`}>
          {text.myLinks.qrPNG}
        </Button>
        <Button size="xs" variant="default" leftSection={<IconDownload size={14} aria-hidden />} onClick={() => save(`${name}.svg`, qrSVG(value), "image/svg+xml")} aria-label={`${text.myLinks.qr} ${text.myLinks.qrSVG}`}>
          {text.myLinks.qrSVG}
        </Button>
      </Group>
    </Stack>
  );
}
