import { Loader, Select, type SelectProps } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { ok } from "../../api/call";
import { client } from "../../api/client";
import { text } from "../../text";
import { readAll, type Source } from "../../ui/table/source";
import { useNames } from "./names";

type Choice = { value: string; label: string };

type PickerProps = Omit<SelectProps, "data" | "value" | "onChange" | "searchable"> & {
  value?: string;
  onChange?: (id: string) => void;
};

/** Finds an affiliate by the beginning of the name or of the address. */
export function AffiliatePicker({ value = "", onChange, ...props }: PickerProps) {
  const [typed, setTyped] = useState("");
  const [needle] = useDebouncedValue(typed.trim(), 200);
  const known = useNames(value ? [value] : []);
  const label = value ? known(value) : "";
  // What was chosen stands in the field: looking for it again would find only itself.
  const wanted = needle === label ? "" : needle;
  const found = useQuery({
    queryKey: ["affiliates", "pick", wanted],
    queryFn: async ({ signal }) => {
      const by = wanted.includes("@") ? { email: wanted } : wanted ? { name: wanted } : {};
      return (await ok(client.GET("/api/v1/affiliates", { params: { query: { limit: 20, ...by } }, signal }))).items;
    },
    placeholderData: keepPreviousData,
    staleTime: 30_000,
  });
  const choices: Choice[] = (found.data ?? []).map((a) => ({ value: a.id, label: `${a.name} · ${a.email}` }));
  if (value && !choices.some((c) => c.value === value)) {
    choices.unshift({ value, label });
  }
  return (
    <Select
      {...props}
      searchable
      clearable
      data={choices}
      value={value || null}
      onChange={(id) => onChange?.(id ?? "")}
      searchValue={typed}
      onSearchChange={setTyped}
      filter={({ options }) => options}
      nothingFoundMessage={text.partners.nobodyFound}
      rightSection={found.isFetching ? <Loader size="xs" /> : undefined}
    />
  );
}

// Programs, groups and products are few: all of them are read.
function useAll<T>(source: Source<T>, enabled = true) {
  return useQuery({ queryKey: ["all", ...source.key], queryFn: ({ signal }) => readAll(source, () => {}, signal), staleTime: 60_000, enabled });
}

export const usePrograms = () => useAll({ key: ["programs"], page: (cursor, limit, signal) => ok(client.GET("/api/v1/programs", { params: { query: { cursor, limit } }, signal })) });
export const useGroups = () => useAll({ key: ["groups"], page: (cursor, limit, signal) => ok(client.GET("/api/v1/affiliate-groups", { params: { query: { cursor, limit } }, signal })) });
export const useProducts = (enabled = true) =>
  useAll({ key: ["products"], page: (cursor, limit, signal) => ok(client.GET("/api/v1/products", { params: { query: { cursor, limit } }, signal })) }, enabled);

function FromAll({ all, value, onChange, ...props }: PickerProps & { all: { data?: { id: string; name: string }[]; isPending: boolean } }) {
  return (
    <Select
      {...props}
      searchable
      clearable={!props.required}
      data={(all.data ?? []).map(({ id, name }) => ({ value: id, label: name }))}
      value={value || null}
      onChange={(id) => onChange?.(id ?? "")}
      nothingFoundMessage={text.table.noMatch}
      rightSection={all.isPending ? <Loader size="xs" /> : undefined}
    />
  );
}

export function ProgramPicker(props: PickerProps) {
  return <FromAll {...props} all={usePrograms()} />;
}

export function GroupPicker(props: PickerProps) {
  return <FromAll {...props} all={useGroups()} />;
}

export function ProductPicker(props: PickerProps) {
  return <FromAll {...props} all={useProducts()} />;
}
