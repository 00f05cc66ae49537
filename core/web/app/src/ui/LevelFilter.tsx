import { Select } from "@mantine/core";

import { fill, text } from "../text";

const levels = Array.from({ length: 10 }, (_, i) => String(i + 1));

/** Chooses one level of a downline, or all. */
export function LevelFilter({ value, onChange }: { value: string; onChange: (level: string | null) => void }) {
  return (
    <Select
      aria-label={text.common.level}
      placeholder={text.common.anyLevel}
      clearable
      value={value || null}
      onChange={onChange}
      data={levels.map((n) => ({ value: n, label: fill(text.common.levelN, { n }) }))}
      w={150}
    />
  );
}
