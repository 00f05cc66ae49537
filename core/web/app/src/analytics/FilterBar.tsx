import { ActionIcon, Button, Checkbox, Group, Popover, Select, Stack, TextInput, Tooltip } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconFilterPlus, IconSwitchHorizontal, IconX } from "@tabler/icons-react";
import { useState, type FormEvent } from "react";

import { fill, text } from "../text";
import { dimensionChoices } from "./Controls";
import classes from "./Explorer.module.css";
import type { Whose } from "./report";
import { addFilter, formatFilter, removeFilter, type Dimension, type Filter } from "./state";
import type { ViewControl } from "./useView";
import { filterLabel } from "./words";

interface Props {
  control: ViewControl;
  whose: Whose;
  names: Record<string, string>;
}

/** Puts a filter into the view, or says why it cannot. */
export function filterBy({ view, setFilters }: ViewControl, filter: Filter): void {
  const next = addFilter(view.filters, filter);
  if (next) {
    setFilters(next);
  } else {
    notifications.show({ color: "yellow", message: text.analytics.tooMany });
  }
}

/** The filters, each of which can be turned into its contrary or removed. */
export function FilterBar({ control, whose, names }: Props) {
  const { view, setFilters } = control;
  return (
    <Group gap="xs" role="group" aria-label={text.analytics.filters}>
      {view.filters.map((filter) => {
        const label = filterLabel(filter, names);
        return (
          <Group key={formatFilter(filter)} gap={2} wrap="nowrap" className={classes.chip} data-not={filter.not || undefined}>
            <span className={classes.chipText}>{label}</span>
            <Tooltip label={fill(text.analytics.negate, { filter: label })}>
              <ActionIcon variant="subtle" color="gray" size="sm" aria-label={fill(text.analytics.negate, { filter: label })} onClick={() => filterBy(control, { ...filter, not: !filter.not })}>
                <IconSwitchHorizontal size={14} />
              </ActionIcon>
            </Tooltip>
            <ActionIcon variant="subtle" color="gray" size="sm" aria-label={fill(text.analytics.removeFilter, { filter: label })} onClick={() => setFilters(removeFilter(view.filters, filter))}>
              <IconX size={14} />
            </ActionIcon>
          </Group>
        );
      })}
      <AddFilter control={control} whose={whose} />
      {view.filters.length > 1 && (
        <Button variant="subtle" size="compact-sm" onClick={() => setFilters([])}>
          {text.analytics.clear}
        </Button>
      )}
    </Group>
  );
}

// Affiliates, programs and links have identifiers that nobody types: they are filtered by clicking on them.
const clicked: readonly Dimension[] = ["affiliate", "program", "link"];

function AddFilter({ control, whose }: { control: ViewControl; whose: Whose }) {
  const [opened, setOpened] = useState(false);
  const [dimension, setDimension] = useState<Dimension>("country");
  const [value, setValue] = useState("");
  const [not, setNot] = useState(false);
  const send = (e: FormEvent) => {
    e.preventDefault();
    const words = value.trim();
    filterBy(control, { dimension, value: dimension === "country" ? words.toUpperCase() : words, not });
    setOpened(false);
    setValue("");
  };
  return (
    <Popover opened={opened} onChange={setOpened} trapFocus position="bottom-start" shadow="md">
      <Popover.Target>
        <Button variant="default" size="compact-sm" leftSection={<IconFilterPlus size={14} aria-hidden />} onClick={() => setOpened(!opened)} aria-expanded={opened}>
          {text.analytics.addFilter}
        </Button>
      </Popover.Target>
      <Popover.Dropdown>
        <form onSubmit={send}>
          <Stack gap="xs" miw={240}>
            <Select
              label={text.analytics.filterBy} value={dimension} onChange={(d) => d && setDimension(d as Dimension)} data={dimensionChoices(whose, { without: clicked })} searchable
              allowDeselect={false} comboboxProps={{ withinPortal: false }}
            />
            <TextInput label={text.analytics.filterValue} description={text.analytics.filterEmpty} value={value} onChange={(e) => setValue(e.currentTarget.value)} maxLength={255} />
            <Checkbox label={text.analytics.filterNot} checked={not} onChange={(e) => setNot(e.currentTarget.checked)} />
            <Button type="submit">{text.analytics.addFilter}</Button>
          </Stack>
        </form>
      </Popover.Dropdown>
    </Popover>
  );
}
