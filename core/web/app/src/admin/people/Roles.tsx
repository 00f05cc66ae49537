import { Badge, Checkbox, Group, Stack, Text } from "@mantine/core";

import type { Schemas } from "../../api/client";
import { useMe } from "../../session/Session";
import { text } from "../../text";

const t = text.people;

export type Role = NonNullable<Schemas["PersonPatchRequest"]["roles"]>[number];
export const roles: readonly Role[] = ["owner", "admin", "support", "finance", "instructor", "affiliate", "learner"];

/** Roles that only an owner gives and takes. */
const guarded = new Set<string>(["owner", "finance"]);
const staff = new Set<string>(["owner", "admin", "support", "finance", "instructor"]);

export function isGuarded(held: readonly string[]): boolean {
  return held.some((role) => guarded.has(role));
}

export function RoleBadges({ held }: { held: readonly string[] }) {
  return (
    <Group gap={4} component="span" display="inline-flex">
      {held.length === 0 && "–"}
      {held.map((role) => (
        <Badge key={role} variant={staff.has(role) ? "filled" : "light"} color={guarded.has(role) ? "grape.8" : staff.has(role) ? "accent" : "gray"} tt="none">
          {t.roleWords[role] ?? role}
        </Badge>
      ))}
    </Group>
  );
}

/** Each role with what it lets a person do. */
export function RolePicker({ value, onChange }: { value: Role[]; onChange: (roles: Role[]) => void }) {
  const owner = useMe().roles.includes("owner");
  return (
    <Checkbox.Group value={value} onChange={(next) => onChange(roles.filter((role) => next.includes(role)))} label={t.roles}>
      <Stack gap="xs" mt="xs">
        {roles.map((role) => (
          <Checkbox
            key={role}
            value={role}
            label={t.roleWords[role]}
            description={guarded.has(role) && !owner ? `${t.roleTexts[role] ?? ""} ${t.ownerOnly}` : t.roleTexts[role]}
            disabled={guarded.has(role) && !owner}
          />
        ))}
      </Stack>
    </Checkbox.Group>
  );
}

/** What a change of roles means. */
export function Consequences({ before, after }: { before: readonly string[]; after: readonly string[] }) {
  const words = (list: readonly string[]) => list.map((role) => t.rightsOf[role] ?? role).join("; ");
  const gains = after.filter((role) => !before.includes(role));
  const loses = before.filter((role) => !after.includes(role));
  return (
    <div role="status">
      {gains.length > 0 && (
        <Text size="sm" c="teal">
          {t.gains.replace("{rights}", words(gains))}
        </Text>
      )}
      {loses.length > 0 && (
        <Text size="sm" c="red">
          {t.loses.replace("{rights}", words(loses))}
        </Text>
      )}
      {gains.length + loses.length === 0 && (
        <Text size="sm" c="dimmed">
          {t.same}
        </Text>
      )}
      {after.length === 0 && <Text size="sm">{t.noRoles}</Text>}
    </div>
  );
}
