import { Group, Select, SegmentedControl } from "@mantine/core";
import dayjs from "dayjs";

import { fill, text } from "../text";
import { zone as ownZone } from "../ui/locale";
import { PeriodPicker } from "../ui/PeriodPicker";
import type { Whose } from "./report";
import { dimensions, staffDimensions, type Dimension, type View } from "./state";
import type { ViewControl } from "./useView";

const zones = [...new Set([ownZone, "Asia/Kolkata", "UTC", ...Intl.supportedValuesOf("timeZone").filter((z) => z !== "Asia/Calcutta")])].map((value) => ({
  value, label: value === ownZone ? fill(text.analytics.zoneOwn, { zone: value }) : value.replaceAll("_", " "),
}));

const grouping: Record<string, Dimension[]> = {
  [text.analytics.groups.what]: ["affiliate", "program", "link"],
  [text.analytics.groups.where]: ["country", "referrer_host", "referrer_path"],
  [text.analytics.groups.who]: ["device", "os", "browser", "language", "bot", "network", "node"],
  [text.analytics.groups.sub]: ["sub1", "sub2", "sub3", "sub4", "sub5"],
  [text.analytics.groups.utm]: ["utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content"],
  [text.analytics.groups.ids]: ["gclid", "fbclid", "ttclid", "msclkid"],
};

/** The dimensions as choices, without those that are not for affiliates. */
export function dimensionChoices(whose: Whose, { withTime, without = [] }: { withTime?: boolean; without?: readonly Dimension[] } = {}) {
  const known: readonly string[] = dimensions;
  const hidden = whose === "mine" ? [...staffDimensions, ...without] : without;
  const groups = Object.entries(grouping).map(([group, items]) => ({
    group,
    items: items.filter((d) => known.includes(d) && !hidden.includes(d)).map((value) => ({ value: value as string, label: text.analytics.dimensions[value] })),
  }));
  if (withTime) {
    groups[0]?.items.unshift({ value: "time", label: text.analytics.dimensions.time });
  }
  return groups.filter(({ items }) => items.length > 0);
}

interface Props {
  control: ViewControl;
  whose: Whose;
}

/** When, in which zone, in which steps, by what. */
export function Controls({ control: { view, set }, whose }: Props) {
  const period = { name: view.period, from: dayjs(view.first).toDate(), to: dayjs(view.last).add(1, "day").toDate() };
  return (
    <Group gap="sm" align="flex-end">
      <PeriodPicker key={view.period} period={period} onChange={({ name, from, to }) => set({ period: name, from, to })} />
      <SegmentedControl
        aria-label={text.analytics.step}
        value={view.step}
        onChange={(step) => set({ step })}
        data={(["hour", "day", "week"] as const).map((value) => ({ value, label: text.analytics.steps[value], disabled: value === "hour" && tooLong(view) }))}
      />
      <Select
        label={text.analytics.by} value={view.by} onChange={(by) => by && set({ by })} data={dimensionChoices(whose, { withTime: true })} searchable allowDeselect={false}
        maxDropdownHeight={360} w={{ base: "calc(50% - 6px)", xs: 190 }} nothingFoundMessage={text.common.none}
      />
      <Select
        label={text.analytics.zone} value={view.zone} onChange={(tz) => tz && set({ tz })} data={withZone(view.zone)} searchable allowDeselect={false} limit={60}
        w={{ base: "calc(50% - 6px)", xs: 230 }} nothingFoundMessage={text.common.none}
      />
    </Group>
  );
}

const tooLong = (view: View): boolean => dayjs(view.last).diff(view.first, "day") >= 62;

// An address may name a zone by another of its names.
function withZone(zone: string) {
  return zones.some(({ value }) => value === zone) ? zones : [{ value: zone, label: zone }, ...zones];
}
