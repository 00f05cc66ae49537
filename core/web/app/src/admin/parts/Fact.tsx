import { Box, Text } from "@mantine/core";
import type { ReactNode } from "react";

/** One thing known about what a page is about. */
export function Fact({ label, children }: { label: string; children: ReactNode }) {
  return (
    <Box className="fact" style={{ minWidth: 0 }}>
      <Text size="xs" c="dimmed">
        {label}
      </Text>
      <Text size="sm" component="div" style={{ overflowWrap: "anywhere" }}>
        {children}
      </Text>
    </Box>
  );
}
