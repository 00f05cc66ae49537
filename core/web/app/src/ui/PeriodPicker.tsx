import { Group, SegmentedControl, useMatches } from "@mantine/core";
import { DatePickerInput } from "@mantine/dates";
import dayjs from "dayjs";

import { text } from "../text";
import { periodNames, type Period } from "./period";

const labels: Record<string, string> = {
  today: text.common.today, "7d": text.common.last7, "30d": text.common.last30, "90d": text.common.last90, custom: text.common.custom,
};

interface Props {
  period: Period;
  onChange: (next: { name: string; from?: string; to?: string }) => void;
}

export function PeriodPicker({ period, onChange }: Props) {
  const from = dayjs(period.from).format("YYYY-MM-DD");
  const to = dayjs(period.to).subtract(1, "day").format("YYYY-MM-DD");
  const size = useMatches({ base: "xs", sm: "sm" });
  return (
    <Group gap="xs">
      <SegmentedControl
        aria-label={text.common.period}
        value={period.name}
        onChange={(name) => onChange(name === "custom" ? { name, from, to } : { name })}
        maw="100%"
        size={size}
        styles={{ label: { paddingInline: "clamp(4px, 2vw, 12px)" } }}
        data={periodNames.map((value) => ({ value, label: labels[value] ?? value }))}
      />
      {period.name === "custom" && (
        <DatePickerInput
          type="range"
          aria-label={text.common.period}
          allowSingleDateInRange
          maxDate={dayjs().format("YYYY-MM-DD")}
          defaultValue={[from, to]}
          onChange={([first, last]) => first && last && onChange({ name: "custom", from: first, to: last })}
          miw={220}
        />
      )}
    </Group>
  );
}
