import { Anchor, Box, Breadcrumbs, Group, Stack, Text, Title } from "@mantine/core";
import { useDocumentTitle } from "@mantine/hooks";
import type { ReactNode } from "react";
import { Link } from "react-router";

import { config } from "../config";
import { text } from "../text";

interface PageProps {
  title: string;
  /** One or two sentences: what this page is for. */
  about?: ReactNode;
  /** Ways back, from far to near. */
  trail?: { label: string; to: string }[];
  actions?: ReactNode;
  children: ReactNode;
}

/** The frame of every page: title, purpose, actions. */
export function Page({ title, about, trail, actions, children }: PageProps) {
  useDocumentTitle(`${title} · ${config.site}`);
  return (
    <Stack gap="lg">
      <Box>
        {trail && (
          <Breadcrumbs mb="xs" component="nav" aria-label={text.shell.trail}>
            {trail.map(({ label, to }) => (
              <Anchor key={to} component={Link} to={to} size="sm">
                {label}
              </Anchor>
            ))}
          </Breadcrumbs>
        )}
        <Group justify="space-between" align="flex-start" gap="sm">
          <Box style={{ flex: "1 1 16rem", minWidth: 0 }}>
            <Title order={1} style={{ overflowWrap: "anywhere" }}>
              {title}
            </Title>
            {about && (
              <Text c="dimmed" mt={4} maw="44rem" component="div">
                {about}
              </Text>
            )}
          </Box>
          {actions && <Group gap="xs">{actions}</Group>}
        </Group>
      </Box>
      {children}
    </Stack>
  );
}
