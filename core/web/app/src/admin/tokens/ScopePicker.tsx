import { Checkbox, SimpleGrid, Stack, Text } from "@mantine/core";

import { text } from "../../text";
import { scopeWords } from "./scopes";

const t = text.tokens;

interface Props<S extends string> {
  scopes: readonly S[];
  value: S[];
  onChange: (scopes: S[]) => void;
}

/** Rights, each with what it lets do; admin stands apart, because it holds the others. */
export function ScopePicker<S extends string>({ scopes, value, onChange }: Props<S>) {
  const all = value.includes("admin" as S);
  return (
    <Checkbox.Group value={value} onChange={(next) => onChange(scopes.filter((s) => next.includes(s)))} label={t.scopes} required>
      <Stack gap="xs" mt="xs">
        {scopes.includes("admin" as S) && <Checkbox value="admin" label={t.all} description={scopeWords("admin")} color="red" />}
        <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="xs" verticalSpacing="xs">
          {scopes
            .filter((s) => s !== "admin")
            .map((scope) => (
              <Checkbox key={scope} value={scope} label={scopeWords(scope)} description={scope} disabled={all} />
            ))}
        </SimpleGrid>
        {value.length === 0 && (
          <Text size="sm" c="dimmed">
            {t.none}
          </Text>
        )}
      </Stack>
    </Checkbox.Group>
  );
}

/** Rights in a table. */
export function ScopeList({ scopes }: { scopes: readonly string[] }) {
  return (
    <Text component="span" size="sm" title={scopes.map(scopeWords).join("\n")} style={{ overflowWrap: "anywhere" }}>
      {scopes.map((s) => (s === "admin" ? t.all : s)).join(", ")}
    </Text>
  );
}
