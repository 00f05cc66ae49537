import { Text } from "@mantine/core";

import { formatMoney, type Amount } from "./locale";

/** An amount, in figures of equal width; negative ones are marked by more than colour. */
export function Money({ amount, fw }: { amount: Amount; fw?: number }) {
  return (
    <Text component="span" inherit fw={fw} c={amount.minor < 0 ? "red" : undefined} style={{ fontVariantNumeric: "tabular-nums", whiteSpace: "nowrap" }}>
      {formatMoney(amount)}
    </Text>
  );
}
