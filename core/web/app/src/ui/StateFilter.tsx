import { Select } from "@mantine/core";

import { text } from "../text";

interface Props<S extends string> {
  states: readonly S[];
  value: string;
  onChange: (state: string | null) => void;
  label?: string;
}

/** Narrows a list down to one state. */
export function StateFilter<S extends string>({ states, value, onChange, label = text.orders.state }: Props<S>) {
  return (
    <Select
      aria-label={label}
      data={[{ value: "", label: text.orders.anyState }, ...states.map((state) => ({ value: state, label: text.states[state] ?? state }))]}
      value={value}
      onChange={onChange}
      allowDeselect={false}
      w={170}
    />
  );
}
