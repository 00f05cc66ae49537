import { Box, Text } from "@mantine/core";
import { Fragment, type ReactNode } from "react";

import classes from "./Facts.module.css";

/** Facts about one thing, each with its name. Those that are empty are left out. */
export function Facts({ facts }: { facts: [label: string, value: ReactNode][] }) {
  return (
    <Box component="dl" className={classes.facts}>
      {facts
        .filter(([, value]) => value !== undefined && value !== null && value !== "" && value !== false)
        .map(([label, value]) => (
          <Fragment key={label}>
            <Text component="dt" size="sm" c="dimmed">
              {label}
            </Text>
            <Text component="dd" size="sm" className={classes.value}>
              {value}
            </Text>
          </Fragment>
        ))}
    </Box>
  );
}
