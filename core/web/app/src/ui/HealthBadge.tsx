import { Badge } from "@mantine/core";
import { IconAlertTriangle, IconCheck, IconX } from "@tabler/icons-react";

import { text } from "../text";

const looks = {
  ok: { color: "teal", icon: <IconCheck size={12} aria-hidden /> },
  warn: { color: "orange", icon: <IconAlertTriangle size={12} aria-hidden /> },
  bad: { color: "red", icon: <IconX size={12} aria-hidden /> },
};

/** How a part of the machinery is: by colour, sign and word. */
export function HealthBadge({ state }: { state: "ok" | "warn" | "bad" }) {
  const { color, icon } = looks[state];
  return (
    <Badge variant="light" color={color} leftSection={icon} tt="none" style={{ flex: "none", minWidth: "max-content" }}>
      {text.system.states[state]}
    </Badge>
  );
}
